/* The 128 bytes below the stack pointer, and all general registers, over a handler. */
#include "guest_task.h"
#include <ucontext.h>

static volatile int hits;
static volatile uintptr_t interrupted_sp, handler_frame;

static __attribute__((noinline)) void use_stack(int depth)
{
	volatile char junk[300];

	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (char)0xee;
	if (depth > 0)
		use_stack(depth - 1);
	junk[0] = 1;
}

static void handler(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	interrupted_sp = (uintptr_t)uc->uc_mcontext.gregs[REG_RSP];
	handler_frame = (uintptr_t)uc;
	use_stack(8);
	hits++;
}

int main(void)
{
	long pid = getpid(), tid = syscall(SYS_gettid), ret, bad;

	handle(SIGUSR1, handler, 0);
	for (long round = 1; round <= 5; round++) {
		long number = SYS_tgkill;
		/* Below rsp: 16 words of the red zone. rsp is lowered past the compiler's. */
		__asm__ volatile("lea -256(%%rsp), %%rsp\n\t"
				 "mov %[round], %%r12\n\t"
				 "mov $16, %%r13\n\t"
				 "1: lea (%%r12,%%r13,8), %%r14\n\t"
				 "neg %%r13\n\t"
				 "mov %%r14, (%%rsp,%%r13,8)\n\t"
				 "neg %%r13\n\t"
				 "dec %%r13\n\t"
				 "jnz 1b\n\t"
				 "mov $0x5555, %%r15\n\t"
				 "mov $0x6666, %%r10\n\t"
				 "syscall\n\t"
				 "xor %%ebx, %%ebx\n\t"
				 "cmp $0x5555, %%r15\n\t"
				 "setne %%bl\n\t"
				 "cmp $0x6666, %%r10\n\t"
				 "je 2f\n\t"
				 "inc %%rbx\n\t"
				 "2: mov $16, %%r13\n\t"
				 "3: lea (%%r12,%%r13,8), %%r14\n\t"
				 "neg %%r13\n\t"
				 "cmp %%r14, (%%rsp,%%r13,8)\n\t"
				 "je 4f\n\t"
				 "inc %%rbx\n\t"
				 "4: neg %%r13\n\t"
				 "dec %%r13\n\t"
				 "jnz 3b\n\t"
				 "lea 256(%%rsp), %%rsp\n\t"
				 : "=a"(ret), "=&b"(bad)
				 : "a"(number), "D"(pid), "S"(tid),
				   "d"((long)SIGUSR1), [round] "r"(round)
				 : "rcx", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
		expect(ret == 0 && bad == 0, "round %ld: %ld words changed", round, bad);
		expect_eq_long(hits, round, "handler calls");
		expect(handler_frame < interrupted_sp - 128, "context %#lx, stack %#lx",
		       handler_frame, interrupted_sp);
	}
	return done();
}
