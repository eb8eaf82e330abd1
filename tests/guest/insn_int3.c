/* int3 (both encodings) and ud2 with the program's own handlers, which look at and move rip. */
#include "guest_task.h"
#include <ucontext.h>

static volatile int traps, undefined;
static volatile uintptr_t trap_rip;

static void on_trap(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;
	traps++;
	/* A trap: rip is already behind the instruction. */
	trap_rip = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
}

static void on_ill(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;
	const unsigned char *code = (const unsigned char *)uc->uc_mcontext.gregs[REG_RIP];

	undefined++;
	/* A fault: rip is at the instruction, and so is si_addr. */
	if (si->si_addr != code || code[0] != 0x0f || code[1] != 0x0b)
		_exit(9);
	uc->uc_mcontext.gregs[REG_RIP] += 2;
}

int main(void)
{
	unsigned long after, kept;

	handle(SIGTRAP, on_trap, 0);
	handle(SIGILL, on_ill, 0);
	for (int i = 1; i <= 5; i++) {
		__asm__ volatile("mov $0x1234, %1\n\tint3\n1: lea 1b(%%rip), %0"
				 : "=r"(after), "=&r"(kept)
				 :
				 : "memory");
		expect_eq_long(traps, i, "traps by int3");
		expect(trap_rip == after, "rip %#lx", trap_rip);
		expect_eq_long(kept, 0x1234, "register");
	}
	/* The two-byte form is a general protection fault for some, a trap for Linux. */
	__asm__ volatile(".byte 0xcd, 0x03\n1: lea 1b(%%rip), %0" : "=r"(after) : : "memory");
	expect_eq_long(traps, 6, "traps by int $3");
	expect(trap_rip == after, "rip %#lx", trap_rip);
	for (int i = 1; i <= 5; i++) {
		__asm__ volatile("ud2" : : : "memory");
		expect_eq_long(undefined, i, "faults by ud2");
	}
	/* Blocked, the trap kills. */
	pid_t pid = need(fork());
	if (pid == 0) {
		mask_signal(SIG_BLOCK, SIGTRAP);
		__asm__ volatile("int3");
		_exit(1);
	}
	int status = wait_status(pid, 0);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP, "killed by SIGTRAP");
	return done();
}
