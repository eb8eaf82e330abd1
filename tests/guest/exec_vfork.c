/* execve() in a vfork child: the parent goes on at the exec, or at the exit after a failed one. */
#include "guest_task.h"

static volatile int failed_errno;

int main(int argc, char **argv)
{
	if (argc > 1) {
		struct gate gate = {.rd = atoi(argv[1]), .wr = -1};
		show("new image %d of %d", getpid(), getppid());
		/* If the parent were still held, nobody could open this gate. */
		_exit(gate_wait(gate) ? 23 : 1);
	}
	struct gate gate = gate_make();
	char number[16];
	need(fcntl(gate.rd, F_SETFD, 0));
	snprintf(number, sizeof(number), "%d", gate.rd);
	for (int i = 0; i < 3; i++) {
		pid_t pid = vfork();
		if (pid == 0) {
			execl("/proc/self/exe", "exec_vfork", number, NULL);
			_exit(1);
		}
		need(pid);
		gate_open(gate);
		expect_child(pid, 23);
	}
	pid_t pid = vfork();
	if (pid == 0) {
		execl("/nonexistent", "x", NULL);
		failed_errno = errno;
		_exit(24);
	}
	need(pid);
	expect_eq_long(failed_errno, ENOENT, "errno of the failed exec");
	expect_child(pid, 24);
	return done();
}
