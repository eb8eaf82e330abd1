/* 1 ms timer signals into libc's qsort, whose comparison function is ours; handlers look at the array. */
#include "torture.h"

#define COUNT 60000

static uint32_t numbers[COUNT];

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	progress++;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	uint64_t rounds = sized(argc, argv, 40), x = 4711, hash = 0;

	watched = numbers + COUNT / 2;
	watched_length = 4096;
	tick_start(1000);
	for (uint64_t r = 0; r < rounds; r++) {
		for (int i = 0; i < COUNT; i++)
			numbers[i] = (uint32_t)next_random(&x);
		qsort(numbers, COUNT, sizeof(*numbers), compare);
		hash = mix(hash, hash_bytes(numbers, sizeof(numbers)));
	}
	tick_stop();
	show("same: sorted %lx, %lu comparisons", (unsigned long)hash, (unsigned long)progress);
	tick_show();
	return done();
}
