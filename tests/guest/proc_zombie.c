/* A child that has ended and is not waited for yet: in /proc, to kill() and to getpgid(). */
#include "guest_task.h"

int main(void)
{
	siginfo_t si = {0};
	char path[64], link[64];

	pid_t pid = need(fork());
	if (pid == 0)
		_exit(88);
	need(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT));
	expect(si.si_pid == pid && si.si_status == 88, "child %d ended", pid);
	expect_eq_long(proc_state(pid), 'Z', "state");
	expect_eq_long(kill(pid, 0), 0, "kill(pid, 0)");
	expect_eq_long(kill(pid, SIGKILL), 0, "kill(pid, SIGKILL)");
	expect_eq_long(getpgid(pid), getpgrp(), "process group");
	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	errno = 0;
	ssize_t n = readlink(path, link, sizeof(link));
	expect(n == -1 && (errno == ENOENT || errno == EACCES), "no executable");
	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	int fd = open(path, O_RDONLY);
	if (fd >= 0) {
		/* A zombie has no memory: no lines, or ESRCH from some kernels. */
		n = read(fd, link, sizeof(link));
		expect(n <= 0, "maps: %zd", n);
		close(fd);
	}
	/* The kill above came too late to change how it ended. */
	expect_child(pid, 88);
	expect_errno(kill(pid, 0), ESRCH);
	expect_errno(getpgid(pid), ESRCH);
	return done();
}
