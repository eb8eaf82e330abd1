/* Two processes that share memory hand a token to and fro by spinning on it, without system calls; then race on
 * a plain counter. */
#include "torture.h"
#include <sys/mman.h>

struct common {
	volatile uint64_t token;
	uint64_t room[7];
	volatile uint64_t counter;
	struct seen seen[2];
};

static void play(struct common *c, uint64_t me, uint64_t rounds, uint64_t races)
{
	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t waited = 0;

		while (c->token % 2 != me) {
			pause_cpu();
			waited++;
		}
		see(&c->seen[me], i, waited);
		c->token++;
	}
	for (uint64_t i = 0; i < races; i++) {
		uint64_t before = c->counter;

		c->counter = before + 1;
		if (c->counter != before + 1)
			see(&c->seen[me], i, c->counter - before);
	}
}

int main(int argc, char **argv)
{
	uint64_t rounds = sized(argc, argv, 30), races = sized(argc, argv, 30000000);
	struct common *c =
		mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	need((long)c);
	pid_t pid = (pid_t)need(fork());

	if (!pid) {
		play(c, 1, rounds, races);
		_exit(0);
	}
	play(c, 0, rounds, races);
	expect_child(pid, 0);
	show("same: token %lu", (unsigned long)c->token);
	show("counter %lu", (unsigned long)c->counter);
	seen_show("process", 0, &c->seen[0]);
	seen_show("process", 1, &c->seen[1]);
	return done();
}
