/* A chain of eight generations: each process forks one child and adds its depth to the result. */
#include "guest_task.h"

#define DEPTH 8

static int generation(int depth)
{
	show("generation %d: pid %d, parent %d", depth, getpid(), getppid());
	if (depth == DEPTH)
		return depth;
	pid_t pid = need(fork());
	if (pid == 0)
		_exit(generation(depth + 1));
	int status = wait_status(pid, 0);
	expect(WIFEXITED(status), "generation %d exited", depth + 1);
	return WEXITSTATUS(status) + depth;
}

int main(void)
{
	int sum = generation(0);
	expect_eq_long(sum, DEPTH * (DEPTH + 1) / 2, "sum of all depths");
	return done();
}
