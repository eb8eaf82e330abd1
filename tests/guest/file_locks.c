/*
 * Record locks: F_SETLK, F_GETLK, F_SETLKW between two processes, open file description locks,
 * EDEADLK, and flock.
 */
#include "guest.h"
#include <sys/file.h>

static int lock(int fd, int cmd, short type, off_t start, off_t len)
{
	struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
	return fcntl(fd, cmd, &fl);
}

/* The child sees the parent's locks, then waits for one that the parent gives up. */
static void child(const char *path, int ready)
{
	int fd = need(open(path, O_RDWR));
	struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 1};

	expect_errno(lock(fd, F_SETLK, F_WRLCK, 0, 10), EAGAIN);
	need(fcntl(fd, F_GETLK, &fl));
	expect(fl.l_type == F_WRLCK && fl.l_pid == getppid(), "held by pid %d, %ld+%ld", fl.l_pid,
	       (long)fl.l_start, (long)fl.l_len);
	expect_eq_long(lock(fd, F_SETLK, F_RDLCK, 20, 10), 0, "read lock beside it");
	need(write(ready, "r", 1));
	expect_eq_long(lock(fd, F_SETLKW, F_WRLCK, 0, 10), 0, "F_SETLKW after the parent's unlock");
	_exit(done());
}

int main(void)
{
	const char *path = temp_path("locked");
	int fd = need(open(path, O_RDWR | O_CREAT, 0600));
	int pipes[2];
	char c;

	need(pipe(pipes));
	expect_eq_long(lock(fd, F_SETLK, F_WRLCK, 0, 10), 0, "F_SETLK");
	pid_t pid = need(fork());
	if (pid == 0)
		child(path, pipes[1]);
	need(read(pipes[0], &c, 1));
	expect_errno(lock(fd, F_SETLK, F_WRLCK, 20, 1), EAGAIN);
	expect_eq_long(lock(fd, F_SETLK, F_UNLCK, 0, 0), 0, "unlock");
	expect_child(pid, 0);

	int other = need(open(path, O_RDWR));
	expect_eq_long(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 0), 0, "F_OFD_SETLK");
	expect_errno(lock(other, F_OFD_SETLK, F_RDLCK, 3, 1), EAGAIN);
	struct flock fl = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 3, .l_len = 1};
	need(fcntl(other, F_OFD_GETLK, &fl));
	expect(fl.l_type == F_WRLCK && fl.l_pid == -1, "F_OFD_GETLK names no process");
	expect_eq_long(lock(fd, F_OFD_SETLKW, F_UNLCK, 0, 0), 0, "F_OFD_SETLKW unlock");
	expect_errno(lock(fd, F_SETLK, 77, 0, 0), EINVAL);

	expect_eq_long(flock(fd, LOCK_EX), 0, "flock LOCK_EX");
	expect_errno(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
	expect_eq_long(flock(fd, LOCK_SH), 0, "flock downgraded");
	expect_eq_long(flock(other, LOCK_SH | LOCK_NB), 0, "flock shared");
	expect_eq_long(flock(fd, LOCK_UN), 0, "flock LOCK_UN");
	expect_errno(flock(fd, 0), EINVAL);
	return done();
}
