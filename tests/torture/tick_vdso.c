/* 1 ms timer signals into clock_gettime and its family, which libc calls in the vDSO, and into rdtsc:
 * points every few instructions, signals between them. */
#include "torture.h"
#include <sched.h>
#include <sys/auxv.h>
#include <time.h>

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 20000), hash = 0, backwards = 0, last = 0;
	struct timeval day;

	tick_start(1000);
	for (uint64_t i = 0; i < n; i++) {
		struct timespec now, coarse;

		clock_gettime(CLOCK_MONOTONIC, &now);
		clock_gettime(CLOCK_REALTIME_COARSE, &coarse);
		gettimeofday(&day, NULL);
		uint64_t ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;

		backwards += ns < last;
		last = ns;
		hash = mix(mix(hash, ns), (uint64_t)coarse.tv_nsec + (uint64_t)day.tv_usec);
		hash = mix(hash, (uint64_t)time(NULL) + (uint64_t)sched_getcpu());
		if (i % 16 == 0)
			hash = mix(hash, __builtin_ia32_rdtsc());
		for (uint64_t k = 0; k < i % 64; k++)
			hash = mix(hash, k);
		progress = i;
	}
	tick_stop();
	show("same: backwards %lu", (unsigned long)backwards);
	show("times %lx", (unsigned long)hash);
	tick_show();
	return done();
}
