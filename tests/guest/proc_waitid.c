/* waitid() with each kind of id, WNOWAIT, and all fields of its siginfo. */
#include "guest_task.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static struct gate gate;

static pid_t spawn(int status, bool own_group)
{
	pid_t pid = need(fork());
	if (pid == 0) {
		gate_wait(gate);
		_exit(status);
	}
	if (own_group)
		need(setpgid(pid, pid));
	return pid;
}

static void print(const char *what, const siginfo_t *si)
{
	show("%s: signo %d code %d pid %d uid %d status %d", what, si->si_signo, si->si_code,
	     si->si_pid, (int)si->si_uid, si->si_status);
}

int main(void)
{
	siginfo_t si;

	gate = gate_make();
	pid_t a = spawn(1, false), b = spawn(2, true), c = spawn(3, false);

	memset(&si, 0xff, sizeof(si));
	need(waitid(P_ALL, 0, &si, WEXITED | WNOHANG));
	expect(si.si_pid == 0 && si.si_signo == 0, "nothing yet");

	need(kill(a, SIGSTOP));
	need(waitid(P_PID, (id_t)a, &si, WSTOPPED));
	print("stopped", &si);
	expect(si.si_code == CLD_STOPPED && si.si_status == SIGSTOP, "stopped by SIGSTOP");
	need(kill(a, SIGCONT));
	need(waitid(P_PID, (id_t)a, &si, WCONTINUED));
	print("continued", &si);
	expect(si.si_code == CLD_CONTINUED && si.si_status == SIGCONT, "continued");

	need(kill(b, SIGTERM));
	for (int i = 0; i < 2; i++) {
		need(waitid(P_PGID, (id_t)b, &si, WEXITED | (i == 0 ? WNOWAIT : 0)));
		print("killed", &si);
		expect(si.si_pid == b && si.si_code == CLD_KILLED, "child %d was killed", b);
		expect_eq_long(si.si_status, SIGTERM, "signal");
		expect_eq_long(si.si_signo, SIGCHLD, "signo");
		expect_eq_long(si.si_uid, getuid(), "uid");
	}
	expect_errno(waitid(P_PGID, (id_t)b, &si, WEXITED), ECHILD);

	int pidfd = need(syscall(SYS_pidfd_open, c, 0));
	need(kill(c, SIGKILL));
	need(waitid((idtype_t)P_PIDFD, (id_t)pidfd, &si, WEXITED));
	print("killed", &si);
	expect(si.si_pid == c && si.si_status == SIGKILL, "child %d by SIGKILL", c);

	gate_open(gate);
	need(waitid(P_ALL, 0, &si, WEXITED));
	print("exited", &si);
	expect(si.si_pid == a && si.si_code == CLD_EXITED && si.si_status == 1, "child %d", a);
	expect_errno(waitid(P_ALL, 0, &si, WEXITED), ECHILD);
	expect_errno(waitid(P_ALL, 0, &si, 0), EINVAL);
	return done();
}
