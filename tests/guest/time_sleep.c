/*
 * nanosleep and clock_nanosleep, relative and absolute, interrupted by a signal, and their errors.
 */
#include "guest.h"
#include <sys/time.h>
#include <time.h>

static volatile int alarms;

static void handler(int sig)
{
	alarms++;
}

static long long now(clockid_t clock)
{
	struct timespec ts;
	need(clock_gettime(clock, &ts));
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int main(void)
{
	struct timespec ts = {0, 3000000}, rest = {7, 7};
	struct sigaction act = {.sa_handler = handler};
	struct itimerval timer = {{0, 20000}, {0, 5000}}, off = {{0, 0}, {0, 0}};

	long long before = now(CLOCK_MONOTONIC);
	expect_eq_long(nanosleep(&ts, &rest), 0, "nanosleep");
	long long took = now(CLOCK_MONOTONIC) - before;
	expect(took >= 3000000, "slept %lld ns", took);
	expect(rest.tv_sec == 7, "the remainder is not written");
	before = now(CLOCK_REALTIME) + 2000000;
	ts = (struct timespec){before / 1000000000, before % 1000000000};
	expect_eq_long(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &ts, NULL), 0, "absolute");
	expect(now(CLOCK_REALTIME) >= before, "not woken early");
	ts = (struct timespec){0, 1000000};
	expect_eq_long(clock_nanosleep(CLOCK_BOOTTIME, 0, &ts, NULL), 0, "on CLOCK_BOOTTIME");
	ts = (struct timespec){1, 0};
	expect_eq_long(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL), 0, "long past");

	/* Periodic, since the first alarm may come before the sleep has begun. */
	need(sigaction(SIGALRM, &act, NULL));
	need(setitimer(ITIMER_REAL, &timer, NULL));
	ts = (struct timespec){20, 0};
	expect_errno(nanosleep(&ts, &rest), EINTR);
	expect(alarms >= 1, "%d alarms", alarms);
	expect(rest.tv_sec >= 10 && rest.tv_sec < 20, "%ld.%09ld s left", rest.tv_sec,
	       rest.tv_nsec);
	expect_eq_long(clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &rest), EINTR, "clock_nanosleep");
	need(setitimer(ITIMER_REAL, &off, NULL));
	expect(alarms >= 2, "%d alarms", alarms);
	expect(rest.tv_sec >= 10 && rest.tv_sec < 20, "%ld.%09ld s left", rest.tv_sec,
	       rest.tv_nsec);

	ts = (struct timespec){0, 1000000000};
	expect_errno(nanosleep(&ts, NULL), EINVAL);
	ts = (struct timespec){-1, 0};
	expect_errno(nanosleep(&ts, NULL), EINVAL);
	expect_eq_long(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &ts, NULL), EINVAL,
		       "on the thread's CPU clock");
	expect_errno(syscall(SYS_nanosleep, (void *)8, NULL), EFAULT);
	expect_eq_long(usleep(100), 0, "usleep");
	expect_eq_long(sleep(0), 0, "sleep(0)");
	return done();
}
