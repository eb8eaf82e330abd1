/* alarm(), setitimer(ITIMER_REAL): one-shot and interval, values left, cancelling. */
#include "guest_task.h"

static siginfo_t seen;
static volatile int hits;

static void handler(int sig, siginfo_t *si, void *uc)
{
	seen = *si;
	hits++;
}

int main(void)
{
	struct itimerval it = {.it_value.tv_usec = 2000}, old;
	sigset_t none;

	handle(SIGALRM, handler, 0);
	mask_signal(SIG_BLOCK, SIGALRM);
	sigemptyset(&none);
	expect_eq_long(alarm(100), 0, "alarm before");
	unsigned left = alarm(0);
	expect(left == 100 || left == 99, "alarm left: %u s", left);
	expect_eq_long(alarm(0), 0, "alarm after cancelling");

	need(setitimer(ITIMER_REAL, &it, NULL));
	expect_errno(sigsuspend(&none), EINTR);
	show("signo %d code %d pid %d", seen.si_signo, seen.si_code, seen.si_pid);
	expect(seen.si_signo == SIGALRM && seen.si_code == SI_KERNEL, "SIGALRM from the kernel");
	need(getitimer(ITIMER_REAL, &old));
	expect(old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0, "the timer is off");

	it.it_interval.tv_usec = 2000;
	need(setitimer(ITIMER_REAL, &it, NULL));
	while (hits < 6)
		expect_errno(sigsuspend(&none), EINTR);
	need(getitimer(ITIMER_REAL, &old));
	show("%ld us to the next", old.it_value.tv_usec);
	expect(old.it_value.tv_usec <= 2000 && old.it_interval.tv_usec == 2000, "interval");

	/* alarm() and the timer are one: the alarm replaces the timer's value. */
	left = alarm(50);
	/* 0: it expired a moment ago, and starts anew only when the signal is taken. */
	expect(left <= 1, "alarm tells of the timer, rounded up: %u s", left);
	need(getitimer(ITIMER_REAL, &old));
	expect(old.it_value.tv_sec >= 49 - 1 && old.it_interval.tv_usec == 0, "%ld s left",
	       old.it_value.tv_sec);
	struct itimerval off = {0};
	need(setitimer(ITIMER_REAL, &off, &old));
	/* Timers are not inherited. */
	need(setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_sec = 60}, NULL));
	pid_t pid = need(fork());
	if (pid == 0)
		_exit((int)alarm(0));
	expect_child(pid, 0);
	expect(alarm(0) > 50, "ours goes on");
	it.it_value.tv_usec = 1000000;
	expect_errno(setitimer(ITIMER_REAL, &it, NULL), EINVAL);
	expect_errno(setitimer(9, &off, NULL), EINVAL);
	return done();
}
