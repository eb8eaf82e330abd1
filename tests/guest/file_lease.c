/*
 * A lease that is broken by another process's open: SIGIO with a siginfo of its own kind.
 */
#include "guest.h"

int main(void)
{
	const char *path = temp_path("leased");
	int fd = need(open(path, O_RDWR | O_CREAT, 0600));
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, NULL);
	expect_eq_long(fcntl(fd, F_GETLEASE), F_UNLCK, "no lease");
	if (fcntl(fd, F_SETLEASE, F_WRLCK) == -1)
		skip("leases: %s", strerror(errno));
	expect_eq_long(fcntl(fd, F_SETSIG, SIGRTMIN + 3), 0, "F_SETSIG");
	expect_eq_long(fcntl(fd, F_GETLEASE), F_WRLCK, "write lease");

	pid_t pid = need(fork());
	if (pid == 0) {
		/* The inherited descriptor would keep the lease's file open for writing. */
		close(fd);
		expect_errno(open(path, O_RDONLY | O_NONBLOCK), EWOULDBLOCK);
		int again = open(path, O_RDONLY);
		expect(again >= 0, "open returns when the lease is given up");
		_exit(done());
	}
	expect_eq_long(sigwaitinfo(&set, &info), SIGRTMIN + 3, "signal");
	expect(info.si_code == POLL_MSG, "si_code %d, si_fd %d, si_band 0x%lx", info.si_code,
	       info.si_fd, (long)info.si_band);
	expect_eq_long(fcntl(fd, F_GETLEASE), F_RDLCK, "the lease being broken to");
	expect_eq_long(fcntl(fd, F_SETLEASE, F_UNLCK), 0, "given up");
	expect_child(pid, 0);
	return done();
}
