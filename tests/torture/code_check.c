/* A program that checks its own code under 1 ms timer signals: each round hashes all of its text while the
 * loops in it are hot. Any change of its bytes, however short, that it can see is a failure.
 * torture: record --no-sites */
#include "torture.h"

extern const uint8_t __executable_start[], etext[];

static __attribute__((noinline)) uint64_t work(uint64_t n, uint64_t x)
{
	for (uint64_t i = 0; i < n; i++)
		x = x * 6364136223846793005 + (i ^ x >> 33);
	return x;
}

static uint64_t hash_words(const uint8_t *from, const uint8_t *to)
{
	uint64_t hash = 0, word;

	for (; from + 8 <= to; from += 8) {
		memcpy(&word, from, 8);
		hash = hash * 31 + word;
	}
	return hash;
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 300), first = hash_words(__executable_start, etext), x = 1,
		 changed = 0;

	tick_start(1000);
	for (uint64_t i = 0; i < n; i++) {
		progress = i;
		x = work(1000000, x);
		changed += hash_words(__executable_start, etext) != first;
	}
	tick_stop();
	show("same: work %lx", (unsigned long)x);
	expect(changed == 0, "the text never changed (%lu of %lu rounds)", (unsigned long)changed,
	       (unsigned long)n);
	tick_show();
	return done();
}
