/* The trap flag set by popf: SIGTRAP after each instruction, counted until the flag is cleared. */
#include "guest_task.h"
#include <ucontext.h>

static volatile int steps;
static volatile int codes_seen;
static uintptr_t rips[32];

static void on_trap(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	if (steps < 32)
		rips[steps] = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
	steps++;
	if (si->si_code == TRAP_TRACE)
		codes_seen++;
}

int main(void)
{
	unsigned long start, flags, sum = 0;

	handle(SIGTRAP, on_trap, 0);
	/* Set the flag; ten nops of one byte; clear it with the next popf. */
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "pushfq\n\t"
			 "pop %1\n\t"
			 "push %1\n\t"
			 "orq $0x100, (%%rsp)\n\t"
			 "popfq\n\t"
			 "1: nop; nop; nop; nop; nop; nop; nop; nop; nop; nop\n\t"
			 "push %1\n\t"
			 "popfq\n\t"
			 "lea 1b(%%rip), %0\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : "=r"(start), "=&r"(flags)
			 :
			 : "memory", "cc");
	/* After each nop, the push and the popf; perhaps after the first popf, too. */
	show("%d steps, %d of them TRAP_TRACE, flags were %#lx", steps, codes_seen, flags);
	expect(steps == 12 || steps == 13, "%d steps", steps);
	int first = steps - 12;
	for (int i = 0; i < 10; i++)
		if (rips[first + i] != start + 1 + (uintptr_t)i)
			expect(false, "step %d at %#lx, start %#lx", i, rips[first + i], start);
	expect_eq_long(codes_seen, steps, "TRAP_TRACE");
	steps = 0;
	for (int i = 0; i < 100; i++)
		sum += (unsigned long)i;
	expect_eq_long(steps, 0, "steps when the flag is cleared");
	expect_eq_long(sum, 4950, "sum");
	return done();
}
