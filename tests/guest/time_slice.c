/*
 * A computation steered by the clock: it runs until 20 ms have passed and prints how far it came,
 * then does the same with alarm signals counting.
 */
#include "guest.h"
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t ticks;

static void tick(int sig)
{
	ticks++;
}

int main(void)
{
	struct timespec start, now;
	struct sigaction act = {.sa_handler = tick, .sa_flags = SA_RESTART};
	struct itimerval on = {{0, 2000}, {0, 2000}}, off = {{0, 0}, {0, 0}};
	uint64_t x = 88172645463325252, rounds = 0;

	need(clock_gettime(CLOCK_MONOTONIC, &start));
	do {
		for (int i = 0; i < 1000; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
		}
		rounds++;
		need(clock_gettime(CLOCK_MONOTONIC, &now));
	} while ((now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec - start.tv_nsec < 20000000);
	expect(rounds > 0, "%lu rounds in 20 ms, x %016lx", (unsigned long)rounds,
	       (unsigned long)x);

	need(sigaction(SIGALRM, &act, NULL));
	need(setitimer(ITIMER_REAL, &on, NULL));
	rounds = 0;
	int seen = 0;
	while (ticks < 5) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		rounds++;
		getppid();
		if (ticks != seen) {
			seen = ticks;
			show("tick %d at round %lu, x %016lx", seen, (unsigned long)rounds,
			     (unsigned long)x);
		}
	}
	need(setitimer(ITIMER_REAL, &off, NULL));
	expect(ticks >= 5, "%d ticks", ticks);
	return done();
}
