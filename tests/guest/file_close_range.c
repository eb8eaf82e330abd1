/*
 * close, close_range with its flags, and a descriptor table of 400 descriptors seen in /proc.
 */
#include "guest.h"
#include <dirent.h>
#include <linux/close_range.h>

static int count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(d) != NULL)
		count++;
	closedir(d);
	return count - 3; /* not ".", "..", nor the directory itself */
}

int main(void)
{
	/* What this process may have inherited would be in the way. */
	for (int i = 3; i < 600; i++)
		close(i);
	int before = count_fds();
	int fd = need(open("/dev/null", O_RDWR));
	int base = 100;

	for (int i = 0; i < 400; i++)
		if (dup2(fd, base + i) == -1)
			skip("400 descriptors: %s", strerror(errno));
	show("%d descriptors at the start", before);
	expect_eq_long(count_fds(), before + 401, "descriptors");
	expect_eq_long(close(base), 0, "close");
	expect_errno(close(base), EBADF);
	expect_errno(close(-1), EBADF);
	if (syscall(SYS_close_range, base, base + 199, 0) == -1) {
		expect(errno == ENOSYS || errno == EPERM, "close_range may be missing");
		return done();
	}
	expect_eq_long(count_fds(), before + 201, "descriptors after close_range");
	if (syscall(SYS_close_range, base + 200, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
		expect_eq_long(fcntl(base + 300, F_GETFD), FD_CLOEXEC, "F_GETFD");
	else
		expect(errno == EINVAL, "CLOSE_RANGE_CLOEXEC may be missing (before 5.11)");
	pid_t pid = need(fork());
	if (pid == 0) {
		need(syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_UNSHARE));
		expect_errno(fcntl(fd, F_GETFD), EBADF);
		_exit(done());
	}
	expect_child(pid, 0);
	expect_eq_long(fcntl(base + 399, F_GETFD) >= 0, 1, "the parent's are still open");
	expect_errno(syscall(SYS_close_range, 10, 5, 0), EINVAL);
	return done();
}
