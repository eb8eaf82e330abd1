/*
 * Timer signals into computations that make no system call: integer and floating point loops,
 * recursion, string instructions, memory, and a loop that only waits. The handler's effect is seen
 * at some place of the computation, which is printed.
 */
#include "guest.h"
#include <sys/time.h>

#define TICKS 2

static volatile sig_atomic_t ticks;
static char buffer[100000];
static int table[5000];

static void tick(int sig)
{
	ticks++;
}

static unsigned long recursion(unsigned long n)
{
	return n < 2 ? n : recursion(n - 1) + recursion(n - 2);
}

static void integers(void)
{
	uint64_t x = 88172645463325252, rounds = 0;

	while (ticks < TICKS) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		rounds++;
	}
	show("integers: %lu rounds, %016lx", (unsigned long)rounds, (unsigned long)x);
}

static void floats(void)
{
	double x = 0.5;
	unsigned long rounds = 0;

	for (; ticks < TICKS; rounds++)
		x = x * 3.9 * (1 - x);
	show("floats: %lu rounds, %.17g", rounds, x);
}

static void calls(void)
{
	unsigned long sum = 0, rounds = 0;

	for (; ticks < TICKS; rounds++)
		sum += recursion(12 + rounds % 5);
	show("calls: %lu rounds, %lu", rounds, sum);
}

static void strings(void)
{
	unsigned long sum = 0, rounds = 0;

	for (; ticks < TICKS; rounds++) {
		memset(buffer, (int)rounds, sizeof(buffer));
		sum += (unsigned char)buffer[rounds % sizeof(buffer)];
	}
	show("strings: %lu rounds, %lu", rounds, sum);
}

static int order(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void sorting(void)
{
	unsigned long sum = 0, rounds = 0;

	for (; ticks < TICKS; rounds++) {
		for (int i = 0; i < 5000; i++)
			table[i] = (int)((i * 7919 + rounds) % 10007);
		qsort(table, 5000, sizeof(int), order);
		sum += (unsigned long)table[rounds % 5000];
	}
	show("sorting: %lu rounds, %lu", rounds, sum);
}

static void waiting(void)
{
	while (ticks < TICKS)
		;
	show("waiting: %d", (int)ticks);
}

int main(void)
{
	void (*const work[])(void) = {integers, floats, calls, strings, sorting, waiting};
	struct itimerval on = {{0, 2000}, {0, 2000}}, off = {{0, 0}, {0, 0}};
	struct sigaction act = {.sa_handler = tick};

	need(sigaction(SIGALRM, &act, NULL));
	for (unsigned i = 0; i < sizeof(work) / sizeof(*work); i++) {
		ticks = 0;
		need(setitimer(ITIMER_REAL, &on, NULL));
		work[i]();
		need(setitimer(ITIMER_REAL, &off, NULL));
		expect(ticks >= TICKS, "at least %d ticks", TICKS);
	}
	return done();
}
