/* Forks while a 1 ms timer runs and the parent computes: children compute with a timer of their own, at the
 * same time, in the same code; grandchildren too; memory is copied on write in all of them. */
#include "torture.h"

static uint64_t table[1024];

static void compute(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		table[i % 1024] = mix(table[i * 7 % 1024], i);
		progress = i;
	}
}

static void child(uint64_t number, uint64_t n)
{
	tick_count = 0;
	tick_start(1000 + 100 * (long)number);
	compute(n);
	if (number % 3 == 0) {
		pid_t pid = (pid_t)need(fork());

		if (!pid) {
			tick_count = 0;
			compute(n / 2);
			show("same: grandchild %lu: %lx", (unsigned long)number,
			     (unsigned long)hash_bytes(table, sizeof(table)));
			_exit(done());
		}
		compute(n / 2);
		expect_child(pid, 0);
	}
	tick_stop();
	show("same: child %lu: %lx", (unsigned long)number,
	     (unsigned long)hash_bytes(table, sizeof(table)));
	tick_show();
	_exit(done());
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 20000000);
	pid_t pids[6];

	watched = table;
	watched_length = 512;
	tick_start(1000);
	for (uint64_t i = 0; i < 6; i++) {
		compute(n);
		pids[i] = (pid_t)need(fork());
		if (!pids[i])
			child(i, n);
	}
	compute(n);
	for (int i = 0; i < 6; i++) {
		int status = 0;

		while (waitpid(pids[i], &status, 0) == -1 && errno == EINTR)
			;
		if (status)
			expect(false, "child %d ended with %x", i, (unsigned)status);
	}
	tick_stop();
	show("same: parent: %lx", (unsigned long)hash_bytes(table, sizeof(table)));
	tick_show();
	return done();
}
