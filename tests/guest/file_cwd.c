/*
 * getcwd, chdir, fchdir, relative paths, and the working directory removed; chroot for root.
 */
#include "guest.h"

int main(void)
{
	char buf[PATH_MAX], expected[PATH_MAX];
	int old = need(open(".", O_RDONLY | O_DIRECTORY));
	struct stat a, b;

	expect(getcwd(buf, sizeof(buf)) != NULL, "getcwd: %s", buf);
	need(chdir(temp_dir()));
	need(mkdir("one", 0700));
	need(mkdir("one/two", 0700));
	expect_eq_long(chdir("one/two"), 0, "chdir");
	need(syscall(SYS_getcwd, buf, sizeof(buf)));
	show("getcwd: %s", buf);
	snprintf(expected, sizeof(expected), "%s", temp_path("one/two"));
	need(stat(expected, &a));
	need(stat(".", &b));
	expect(a.st_ino == b.st_ino && strstr(buf, "/one/two") != NULL, "the directory entered");
	expect_errno(syscall(SYS_getcwd, buf, 4), ERANGE);
	expect_eq_long(syscall(SYS_getcwd, buf, sizeof(buf)), (long)strlen(buf) + 1,
		       "getcwd returns the length");
	expect_errno(chdir("absent"), ENOENT);
	int file = need(open("file", O_CREAT | O_RDWR, 0600));
	expect_errno(fchdir(file), ENOTDIR);
	expect_errno(chdir("file"), ENOTDIR);
	need(unlink("file"));
	need(rmdir("../two"));
	expect_errno(syscall(SYS_getcwd, buf, sizeof(buf)), ENOENT);
	expect_errno(mkdir("x", 0700), ENOENT);
	need(chdir(temp_dir()));

	if (geteuid() == 0 && chroot("one") == 0) {
		need(chdir("/"));
		expect(getcwd(buf, sizeof(buf)) && strcmp(buf, "/") == 0, "inside chroot: %s", buf);
		expect_errno(open("/etc/passwd", O_RDONLY), ENOENT);
		need(fchdir(old));
		need(syscall(SYS_getcwd, buf, sizeof(buf)));
		expect(buf[0] == '(', "outside of it: %s", buf);
		/* Back to the real root, by the descriptor from before. */
		for (int i = 0; i < 64; i++)
			need(chdir(".."));
		expect_eq_long(chroot("."), 0, "chroot back");
	} else {
		expect(errno == EPERM || geteuid() != 0, "chroot is not allowed");
		expect_errno(chroot("one"), EPERM);
	}
	expect_eq_long(fchdir(old), 0, "fchdir");
	expect(getcwd(buf, sizeof(buf)) != NULL, "getcwd: %s", buf);
	return done();
}
