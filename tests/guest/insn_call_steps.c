/* A program that single-steps itself through a system call's instruction which it has used before:
 * every time the same instructions. */
#include "guest.h"

#define OFTEN 40

static volatile sig_atomic_t steps;
static volatile unsigned long sum;

static void on_step(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	steps++;
	sum = sum * 3 + (unsigned long)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
}

static void call(unsigned long step)
{
	long parent;

	__asm__ volatile(
		"pushf\n\torq %1, (%%rsp)\n\tpopf\n\tmov $110, %%eax\n\tsyscall\n\tnop\n\tnop\n\t"
		"pushf\n\tandq $~0x100, (%%rsp)\n\tpopf\n\tnop"
		: "=&a"(parent)
		: "r"(step)
		: "rcx", "r11", "memory");
	expect(parent == getppid(), "%ld", parent);
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};

	sigaction(SIGTRAP, &action, NULL);
	for (int i = 0; i < OFTEN; i++)
		call(0);
	expect(!steps, "%d steps", (int)steps);
	unsigned long first = 0;

	for (int i = 0; i < OFTEN; i++) {
		steps = 0;
		sum = 0;
		call(0x100);
		first = i ? first : sum;
		expect(steps && sum == first, "round %d: %d steps", i, (int)steps);
	}
	return done();
}
