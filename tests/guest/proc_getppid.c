/* getppid() over the life of a process: its parent, then a subreaper, all seen by pipes. */
#include "guest_task.h"
#include <sys/prctl.h>

int main(void)
{
	struct gate first = gate_make(), second = gate_make(), reaped = gate_make();
	int fds[2];
	pid_t seen[2];
	pid_t top = getpid();

	need(pipe(fds));
	need(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	pid_t middle = need(fork());
	if (middle == 0) {
		pid_t pid = need(fork());
		if (pid == 0) {
			seen[0] = getppid();
			gate_open(first);
			gate_wait(reaped);
			seen[1] = getppid();
			need(write(fds[1], seen, sizeof(seen)));
			_exit(13);
		}
		gate_wait(first);
		gate_wait(second);
		_exit(14);
	}
	gate_open(second);
	expect_child(middle, 14);
	gate_open(reaped);
	expect_eq_long(read(fds[0], seen, sizeof(seen)), sizeof(seen), "bytes read");
	expect_eq_long(seen[0], middle, "first parent");
	expect_eq_long(seen[1], top, "second parent");
	int status;
	pid_t pid = need(wait(&status));
	show("adopted child %d", pid);
	expect_eq_long(WEXITSTATUS(status), 13, "its status");
	return done();
}
