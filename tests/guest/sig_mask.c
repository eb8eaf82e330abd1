/* sigprocmask() and sigpending(): blocked signals wait, merge, and come when unblocked. */
#include "guest_task.h"

static volatile int order[16];
static volatile int count;

static void handler(int sig, siginfo_t *si, void *uc)
{
	order[count++ & 15] = sig;
}

int main(void)
{
	sigset_t set, old, pending;

	handle(SIGUSR1, handler, 0);
	handle(SIGUSR2, handler, 0);
	handle(SIGHUP, handler, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	need(sigprocmask(SIG_BLOCK, &set, &old));
	expect(!sigismember(&old, SIGUSR1), "the old mask");
	for (int i = 0; i < 3; i++)
		raise(SIGUSR1);
	raise(SIGHUP);
	kill(getpid(), SIGUSR2);
	expect(count == 1 && order[0] == SIGHUP, "only the one not blocked came");
	need(sigpending(&pending));
	expect(sigismember(&pending, SIGUSR1) && sigismember(&pending, SIGUSR2), "two pend");
	expect(!sigismember(&pending, SIGHUP), "and no other");

	/* Ignoring a pending signal drops it. */
	signal(SIGUSR2, SIG_IGN);
	need(sigpending(&pending));
	expect(!sigismember(&pending, SIGUSR2), "SIG_IGN dropped SIGUSR2");
	handle(SIGUSR2, handler, 0);
	need(sigprocmask(SIG_SETMASK, &old, NULL));
	expect(count == 2 && order[1] == SIGUSR1, "three SIGUSR1 merged into one");
	need(sigpending(&pending));
	expect(!sigismember(&pending, SIGUSR1), "nothing pends");

	/* The two are pending at once: the kernel delivers the lower number last-in first-run. */
	count = 0;
	need(sigprocmask(SIG_BLOCK, &set, NULL));
	raise(SIGUSR2);
	raise(SIGUSR1);
	need(sigprocmask(SIG_UNBLOCK, &set, NULL));
	expect_eq_long(count, 2, "signals");
	show("handlers ran in the order %d %d", order[0], order[1]);

	sigfillset(&set);
	need(sigprocmask(SIG_SETMASK, &set, NULL));
	need(sigprocmask(SIG_SETMASK, &old, &set));
	expect(!sigismember(&set, SIGKILL) && !sigismember(&set, SIGSTOP), "never blocked");
	expect(sigismember(&set, SIGRTMAX), "SIGRTMAX was blocked");
	expect_errno(syscall(SYS_rt_sigprocmask, 77, &set, NULL, 8), EINVAL);
	expect_errno(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4), EINVAL);
	return done();
}
