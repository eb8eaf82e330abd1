/* Handlers that are entered right before popf: after a call, and where the program computes. Whoever
 * enters them by single-stepping must not leave the trap flag in the frame, or the program is stepped
 * on from there. */
#include "guest_task.h"
#include <ucontext.h>

#define TRAP_FLAG 0x100

static volatile int handled, trapped;
static volatile unsigned long in_frame;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	ucontext_t *at = context;

	handled++;
	in_frame |= (unsigned long)at->uc_mcontext.gregs[REG_EFL];
}

static void on_trap(int signal)
{
	trapped++;
}

/* tgkill(2) for ourselves, and popf as the instruction after it. */
static void signal_before_popf(int signal)
{
	long result = SYS_tgkill;

	__asm__ volatile("sub $128, %%rsp\n\t"
			 "pushfq\n\t"
			 "syscall\n\t"
			 "popfq\n\t"
			 "add $128, %%rsp"
			 : "+a"(result)
			 : "D"(getpid()), "S"(gettid()), "d"(signal)
			 : "rcx", "r11", "memory", "cc");
	need(result);
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	need(sigaction(SIGUSR1, &action, NULL));
	need(sigaction(SIGRTMIN, &action, NULL));
	need((long)signal(SIGTRAP, on_trap) == -1 ? -1 : 0);
	for (int i = 0; i < 5; i++)
		signal_before_popf(i % 2 ? SIGUSR1 : SIGRTMIN);
	expect_eq_long(handled, 5, "signals handled");
	expect(!(in_frame & TRAP_FLAG), "no trap flag in the frames: %#lx", in_frame);

	/* And a timer's, over a loop of them. */
	struct itimerval often = {{0, 1000}, {0, 1000}};
	need((long)signal(SIGALRM, SIG_IGN) == -1 ? -1 : 0);
	need(sigaction(SIGALRM, &action, NULL));
	handled = 0;
	need(setitimer(ITIMER_REAL, &often, NULL));
	for (long i = 0; handled < 3; i++)
		__asm__ volatile("sub $128, %%rsp\n\tpushfq\n\tpopfq\n\tadd $128, %%rsp" ::
					 : "memory", "cc");
	need(setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL));
	expect(!(in_frame & TRAP_FLAG), "no trap flag in the frames: %#lx", in_frame);
	expect_eq_long(trapped, 0, "traps");
	return done();
}
