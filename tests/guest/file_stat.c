/*
 * stat, lstat, fstat, newfstatat, statx, statfs, fstatfs, ustat-like values of several kinds of file.
 */
#include "guest.h"
#include <sys/sysmacros.h>
#include <sys/vfs.h>

static void show_stat(const char *what, const struct stat *st)
{
	show("%s: dev %u:%u ino %lu mode %o links %lu uid %u gid %u rdev %lx size %ld blksize %ld "
	     "blocks %ld atime %ld.%09ld mtime %ld.%09ld ctime %ld.%09ld",
	     what, major(st->st_dev), minor(st->st_dev), (long)st->st_ino, st->st_mode,
	     (long)st->st_nlink, st->st_uid, st->st_gid, (long)st->st_rdev, (long)st->st_size,
	     (long)st->st_blksize, (long)st->st_blocks, st->st_atim.tv_sec, st->st_atim.tv_nsec,
	     st->st_mtim.tv_sec, st->st_mtim.tv_nsec, st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

static void test_statx(const char *path, const struct stat *st)
{
	struct statx stx;

	memset(&stx, 0xcc, sizeof(stx));
	if (statx(AT_FDCWD, path, 0, STATX_ALL, &stx) == -1) {
		expect(errno == ENOSYS, "statx may be missing");
		return;
	}
	show("statx: mask 0x%x attributes 0x%lx btime %ld.%09u", stx.stx_mask,
	     (long)stx.stx_attributes, (long)stx.stx_btime.tv_sec, stx.stx_btime.tv_nsec);
	expect(stx.stx_ino == st->st_ino && stx.stx_size == (uint64_t)st->st_size &&
		       stx.stx_mode == st->st_mode,
	       "statx agrees with stat");
	expect_eq_long(statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_SIZE, &stx), 0, "statx");
	expect_errno(statx(AT_FDCWD, path, 0, 0x80000000, &stx), EINVAL);
	expect_errno(statx(AT_FDCWD, "", 0, STATX_ALL, &stx), ENOENT);
}

int main(void)
{
	const char *path = temp_path("file");
	struct stat st, other;
	struct statfs fs;
	int fd = need(open(path, O_RDWR | O_CREAT, 0640));

	need(write(fd, "0123456789", 10));
	need(symlink("file", temp_path("link")));
	expect_eq_long(fstat(fd, &st), 0, "fstat");
	show_stat("file", &st);
	expect(S_ISREG(st.st_mode) && st.st_size == 10, "a regular file of 10 bytes");
	expect_eq_long(stat(temp_path("link"), &other), 0, "stat through the link");
	expect(other.st_ino == st.st_ino, "the same inode");
	expect_eq_long(lstat(temp_path("link"), &other), 0, "lstat");
	expect(S_ISLNK(other.st_mode) && other.st_size == 4, "a link of 4 bytes");
	expect_eq_long(fstatat(fd, "", &other, AT_EMPTY_PATH), 0, "fstatat AT_EMPTY_PATH");
	expect_eq_long(memcmp(&st, &other, sizeof(st)), 0, "same structure");
	expect_eq_long(syscall(SYS_stat, path, &other), 0, "old stat call");
	expect_eq_long(other.st_ino, st.st_ino, "inode");
	expect_errno(stat(temp_path("absent"), &st), ENOENT);
	expect_errno(fstat(-1, &st), EBADF);
	expect_errno(syscall(SYS_stat, path, (void *)8), EFAULT);
	test_statx(path, &other);

	need(stat("/dev/null", &st));
	show_stat("/dev/null", &st);
	expect(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3), "a character device 1:3");
	need(stat("/proc/self", &st));
	show_stat("/proc/self", &st);
	need(fstat(1, &st));
	show_stat("standard output", &st);
	expect_eq_long(statfs(temp_dir(), &fs), 0, "statfs");
	show("type %lx bsize %ld blocks %lu free %lu avail %lu files %lu ffree %lu namelen %ld",
	     (long)fs.f_type, (long)fs.f_bsize, fs.f_blocks, fs.f_bfree, fs.f_bavail, fs.f_files,
	     fs.f_ffree, (long)fs.f_namelen);
	expect_eq_long(fstatfs(fd, &fs), 0, "fstatfs");
	expect_errno(statfs("/absent/x", &fs), ENOENT);
	return done();
}
