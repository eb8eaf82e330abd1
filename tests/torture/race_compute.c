/* Two threads compute for seconds without a system call, each with its own memory, and look at each
 * other's progress now and then. At its full size 5 seconds each; in `make check` a tenth.
 * torture: size 8
 * torture: limit 240 */
#include "torture.h"

static volatile uint64_t at[2];
static uint64_t rounds, results[2];
static struct seen seen[2];
static uint32_t tables[2][4096];

static void *work(void *number)
{
	uint64_t me = (uintptr_t)number, x = me + 1;
	uint32_t *table = tables[me];

	for (uint64_t i = 0; i < rounds; i++) {
		uint32_t r = (uint32_t)next_random(&x);

		table[r % 4096] += table[(r >> 12) % 4096] + r;
		at[me] = i;
		if (i % 1000000 == 0)
			see(&seen[me], i, at[!me]);
	}
	results[me] = mix(x, hash_bytes(table, sizeof(tables[0])));
	return NULL;
}

int main(int argc, char **argv)
{
	rounds = sized(argc, argv, 1500000000);
	run_threads(2, work);
	show("same: %lx %lx", (unsigned long)results[0], (unsigned long)results[1]);
	seen_show("thread", 0, &seen[0]);
	seen_show("thread", 1, &seen[1]);
	return done();
}
