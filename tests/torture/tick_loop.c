/* 1 ms timer signals into plain loops: registers only, then with memory, then nested. */
#include "torture.h"

static uint64_t registers_only(uint64_t n)
{
	uint64_t x = 88172645463325252, sum = 0;

	for (uint64_t i = 0; i < n; i++)
		sum += next_random(&x) & i;
	return sum;
}

static uint64_t with_memory(uint64_t n)
{
	static uint64_t table[512];

	watched = table;
	watched_length = sizeof(table);
	for (uint64_t i = 0; i < n; i++) {
		table[i * 7 % 512] += i ^ table[(i * 3 + 1) % 512];
		progress = i;
	}
	watched = NULL;
	return hash_bytes(table, sizeof(table));
}

static uint64_t nested(uint64_t n)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++)
		for (uint64_t k = 0; k < 100; k++)
			for (uint64_t l = k; l < 120; l += 3)
				sum = sum * 5 + (i ^ k ^ l);
	return sum;
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 80000000);

	tick_start(1000);
	show("same: registers only %lx", (unsigned long)registers_only(n));
	show("same: with memory %lx", (unsigned long)with_memory(n));
	show("same: nested %lx", (unsigned long)nested(n / 1000));
	tick_stop();
	tick_show();
	return done();
}
