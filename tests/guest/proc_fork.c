/* fork(): what parent and child share and what they do not. */
#include "guest_task.h"

static int global = 1;

int main(void)
{
	int local = 10;
	struct gate gate = gate_make();
	pid_t parent = getpid();

	show("parent %d of %d", parent, getppid());
	pid_t pid = need(fork());
	if (pid == 0) {
		expect(getppid() == parent, "child %d sees its parent %d", getpid(), getppid());
		global++;
		local++;
		expect(global == 2 && local == 11, "the child's copies changed");
		/* The file offset and the pipe are shared. */
		gate_open(gate);
		_exit(done() + 40);
	}
	expect(gate_wait(gate), "child passed the gate");
	expect_child(pid, 40);
	expect(global == 1 && local == 10, "the parent's copies did not change");
	expect_errno(kill(pid, 0), ESRCH);
	return done();
}
