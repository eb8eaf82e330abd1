/* CLONE_PIDFD: a descriptor that becomes readable when the child ends, and can be waited for. */
#include "guest_task.h"
#include <poll.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

int main(void)
{
	int pidfd = -1;
	struct gate gate = gate_make();

	pid_t pid = need(syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0));
	if (pid == 0) {
		gate_wait(gate);
		_exit(77);
	}
	show("child %d, descriptor %d", pid, pidfd);
	expect(fcntl(pidfd, F_GETFD) == FD_CLOEXEC, "the descriptor is close-on-exec");
	struct pollfd pfd = {.fd = pidfd, .events = POLLIN};
	expect_eq_long(poll(&pfd, 1, 0), 0, "descriptors ready while the child lives");
	gate_open(gate);
	expect_eq_long(poll(&pfd, 1, -1), 1, "descriptors ready after its end");
	expect(pfd.revents & POLLIN, "revents %#x", pfd.revents);

	siginfo_t si = {0};
	need(waitid((idtype_t)P_PIDFD, (id_t)pidfd, &si, WEXITED));
	expect(si.si_pid == pid && si.si_code == CLD_EXITED, "pid %d, code %d", si.si_pid,
	       si.si_code);
	expect_eq_long(si.si_status, 77, "status");
	expect_eq_long(si.si_uid, getuid(), "uid");
	expect_errno(waitid((idtype_t)P_PIDFD, (id_t)pidfd, &si, WEXITED), ECHILD);
	expect_errno(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0), ESRCH);
	return done();
}
