/* A sequence lock: one writer, three readers that retry; what they read and how often they retried. */
#include "torture.h"
#include <stdatomic.h>

static atomic_uint sequence;
static volatile uint64_t data[8];
static uint64_t rounds, torn[4], retries[4], sums[4];
static struct seen seen[4];
static atomic_int written;

static void write_all(void)
{
	for (uint64_t i = 1; i <= rounds; i++) {
		atomic_fetch_add(&sequence, 1);
		for (int k = 0; k < 8; k++)
			data[k] = i * (uint64_t)(k + 1);
		atomic_fetch_add(&sequence, 1);
	}
	atomic_store(&written, 1);
}

static void read_all(uint64_t me)
{
	uint64_t copy[8], before = 0;

	for (uint64_t i = 0; !atomic_load(&written); i++) {
		unsigned start = atomic_load(&sequence);

		for (int k = 0; k < 8; k++)
			copy[k] = data[k];
		if (start % 2 || atomic_load(&sequence) != start) {
			retries[me]++;
			continue;
		}
		for (uint64_t k = 0; k < 8; k++)
			torn[me] += copy[k] != copy[0] * (k + 1);
		if (copy[0] != before)
			see(&seen[me], i, copy[0]);
		before = copy[0];
		sums[me] += copy[3];
	}
}

static void *work(void *number)
{
	if (number)
		read_all((uintptr_t)number);
	else
		write_all();
	return NULL;
}

int main(int argc, char **argv)
{
	rounds = sized(argc, argv, 10000000);
	run_threads(4, work);
	show("same: sequence %u", atomic_load(&sequence));
	for (unsigned i = 1; i < 4; i++) {
		expect(torn[i] == 0, "reader %u saw whole values", i);
		show("reader %u: %lu retries, sum %lx", i, (unsigned long)retries[i],
		     (unsigned long)sums[i]);
		seen_show("reader", i, &seen[i]);
	}
	return done();
}
