/* Is stopped and continued from outside at random while it computes, with a handler for SIGCONT, a 1 ms
 * timer, and a second thread.
 * torture: stops */
#include "torture.h"

static volatile int ready;
static volatile uint64_t sums[2];
static uint64_t rounds;

static void *compute(void *number)
{
	uint64_t x = 88172645463325252 + (uintptr_t)number, sum = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		sum += next_random(&x) ^ i;
		sums[(uintptr_t)number] = sum;
		if (!number)
			progress = i;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	rounds = sized(argc, argv, 120000000);
	tick_handle(SIGCONT, SA_RESTART, tick_note);
	tick_start(1000);
	run_threads(2, compute);
	tick_stop();
	show("same: %lx %lx", (unsigned long)sums[0], (unsigned long)sums[1]);
	tick_show();
	return done();
}
