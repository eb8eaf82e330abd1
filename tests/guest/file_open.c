/*
 * open, openat, creat and openat2 with their flags and errors.
 */
#include "guest.h"
#include <linux/openat2.h>

static void test_openat2(int dir)
{
	struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_BENEATH};
	int fd = syscall(SYS_openat2, dir, "plain", &how, sizeof(how));

	if (fd == -1 && (errno == ENOSYS || errno == EPERM)) {
		show("openat2 is not available: %s", strerror(errno));
		return;
	}
	expect(fd >= 0, "openat2 inside the directory: %d", fd);
	close(fd);
	expect_errno(syscall(SYS_openat2, dir, "../x", &how, sizeof(how)), EXDEV);
	how.resolve = RESOLVE_NO_SYMLINKS;
	expect_errno(syscall(SYS_openat2, dir, "link", &how, sizeof(how)), ELOOP);
	expect_errno(syscall(SYS_openat2, dir, "plain", &how, 4), EINVAL);
	how.flags = 1UL << 62;
	expect_errno(syscall(SYS_openat2, dir, "plain", &how, sizeof(how)), EINVAL);
}

int main(void)
{
	const char *path = temp_path("plain");
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0640);
	struct stat st;

	expect(fd >= 0, "O_CREAT|O_EXCL gives descriptor %d", fd);
	expect_eq_long(write(fd, "hello", 5), 5, "written");
	expect_errno(read(fd, &st, 1), EBADF);
	close(fd);
	expect_errno(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600), EEXIST);
	expect_errno(open(temp_path("absent"), O_RDONLY), ENOENT);
	expect_errno(open(path, O_RDONLY | O_DIRECTORY), ENOTDIR);
	expect_errno(open(temp_dir(), O_WRONLY), EISDIR);
	expect_errno(openat(-5, "x", O_RDONLY), EBADF);
	expect_errno(syscall(SYS_open, (char *)1, O_RDONLY), EFAULT);

	int dir = need(open(temp_dir(), O_PATH | O_DIRECTORY));
	expect_errno(fchmod(dir, 0700), EBADF);
	expect_eq_long(symlinkat("plain", dir, "link"), 0, "symlinkat");
	expect_errno(openat(dir, "link", O_RDONLY | O_NOFOLLOW), ELOOP);
	fd = need(openat(dir, "link", O_RDWR));
	show("openat: descriptor %d, inode %lu", fd, (fstat(fd, &st), (unsigned long)st.st_ino));
	expect_eq_long(st.st_size, 5, "size");
	expect_eq_long(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR, "access mode");
	close(fd);

	fd = need(creat(path, 0600));
	expect_eq_long((fstat(fd, &st), st.st_size), 0, "size after creat");
	close(fd);
	fd = open(temp_dir(), O_TMPFILE | O_RDWR, 0600);
	if (fd >= 0) {
		expect_eq_long((fstat(fd, &st), st.st_nlink), 0, "links of an O_TMPFILE");
		char self[64];
		snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
		expect_eq_long(linkat(AT_FDCWD, self, dir, "named", AT_SYMLINK_FOLLOW), 0,
			       "linkat of it");
		expect_eq_long((fstat(fd, &st), st.st_nlink), 1, "links then");
		close(fd);
	} else {
		expect(errno == EOPNOTSUPP, "O_TMPFILE is not supported by this file system");
	}
	test_openat2(dir);
	return done();
}
