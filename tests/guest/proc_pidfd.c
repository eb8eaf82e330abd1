/* pidfd_open(), pidfd_send_signal() and pidfd_getfd(). */
#include "guest_task.h"
#include <poll.h>
#include <sys/prctl.h>

static siginfo_t seen;

static void on_usr1(int sig, siginfo_t *si, void *uc)
{
	seen = *si;
}

static void child(struct gate ready, struct gate go, int fd)
{
	sigset_t none;

	mask_signal(SIG_BLOCK, SIGUSR1);
	handle(SIGUSR1, on_usr1, 0);
	/* pidfd_getfd needs the right to trace; with Yama only with our consent. */
	prctl(PR_SET_PTRACER, getppid(), 0, 0, 0);
	need(dup2(fd, 100));
	gate_open(ready);
	sigemptyset(&none);
	while (seen.si_signo == 0)
		sigsuspend(&none);
	expect(seen.si_pid == getppid() && seen.si_code == SI_USER, "signal from %d, code %d",
	       seen.si_pid, seen.si_code);
	gate_wait(go);
	_exit(done());
}

int main(void)
{
	struct gate ready = gate_make(), go = gate_make();
	int data[2];

	need(pipe(data));
	pid_t pid = need(fork());
	if (pid == 0)
		child(ready, go, data[0]);
	gate_wait(ready);
	int pidfd = need(syscall(SYS_pidfd_open, pid, 0));
	show("child %d, pidfd %d", pid, pidfd);
	need(syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, NULL, 0));
	expect_errno(syscall(SYS_pidfd_send_signal, pidfd, 100, NULL, 0), EINVAL);

	long fd = syscall(SYS_pidfd_getfd, pidfd, 100, 0);
	if (fd == -1 && (errno == EPERM || errno == ENOSYS)) {
		show("pidfd_getfd: %s", strerror(errno));
	} else {
		char text[8] = "";
		need(fd);
		need(write(data[1], "through", 7));
		expect_eq_long(read((int)fd, text, 7), 7, "bytes through the fetched descriptor");
		expect(strcmp(text, "through") == 0, "text \"%s\"", text);
		expect_errno(syscall(SYS_pidfd_getfd, pidfd, 999, 0), EBADF);
	}
	gate_open(go);
	struct pollfd pfd = {.fd = pidfd, .events = POLLIN};
	expect_eq_long(poll(&pfd, 1, -1), 1, "poll at the child's end");
	expect_child(pid, 0);
	expect_errno(syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, NULL, 0), ESRCH);
	expect_errno(syscall(SYS_pidfd_open, -1, 0), EINVAL);
	expect_errno(syscall(SYS_pidfd_open, pid, 0), ESRCH);
	return done();
}
