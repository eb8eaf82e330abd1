/* 1 ms timer signals into recursion: deep stacks, two call sites, mutual recursion, alloca. */
#include "torture.h"
#include <alloca.h>

static __attribute__((noinline)) uint64_t fibonacci(unsigned n)
{
	progress++;
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static __attribute__((noinline)) uint64_t ackermann(uint64_t m, uint64_t n)
{
	if (!m)
		return n + 1;
	return ackermann(m - 1, n ? ackermann(m, n - 1) : 1);
}

static uint64_t odd(uint64_t n, uint64_t *sum);

static __attribute__((noinline)) uint64_t even(uint64_t n, uint64_t *sum)
{
	*sum = mix(*sum, n);
	return n ? odd(n - 1, sum) + 1 : 0;
}

static __attribute__((noinline)) uint64_t odd(uint64_t n, uint64_t *sum)
{
	*sum += n;
	return n ? even(n - 1, sum) + 2 : 0;
}

static __attribute__((noinline)) uint64_t growing(uint64_t n)
{
	volatile uint8_t *room = alloca(16 + n % 5 * 64);

	room[0] = (uint8_t)n;
	room[n % 16] ^= 3;
	return n ? growing(n - 1) + room[0] : 0;
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 300), sum = 0, total = 0;

	tick_start(1000);
	for (uint64_t i = 0; i < n; i++)
		total += fibonacci(24) + ackermann(2, 300 + i % 7);
	show("same: fibonacci and ackermann %lu", (unsigned long)total);
	for (uint64_t i = 0; i < n; i++)
		total += even(20000, &sum);
	show("same: mutual %lu %lx", (unsigned long)total, (unsigned long)sum);
	for (uint64_t i = 0; i < 20 * n; i++)
		total += growing(2000 + i % 3);
	show("same: growing %lu", (unsigned long)total);
	tick_stop();
	tick_show();
	return done();
}
