/* sigsuspend(), sigwaitinfo(), sigtimedwait(), sigwait(), with signals from a child. */
#include "guest_task.h"

static volatile int hits;

static void handler(int sig, siginfo_t *si, void *uc)
{
	hits++;
}

int main(void)
{
	sigset_t set, none;
	siginfo_t si;
	struct timespec zero = {0}, ms = {0, 2000000};
	pid_t me = getpid();
	int sig = 0;

	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	need(sigprocmask(SIG_BLOCK, &set, NULL));
	expect_errno(sigtimedwait(&set, &si, &zero), EAGAIN);
	expect_errno(sigtimedwait(&set, &si, &ms), EAGAIN);
	struct timespec bad = {0, 2000000000};
	expect_errno(sigtimedwait(&set, &si, &bad), EINVAL);

	pid_t pid = need(fork());
	if (pid == 0) {
		kill(me, SIGUSR1);
		_exit(1);
	}
	expect_eq_long(sigwaitinfo(&set, &si), SIGUSR1, "sigwaitinfo");
	expect(si.si_pid == pid && si.si_code == SI_USER, "from %d", si.si_pid);
	expect_child(pid, 1);

	pid = need(fork());
	if (pid == 0) {
		union sigval value = {.sival_int = -5};
		sigqueue(me, SIGUSR2, value);
		_exit(2);
	}
	struct timespec day = {86400, 0};
	expect_eq_long(sigtimedwait(&set, &si, &day), SIGUSR2, "sigtimedwait");
	expect_eq_long(si.si_value.sival_int, -5, "value");
	expect_child(pid, 2);

	raise(SIGUSR2);
	expect_eq_long(sigwait(&set, &sig), 0, "sigwait");
	expect_eq_long(sig, SIGUSR2, "signal");

	handle(SIGUSR1, handler, 0);
	pid = need(fork());
	if (pid == 0) {
		kill(me, SIGUSR1);
		_exit(3);
	}
	expect_errno(sigsuspend(&none), EINTR);
	expect_eq_long(hits, 1, "handler calls");
	need(sigprocmask(SIG_BLOCK, NULL, &none));
	expect(sigismember(&none, SIGUSR1), "the mask is back");
	expect_child(pid, 3);
	return done();
}
