/* Threads race on plain memory without locks: each notes when it found that another one had been there.
 * RACE_THREADS of them. */
#include "torture.h"

#ifndef RACE_THREADS
#define RACE_THREADS 2
#endif

static volatile uint64_t cell, owner, last_index[RACE_THREADS];
static uint64_t rounds, sums[RACE_THREADS];
static struct seen seen[RACE_THREADS];

static void *race(void *number)
{
	uint64_t me = (uintptr_t)number, sum = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t before = cell, found = owner;

		if (found != me)
			see(&seen[me], i, found << 56 | last_index[found]);
		owner = me;
		last_index[me] = i;
		sum += before ^ i;
		cell = before + 1;
	}
	sums[me] = sum;
	return NULL;
}

int main(int argc, char **argv)
{
	rounds = sized(argc, argv, 200000000) / RACE_THREADS;
	run_threads(RACE_THREADS, race);
	show("cell %lu", (unsigned long)cell);
	for (unsigned i = 0; i < RACE_THREADS; i++) {
		show("thread %u: sum %lx", i, (unsigned long)sums[i]);
		seen_show("thread", i, &seen[i]);
	}
	return done();
}
