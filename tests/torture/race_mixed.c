/* Threads of different kinds at once: one computes, one makes system calls, one sleeps, one allocates and
 * frees, one makes threads that end at once, one waits by sched_yield; and a 1 ms timer. */
#include "torture.h"
#include <sched.h>
#include <time.h>

static volatile uint64_t counter[6];
static volatile int ended;
static uint64_t rounds;
static struct seen seen[6];

static void *short_life(void *number)
{
	for (uint64_t i = 0; i < 100000; i++)
		counter[4] = counter[4] + 1;
	return number;
}

static void one_step(uint64_t me, uint64_t i)
{
	struct timespec pause = {0, 200000};
	pthread_t thread;
	void *memory;

	switch (me) {
	case 0:
		for (uint64_t k = 0; k < 50000; k++)
			counter[0] = mix(counter[0], k);
		break;
	case 1:
		for (int k = 0; k < 30; k++)
			counter[1] += (uint64_t)syscall(SYS_gettid) != 0;
		break;
	case 2:
		nanosleep(&pause, NULL);
		counter[2]++;
		break;
	case 3:
		memory = malloc(1 + i * 977 % 300000);
		memset(memory, (int)i, 1 + i * 977 % 300000);
		counter[3] += ((uint8_t *)memory)[i % 100] + 1;
		free(memory);
		break;
	case 4:
		if (i % 8 == 0 && !pthread_create(&thread, NULL, short_life, NULL))
			pthread_join(thread, NULL);
		break;
	default:
		sched_yield();
		counter[5]++;
	}
}

static void *work(void *number)
{
	uint64_t me = (uintptr_t)number, before = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		one_step(me, i);
		uint64_t now = counter[(me + 1) % 6];

		if (now != before)
			see(&seen[me], i, now);
		before = now;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	rounds = sized(argc, argv, 400);
	tick_start(1000);
	run_threads(6, work);
	tick_stop();
	show("same: %lx %lu %lu", (unsigned long)counter[0], (unsigned long)counter[1],
	     (unsigned long)counter[2]);
	for (unsigned i = 0; i < 6; i++)
		seen_show("thread", i, &seen[i]);
	tick_show();
	return done();
}
