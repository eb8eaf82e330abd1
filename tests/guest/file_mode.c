/*
 * umask, chmod, fchmod, fchmodat, chown family, access, faccessat, faccessat2.
 */
#include "guest.h"

static int mode_of(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
}

static void test_owner(const char *path)
{
	struct stat st;

	expect_eq_long(chown(path, -1, -1), 0, "chown to nothing");
	expect_eq_long(lchown(path, geteuid(), -1), 0, "lchown to myself");
	if (geteuid() != 0) {
		expect_errno(chown(path, 0, 0), EPERM);
		return;
	}
	if (chown(path, 12345, 54321) == -1)
		skip("chown as root: %s", strerror(errno));
	need(stat(path, &st));
	expect(st.st_uid == 12345 && st.st_gid == 54321, "owned by %u:%u", st.st_uid, st.st_gid);
	expect_eq_long(mode_of(path) & S_ISUID, 0, "set-uid bit cleared by chown");
	expect_eq_long(fchownat(AT_FDCWD, path, 0, 0, AT_SYMLINK_NOFOLLOW), 0, "fchownat");
}

int main(void)
{
	const char *path = temp_path("file");
	int old = umask(027);

	show("umask was %o", old);
	expect_eq_long(umask(027), 027, "umask");
	int fd = need(open(path, O_CREAT | O_RDWR, 0777));
	expect_eq_long(mode_of(path), 0750, "mode after umask");
	expect_eq_long(chmod(path, 04711), 0, "chmod");
	expect_eq_long(mode_of(path), 04711, "mode");
	test_owner(path);
	expect_eq_long(fchmod(fd, 0600), 0, "fchmod");
	expect_eq_long(fchmodat(AT_FDCWD, path, 0644, 0), 0, "fchmodat");
	expect_eq_long(mode_of(path), 0644, "mode");
	need(mkdir(temp_path("dir"), 01777));
	expect_eq_long(mode_of(temp_path("dir")), 01750, "mode of a directory");

	expect_eq_long(access(path, R_OK | W_OK), 0, "access");
	expect_errno(access(path, X_OK), EACCES);
	expect_errno(access(path, 99), EINVAL);
	expect_errno(access(temp_path("absent"), F_OK), ENOENT);
	expect_errno(access(temp_path("file/x"), F_OK), ENOTDIR);
	expect_eq_long(syscall(SYS_faccessat, AT_FDCWD, path, F_OK), 0, "faccessat");
	long r = syscall(SYS_faccessat2, AT_FDCWD, path, R_OK, AT_EACCESS);
	expect(r == 0 || errno == ENOSYS || errno == EPERM, "faccessat2: %ld", r);
	need(chmod(path, 0));
	r = access(path, R_OK);
	show("access to a file of mode 0: %ld (%s)", r, r ? strerror(errno) : "allowed");
	expect(geteuid() == 0 || (r == -1 && errno == EACCES), "only root may");
	expect_errno(chmod(temp_path("absent"), 0600), ENOENT);
	expect_errno(fchmod(-1, 0600), EBADF);
	char longname[NAME_MAX + 2];
	memset(longname, 'n', sizeof(longname));
	longname[sizeof(longname) - 1] = 0;
	expect_errno(mkdir(temp_path(longname), 0700), ENAMETOOLONG);
	return done();
}
