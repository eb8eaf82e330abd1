/* setsid(), setpgid(), getpgid(), getsid(): who may do what, from parent and child. */
#include "guest_task.h"

int main(void)
{
	struct gate ready = gate_make(), go = gate_make();

	show("pid %d group %d session %d", getpid(), getpgrp(), getsid(0));
	pid_t pid = need(fork());
	if (pid == 0) {
		pid_t self = getpid();
		expect(getpgrp() != self, "born in its parent's group %d", getpgrp());
		need(setsid());
		expect(getsid(0) == self && getpgrp() == self, "session and group %d", self);
		expect_errno(setsid(), EPERM);
		expect_errno(setpgid(0, 0), EPERM);
		expect_errno(open("/dev/tty", O_RDWR), ENXIO);
		gate_open(ready);
		gate_wait(go);
		_exit(done());
	}
	gate_wait(ready);
	expect_eq_long(getsid(pid), pid, "session of the child");
	expect_eq_long(getpgid(pid), pid, "group of the child");
	expect_errno(setpgid(pid, getpgrp()), EPERM);
	gate_open(go);
	expect_child(pid, 0);

	pid_t a = need(fork());
	if (a == 0) {
		gate_wait(go);
		_exit(0);
	}
	need(setpgid(a, a));
	pid_t b = need(fork());
	if (b == 0) {
		gate_wait(go);
		_exit(getpgrp() == a ? 0 : 1);
	}
	need(setpgid(b, a));
	expect_eq_long(getpgid(b), a, "two children in one group");
	expect_errno(setpgid(a, -1), EINVAL);
	expect_errno(setpgid(getppid(), 0), ESRCH);
	expect_errno(getpgid(-5), ESRCH);
	gate_open(go);
	gate_open(go);
	int status;
	for (int i = 0; i < 2; i++) {
		pid_t got = need(waitpid(-a, &status, 0));
		expect_eq_long(status, 0, got == a ? "status of a" : "status of b");
	}
	return done();
}
