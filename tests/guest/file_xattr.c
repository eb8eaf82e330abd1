/*
 * All twelve extended attribute calls, by path, by link and by descriptor.
 */
#include "guest.h"
#include <sys/xattr.h>

static void show_list(const char *what, const char *list, ssize_t len)
{
	for (const char *p = list; p < list + len; p += strlen(p) + 1)
		show("%s: %s", what, p);
}

int main(void)
{
	const char *path = temp_path("file"), *link = temp_path("link");
	int fd = need(open(path, O_CREAT | O_RDWR, 0600));
	char buf[256];

	need(symlink("file", link));
	if (setxattr(path, "user.one", "first", 5, 0) == -1)
		skip("user attributes in %s: %s", temp_dir(), strerror(errno));
	expect_eq_long(fsetxattr(fd, "user.two", "second", 6, XATTR_CREATE), 0, "fsetxattr");
	expect_errno(setxattr(path, "user.two", "x", 1, XATTR_CREATE), EEXIST);
	expect_errno(setxattr(path, "user.three", "x", 1, XATTR_REPLACE), ENODATA);
	expect_eq_long(lsetxattr(path, "user.three", "", 0, 0), 0, "lsetxattr");

	memset(buf, '#', sizeof(buf));
	expect_eq_long(getxattr(link, "user.one", buf, sizeof(buf)), 5, "getxattr by the link");
	hexdump("user.one", buf, 8);
	expect_eq_long(fgetxattr(fd, "user.two", buf, sizeof(buf)), 6, "fgetxattr");
	expect_eq_long(lgetxattr(path, "user.three", buf, sizeof(buf)), 0, "lgetxattr");
	expect_eq_long(getxattr(path, "user.two", NULL, 0), 6, "size of the value");
	expect_errno(getxattr(path, "user.two", buf, 3), ERANGE);
	expect_errno(getxattr(path, "user.none", buf, 3), ENODATA);
	expect(lgetxattr(link, "user.one", buf, sizeof(buf)) == -1, "none on the link itself");

	ssize_t len = listxattr(path, buf, sizeof(buf));
	expect(len >= 9 + 9 + 11, "listxattr: %zd bytes", len);
	show_list("listxattr", buf, len);
	expect_eq_long(flistxattr(fd, NULL, 0), len, "flistxattr, size");
	expect_eq_long(llistxattr(path, buf, sizeof(buf)), len, "llistxattr");
	expect_errno(listxattr(path, buf, 4), ERANGE);
	expect_eq_long(removexattr(path, "user.one"), 0, "removexattr");
	expect_eq_long(fremovexattr(fd, "user.two"), 0, "fremovexattr");
	expect_eq_long(lremovexattr(path, "user.three"), 0, "lremovexattr");
	expect_errno(removexattr(path, "user.one"), ENODATA);
	expect_errno(setxattr(path, "nonsense", "x", 1, 0), EOPNOTSUPP);
	show_list("what is left", buf, listxattr(path, buf, sizeof(buf)));
	return done();
}
