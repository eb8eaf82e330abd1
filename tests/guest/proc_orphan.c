/* A process whose parent ends gets another parent, and getppid() says so. */
#include "guest_task.h"

int main(void)
{
	struct gate go = gate_make();
	int fds[2];

	need(pipe(fds));
	pid_t middle = need(fork());
	if (middle == 0) {
		pid_t self = getpid();
		pid_t orphan = need(fork());
		if (orphan == 0) {
			pid_t before = getppid();
			close(go.wr);
			/* Opened only after the middle process has been reaped. */
			gate_wait(go);
			pid_t pids[3] = {getpid(), before, getppid()};
			need(write(fds[1], pids, sizeof(pids)));
			_exit(before == self ? 0 : 1);
		}
		_exit(0);
	}
	expect_child(middle, 0);
	expect_errno(wait(NULL), ECHILD);
	gate_open(go);
	close(fds[1]);
	pid_t pids[3];
	expect_eq_long(read(fds[0], pids, sizeof(pids)), sizeof(pids), "bytes from the orphan");
	show("orphan %d: parent was %d, is %d", pids[0], pids[1], pids[2]);
	/* It may have looked first when its parent was gone already. */
	expect(pids[2] != middle, "the parent is not the dead process");
	char byte;
	expect_eq_long(read(fds[0], &byte, 1), 0, "end of the pipe when the orphan is gone");
	return done();
}
