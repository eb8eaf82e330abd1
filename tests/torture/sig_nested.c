/* Signals into handlers: five timers, SA_NODEFER, handlers that compute for longer than the timers'
 * period, on the alternate stack and on the ordinary one, masks that block some of the others. */
#include "torture.h"
#include <time.h>

static volatile int depth, deepest;
static volatile uint64_t work[4];

static void compute(uint64_t n, int slot)
{
	uint64_t x = work[slot] + 88172645463325252;

	for (uint64_t i = 0; i < n; i++)
		next_random(&x);
	work[slot] = x;
}

static void on_tick(int signal, siginfo_t *info, void *context)
{
	int mine = ++depth;

	if (mine > deepest)
		deepest = mine;
	tick_note(signal, info, context);
	/* Not too deep: the stacks are finite. */
	if (mine < 6)
		compute(signal == SIGALRM ? 300000 : 30000, signal % 4);
	if (depth != mine)
		expect(false, "handlers end in the order of their nesting");
	depth--;
}

static void start(int signal, int flags, int blocked, long nsec)
{
	struct sigaction act = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | flags};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal};
	struct itimerspec spec = {{0, nsec}, {0, nsec}};
	timer_t timer;

	sigemptyset(&act.sa_mask);
	if (blocked)
		sigaddset(&act.sa_mask, blocked);
	need(sigaction(signal, &act, NULL));
	need(timer_create(CLOCK_MONOTONIC, &event, &timer));
	need(timer_settime(timer, 0, &spec, NULL));
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 40), x = 1;
	static char stack[1 << 20];
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};

	need(sigaltstack(&alternate, NULL));
	start(SIGALRM, 0, 0, 3100000);
	start(SIGUSR1, SA_NODEFER, 0, 2300000);
	start(SIGUSR2, SA_ONSTACK, SIGUSR1, 1700000);
	start(SIGRTMIN + 1, SA_ONSTACK | SA_NODEFER, 0, 2900000);
	start(SIGVTALRM, SA_RESTART, SIGALRM, 4100000);
	for (uint64_t i = 0; i < n; i++) {
		for (uint64_t k = 0; k < 3000000; k++)
			next_random(&x);
		progress = i;
	}
	for (int signal = 1; signal <= SIGRTMIN + 1; signal++)
		if (signal != SIGKILL && signal != SIGSTOP && (signal < 32 || signal >= SIGRTMIN))
			syscall(SYS_rt_sigaction, signal, NULL, NULL, 8);
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	show("same: x %lx, depth %d", (unsigned long)x, depth);
	show("deepest %d, work %lx %lx %lx %lx", deepest, (unsigned long)work[0],
	     (unsigned long)work[1], (unsigned long)work[2], (unsigned long)work[3]);
	tick_show();
	return done();
}
