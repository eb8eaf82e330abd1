/* Sleeping calls interrupted by a signal: what is left of the time, and which never restart. */
#include "guest_task.h"

static volatile int ticks;

static void handler(int sig, siginfo_t *si, void *uc)
{
	ticks++;
}

static void run(int flags)
{
	struct timespec day = {86400, 0}, left = {0}, then;
	sigset_t set;
	siginfo_t si;
	int word = 0;

	handle(SIGALRM, handler, flags);
	tick(3);
	expect_errno(nanosleep(&day, &left), EINTR);
	expect(left.tv_sec >= 86000 && left.tv_sec < 86400, "nanosleep: %ld.%09ld s left",
	       left.tv_sec, left.tv_nsec);
	left = (struct timespec){0};
	expect_eq_long(clock_nanosleep(CLOCK_REALTIME, 0, &day, &left), EINTR, "clock_nanosleep");
	expect(left.tv_sec >= 86000 && left.tv_sec < 86400, "clock_nanosleep: %ld.%09ld s left",
	       left.tv_sec, left.tv_nsec);
	need(clock_gettime(CLOCK_MONOTONIC, &then));
	then.tv_sec += 86400;
	expect_eq_long(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL), EINTR,
		       "clock_nanosleep until then");
	expect_errno(pause(), EINTR);
	sigemptyset(&set);
	expect_errno(sigsuspend(&set), EINTR);
	sigaddset(&set, SIGUSR2);
	expect_errno(sigtimedwait(&set, &si, &day), EINTR);
	if ((flags & SA_RESTART) == 0)
		expect_errno(futex(&word, FUTEX_WAIT, 0, NULL), EINTR);
	expect_errno(futex(&word, FUTEX_WAIT, 0, &day), EINTR);
	unsigned slept = sleep(86400);
	expect(slept > 86000, "sleep: %u s left", slept);
	tick(0);
	show("%d signals", ticks);
}

int main(void)
{
	run(0);
	return done();
}
