/*
 * link, symlink, readlink, rename, renameat2, mkdir, rmdir, unlink, unlinkat and their errors.
 */
#include "guest.h"

static void touch(int dir, const char *name)
{
	int fd = need(openat(dir, name, O_CREAT | O_WRONLY | O_TRUNC, 0600));
	need(write(fd, name, strlen(name)));
	close(fd);
}

int main(void)
{
	int dir = need(open(temp_dir(), O_RDONLY | O_DIRECTORY));
	char buf[64];
	struct stat st;

	memset(buf, '#', sizeof(buf));
	touch(dir, "a");
	expect_eq_long(linkat(dir, "a", dir, "b", 0), 0, "linkat");
	expect_eq_long((fstatat(dir, "b", &st, 0), st.st_nlink), 2, "links");
	expect_errno(linkat(dir, "a", dir, "b", 0), EEXIST);
	expect_eq_long(symlinkat("some/target", dir, "s"), 0, "symlinkat");
	expect_eq_long(readlinkat(dir, "s", buf, sizeof(buf)), 11, "readlinkat");
	expect(memcmp(buf, "some/target####", 15) == 0, "the target, without a terminator");
	expect_eq_long(readlinkat(dir, "s", buf, 4), 4, "cut readlinkat");
	expect_eq_long(readlink(temp_path("s"), buf, sizeof(buf)), 11, "readlink");
	expect_errno(readlinkat(dir, "a", buf, sizeof(buf)), EINVAL);
	expect_errno(readlinkat(dir, "s", buf, 0), EINVAL);

	expect_eq_long(renameat(dir, "a", dir, "c"), 0, "renameat");
	expect_errno(renameat(dir, "a", dir, "c"), ENOENT);
	touch(dir, "d");
	long r = syscall(SYS_renameat2, dir, "c", dir, "d", RENAME_NOREPLACE);
	expect(r == -1 && (errno == EEXIST || errno == EINVAL), "RENAME_NOREPLACE onto a file");
	r = syscall(SYS_renameat2, dir, "c", dir, "d", RENAME_EXCHANGE);
	if (r == 0)
		expect_eq_long((fstatat(dir, "d", &st, 0), st.st_nlink), 2, "links, exchanged");
	else
		expect(errno == EINVAL, "RENAME_EXCHANGE may be missing");
	expect_errno(syscall(SYS_renameat2, dir, "c", dir, "d", 3), EINVAL);

	expect_eq_long(mkdirat(dir, "sub", 0755), 0, "mkdirat");
	expect_errno(mkdirat(dir, "sub", 0755), EEXIST);
	touch(dir, "sub/x");
	expect_errno(unlinkat(dir, "sub", AT_REMOVEDIR), ENOTEMPTY);
	expect_errno(unlinkat(dir, "sub", 0), EISDIR);
	expect_errno(renameat(dir, "c", dir, "sub"), EISDIR);
	expect_errno(rename(temp_path("sub"), temp_path("sub/y")), EINVAL);
	expect_eq_long(rename(temp_path("c"), temp_path("sub/x")), 0, "rename over a file");
	expect_eq_long(unlinkat(dir, "sub/x", 0), 0, "unlinkat");
	expect_eq_long(rmdir(temp_path("sub")), 0, "rmdir");
	expect_errno(rmdir(temp_path("b")), ENOTDIR);
	expect_errno(rmdir("/"), EBUSY);

	int fd = need(openat(dir, "b", O_RDONLY));
	expect_eq_long(unlink(temp_path("b")), 0, "unlink of an open file");
	expect_eq_long(read(fd, buf, sizeof(buf)), 1, "which can still be read");
	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", fd);
	char target[256] = "";
	need(readlink(buf, target, sizeof(target) - 1));
	expect(strstr(target, "/b (deleted)") != NULL, "%s", target);
	return done();
}
