/*
 * The vDSO's functions against raw system calls: interleaved, they must never run backwards.
 */
#include "guest.h"
#include <sched.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include <time.h>

static long long ns(const struct timespec *ts)
{
	return ts->tv_sec * 1000000000LL + ts->tv_nsec;
}

static void interleave(clockid_t clock, const char *name)
{
	struct timespec ts;
	long long last = 0, first = 0;
	int backwards = 0;
	uint64_t hash = 0;

	for (int i = 0; i < 400; i++) {
		need(i % 3 == 0 ? (int)syscall(SYS_clock_gettime, clock, &ts)
				: clock_gettime(clock, &ts));
		long long t = ns(&ts);
		backwards += t < last;
		if (i == 0)
			first = t;
		last = t;
		hash = hash * 31 + t;
	}
	expect_eq_long(backwards, 0, name);
	show("%s: from %lld to %lld, hash %016lx", name, first, last, (unsigned long)hash);
}

int main(void)
{
	show("vDSO at %lx", getauxval(AT_SYSINFO_EHDR));
	interleave(CLOCK_MONOTONIC, "monotonic");
	interleave(CLOCK_MONOTONIC_COARSE, "coarse");
	interleave(CLOCK_BOOTTIME, "boottime");
	interleave(CLOCK_MONOTONIC_RAW, "raw");

	struct timeval a, b;
	struct timezone tz = {99, 99};
	need(gettimeofday(&a, &tz));
	need(syscall(SYS_gettimeofday, &b, NULL));
	expect(timercmp(&a, &b, <=), "gettimeofday: %ld.%06ld then %ld.%06ld", a.tv_sec,
	       (long)a.tv_usec, b.tv_sec, (long)b.tv_usec);
	show("timezone %d %d", tz.tz_minuteswest, tz.tz_dsttime);
	time_t t1 = time(NULL), t2 = syscall(SYS_time, NULL), t3 = 0;
	expect(t1 <= t2 && time(&t3) == t3, "time: %ld, %ld, %ld", t1, t2, t3);
	expect_eq_long(syscall(SYS_time, &t3), t3, "time through its argument");

	unsigned cpu = ~0U, node = ~0U, cpu2 = ~0U;
	expect_eq_long(getcpu(&cpu, &node), 0, "getcpu");
	expect_eq_long(syscall(SYS_getcpu, &cpu2, NULL, NULL), 0, "getcpu, raw");
	show("on CPU %u, then %u, node %u, sched_getcpu %d", cpu, cpu2, node, sched_getcpu());
	long ncpu = sysconf(_SC_NPROCESSORS_CONF);
	expect(cpu < 4096 && cpu2 < 4096 && ncpu >= 1, "of %ld", ncpu);
	return done();
}
