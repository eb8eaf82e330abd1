/* rounds ROUNDS: for a debugger. Computes without any system call: each round some 10 ms, in 100 turns that are
 * functions, too. `marked` is written once, in the middle; `latest` in each turn. Prints what came out. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

volatile uint64_t marked, latest;
static volatile uint64_t state = 88172645463325252;

static __attribute__((noinline)) void turn(uint64_t number)
{
	uint64_t x = state;

	for (int i = 0; i < 40000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	state = x;
	latest = number;
}

static __attribute__((noinline)) void make_round(uint64_t number)
{
	for (uint64_t i = 0; i < 100; i++)
		turn(number * 100 + i);
}

int main(int argc, char **argv)
{
	uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 100;

	for (uint64_t i = 0; i < rounds; i++) {
		if (i == rounds / 2)
			marked = i;
		make_round(i);
	}
	printf("%lx\n", (unsigned long)state);
	return 0;
}
