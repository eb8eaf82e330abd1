/*
 * clock_gettime and clock_getres on every clock; gettimeofday, time and the C library's calendar.
 */
#include "guest.h"
#include <pthread.h>
#include <sys/time.h>
#include <time.h>

int main(void)
{
	static const clockid_t clocks[] = {CLOCK_REALTIME,
					   CLOCK_MONOTONIC,
					   CLOCK_PROCESS_CPUTIME_ID,
					   CLOCK_THREAD_CPUTIME_ID,
					   CLOCK_MONOTONIC_RAW,
					   CLOCK_REALTIME_COARSE,
					   CLOCK_MONOTONIC_COARSE,
					   CLOCK_BOOTTIME,
					   CLOCK_REALTIME_ALARM,
					   CLOCK_BOOTTIME_ALARM,
					   CLOCK_TAI};
	struct timespec a, b, res;

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		if (clock_gettime(clocks[i], &a) == -1) {
			show("clock %d: %s", clocks[i], strerror(errno));
			continue;
		}
		need(clock_gettime(clocks[i], &b));
		int r = clock_getres(clocks[i], &res);
		show("clock %d: %ld.%09ld, %ld.%09ld; resolution %d %ld.%09ld", clocks[i], a.tv_sec,
		     a.tv_nsec, b.tv_sec, b.tv_nsec, r, res.tv_sec, res.tv_nsec);
		expect(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec),
		       "clock %d does not run backwards", clocks[i]);
	}
	expect_errno(clock_gettime(77, &a), EINVAL);
	expect_errno(syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, (void *)8), EFAULT);
	clockid_t cpu;
	expect_eq_long(clock_getcpuclockid(0, &cpu), 0, "clock_getcpuclockid");
	expect_eq_long(clock_gettime(cpu, &a), 0, "my own CPU clock");
	expect_eq_long(pthread_getcpuclockid(pthread_self(), &cpu), 0, "pthread_getcpuclockid");
	expect_eq_long(clock_gettime(cpu, &a), 0, "my thread's CPU clock");
	show("%ld.%09ld", a.tv_sec, a.tv_nsec);

	struct timeval tv;
	need(gettimeofday(&tv, NULL));
	time_t now = time(NULL);
	need(clock_gettime(CLOCK_REALTIME, &a));
	show("gettimeofday %ld.%06ld, time %ld", tv.tv_sec, (long)tv.tv_usec, now);
	expect(tv.tv_sec <= a.tv_sec && now <= a.tv_sec && now >= tv.tv_sec - 1, "they agree");

	char text[100];
	struct tm tm;
	strftime(text, sizeof(text), "%a %d %b %Y %H:%M:%S %Z", localtime_r(&now, &tm));
	show("local time: %s", text);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	show("universal time: %s", text);
	expect_eq_long(timegm(&tm), now, "timegm");
	show("clock() %ld", (long)clock());
	return done();
}
