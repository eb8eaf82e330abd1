/* Two threads hand a token to and fro by spinning on it: with pause, without, and through three
 * threads. No system calls: each hand-over needs a preemption. */
#include "torture.h"

static volatile uint64_t token;
static uint64_t rounds, players;
static struct seen seen[3];

static void *play(void *number)
{
	uint64_t me = (uintptr_t)number;

	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t waited = 0;

		while (token % players != me) {
			if (players == 2)
				pause_cpu();
			waited++;
		}
		see(&seen[me], i, waited);
		token++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	rounds = sized(argc, argv, 20);
	for (players = 2; players <= 3; players++) {
		token = 0;
		run_threads((unsigned)players, play);
		show("same: %lu players, token %lu", (unsigned long)players, (unsigned long)token);
	}
	for (unsigned i = 0; i < 3; i++)
		seen_show("player", i, &seen[i]);
	return done();
}
