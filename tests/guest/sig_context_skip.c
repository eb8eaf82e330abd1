/*
 * Handlers that change the interrupted context: skip an instruction, set registers, change the
 * mask.
 */
#include "guest_task.h"
#include <ucontext.h>

static volatile int calls;
static int mode;
static char scratch[256];

static void handler(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	calls++;
	switch (mode) {
	case 0: /* mov %al, (%rcx) has two bytes */
		uc->uc_mcontext.gregs[REG_RIP] += 2;
		break;
	case 1: /* let it fault on another address */
		uc->uc_mcontext.gregs[REG_RCX] = (greg_t)&scratch[64];
		break;
	case 2: /* ud2 has two bytes; give a result */
		uc->uc_mcontext.gregs[REG_RIP] += 2;
		uc->uc_mcontext.gregs[REG_RAX] = 0x1122334455667788;
		break;
	case 3: /* the mask after the return */
		sigaddset(&uc->uc_sigmask, SIGUSR2);
		break;
	case 4: /* flags: set carry */
		uc->uc_mcontext.gregs[REG_RIP] += 2;
		uc->uc_mcontext.gregs[REG_EFL] |= 1;
		break;
	}
}

int main(void)
{
	unsigned long rax;
	unsigned char carry;
	sigset_t set;

	handle(SIGSEGV, handler, 0);
	handle(SIGILL, handler, 0);
	handle(SIGUSR1, handler, 0);
	mode = 0;
	__asm__ volatile("movb %%al, (%%rcx)" : : "c"(8L), "a"(1L) : "memory");
	expect_eq_long(calls, 1, "the store was skipped; faults");

	mode = 1;
	unsigned long rcx = 8;
	__asm__ volatile("cmpb $0, (%%rcx)" : "+c"(rcx) : : "memory", "cc");
	expect(rcx == (unsigned long)&scratch[64], "rcx is now %#lx", rcx);
	expect_eq_long(calls, 2, "faults");

	mode = 2;
	rax = 0;
	__asm__ volatile("ud2" : "+a"(rax));
	expect(rax == 0x1122334455667788, "rax is now %#lx", rax);

	mode = 3;
	raise(SIGUSR1);
	need(sigprocmask(SIG_BLOCK, NULL, &set));
	expect(sigismember(&set, SIGUSR2), "the handler's mask stays");
	expect(!sigismember(&set, SIGUSR1), "and nothing else");

	mode = 4;
	__asm__ volatile("clc; ud2; setc %0" : "=q"(carry) : : "cc");
	expect_eq_long(carry, 1, "carry");
	expect_eq_long(calls, 5, "handler calls");
	return done();
}
