/*
 * Readiness by signal: O_ASYNC on a pipe and a socket with F_SETSIG, taken with sigwaitinfo.
 */
#include "guest.h"
#include <sys/ioctl.h>
#include <sys/socket.h>

static void watch(int fd)
{
	need(fcntl(fd, F_SETOWN, getpid()));
	need(fcntl(fd, F_SETSIG, SIGRTMIN + 1));
	need(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_ASYNC | O_NONBLOCK));
}

int main(void)
{
	int p[2], s[2], on = 0;
	siginfo_t info;
	sigset_t set;
	char c;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	sigaddset(&set, SIGIO);
	need(sigprocmask(SIG_BLOCK, &set, NULL));
	need(pipe(p));
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	watch(p[0]);
	watch(s[0]);

	need(write(p[1], "a", 1));
	expect_eq_long(sigwaitinfo(&set, &info) - SIGRTMIN, 1, "signal - SIGRTMIN");
	expect(info.si_fd == p[0] && info.si_code == POLL_IN, "from descriptor %d, band 0x%lx",
	       info.si_fd, (long)info.si_band);
	need(read(p[0], &c, 1));
	pid_t pid = need(fork());
	if (pid == 0) {
		need(write(s[1], "b", 1));
		_exit(0);
	}
	expect_eq_long(sigwaitinfo(&set, &info) - SIGRTMIN, 1, "signal - SIGRTMIN");
	expect(info.si_fd == s[0], "from descriptor %d, code %d, band 0x%lx", info.si_fd,
	       info.si_code, (long)info.si_band);
	expect_child(pid, 0);
	expect_eq_long(read(s[0], &c, 1), 1, "read");
	need(ioctl(p[0], FIOASYNC, &on));
	struct timespec zero = {0, 0};
	while (sigtimedwait(&set, &info, &zero) > 0)
		show("a further signal from descriptor %d, code %d", info.si_fd, info.si_code);
	need(write(p[1], "c", 1));
	expect_errno(sigtimedwait(&set, &info, &zero), EAGAIN);
	return done();
}
