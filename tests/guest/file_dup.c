/*
 * dup, dup2, dup3, F_DUPFD, F_DUPFD_CLOEXEC, descriptor and status flags, F_SETOWN_EX,
 * F_SETSIG, pipe size and read/write hints.
 */
#include "guest.h"

int main(void)
{
	int fd = need(open(temp_path("data"), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	int copy = need(dup(fd));

	show("descriptors %d and %d", fd, copy);
	need(lseek(fd, 123, SEEK_SET));
	expect_eq_long(lseek(copy, 0, SEEK_CUR), 123, "the copy shares the offset");
	expect_eq_long(fcntl(fd, F_GETFD), FD_CLOEXEC, "F_GETFD of the first");
	expect_eq_long(fcntl(copy, F_GETFD), 0, "F_GETFD of the copy");
	expect_eq_long(dup2(fd, 50), 50, "dup2");
	expect_eq_long(dup2(50, 50), 50, "dup2 to itself");
	expect_errno(dup3(50, 50, 0), EINVAL);
	expect_eq_long(dup3(fd, 51, O_CLOEXEC), 51, "dup3");
	expect_eq_long(fcntl(51, F_GETFD), FD_CLOEXEC, "F_GETFD after dup3");
	expect_errno(dup2(fd, -1), EBADF);
	expect_errno(dup(1000), EBADF);
	expect_eq_long(fcntl(fd, F_DUPFD, 50), 52, "F_DUPFD from 50");
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 60);
	expect_eq_long(high, 60, "F_DUPFD_CLOEXEC from 60");
	expect_eq_long(fcntl(high, F_SETFD, 0), 0, "F_SETFD");
	expect_eq_long(fcntl(high, F_GETFD), 0, "F_GETFD");

	int flags = fcntl(fd, F_GETFL);
	show("F_GETFL 0x%x", flags);
	expect_eq_long(fcntl(fd, F_SETFL, flags | O_NONBLOCK | O_APPEND), 0, "F_SETFL");
	expect_eq_long(fcntl(copy, F_GETFL) & (O_NONBLOCK | O_APPEND), O_NONBLOCK | O_APPEND,
		       "flags seen through the copy");

	int pipes[2];
	need(pipe2(pipes, O_NONBLOCK));
	long size = fcntl(pipes[0], F_GETPIPE_SZ);
	expect(size >= 4096, "pipe size %ld", size);
	long smaller = fcntl(pipes[0], F_SETPIPE_SZ, 4096);
	expect_eq_long(smaller, sysconf(_SC_PAGESIZE), "F_SETPIPE_SZ");
	struct f_owner_ex owner = {F_OWNER_PID, getpid()}, seen = {0};
	expect_eq_long(fcntl(pipes[0], F_SETOWN_EX, &owner), 0, "F_SETOWN_EX");
	expect_eq_long(fcntl(pipes[0], F_GETOWN_EX, &seen), 0, "F_GETOWN_EX");
	expect(seen.type == F_OWNER_PID && seen.pid == getpid(), "owner is pid %d", seen.pid);
	expect_eq_long(fcntl(pipes[0], F_GETOWN), getpid(), "F_GETOWN");
	expect_eq_long(fcntl(pipes[0], F_SETSIG, SIGUSR1), 0, "F_SETSIG");
	expect_eq_long(fcntl(pipes[0], F_GETSIG), SIGUSR1, "F_GETSIG");

	uint64_t hint = RWH_WRITE_LIFE_SHORT, got = 99;
	if (fcntl(fd, F_SET_RW_HINT, &hint) == 0 && fcntl(fd, F_GET_RW_HINT, &got) == 0)
		expect_eq_long(got, hint, "read/write hint");
	else
		show("read/write hints: %s", strerror(errno));
	expect_errno(fcntl(fd, 9999, 0), EINVAL);
	expect_errno(fcntl(fd, F_GETPIPE_SZ), EBADF);
	return done();
}
