/* A full binary tree of processes; all of them write one record into a shared pipe. */
#include "guest_task.h"

#define LEVELS 4

struct record {
	pid_t pid;
	pid_t parent;
	int node;
};

static void grow(int node, int level, int wr)
{
	struct record rec = {.pid = getpid(), .parent = getppid(), .node = node};
	need(write(wr, &rec, sizeof(rec)));
	if (level == LEVELS)
		return;
	pid_t pids[2];
	for (int i = 0; i < 2; i++) {
		pids[i] = need(fork());
		if (pids[i] == 0) {
			grow(2 * node + i, level + 1, wr);
			_exit(done());
		}
	}
	for (int i = 0; i < 2; i++) {
		int status;
		need(waitpid(pids[i], &status, 0));
		if (status != 0)
			expect(false, "child %d: status 0x%x", pids[i], (unsigned)status);
	}
}

int main(void)
{
	int fds[2];
	struct record rec;
	unsigned seen = 0;
	int count = 0;

	need(pipe(fds));
	pid_t top = need(fork());
	if (top == 0) {
		grow(1, 0, fds[1]);
		_exit(done());
	}
	close(fds[1]);
	while (need(read(fds[0], &rec, sizeof(rec))) == (long)sizeof(rec)) {
		show("node %d: pid %d, parent %d", rec.node, rec.pid, rec.parent);
		expect((seen & (1u << rec.node)) == 0, "node %d is new", rec.node);
		seen |= 1u << rec.node;
		count++;
	}
	expect_child(top, 0);
	expect_eq_long(count, (1 << (LEVELS + 1)) - 1, "number of processes");
	return done();
}
