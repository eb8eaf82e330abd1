/*
 * truncate, ftruncate, fallocate (punch hole, zero range, keep size), and the sync family.
 */
#include "guest.h"

static void show_state(int fd, const char *what)
{
	static char buf[32768];
	struct stat st;

	need(fstat(fd, &st));
	ssize_t n = pread(fd, buf, sizeof(buf), 0);
	show("%s: size %ld, blocks %ld, hash %016lx", what, (long)st.st_size, (long)st.st_blocks,
	     (unsigned long)hash_bytes(buf, n));
}

static void test_fallocate(int fd)
{
	char buf[16];
	struct stat st;
	int r = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 8192);

	if (r == 0) {
		need(pread(fd, buf, sizeof(buf), 4096));
		expect(memcmp(buf, "\0\0\0\0\0\0\0\0", 8) == 0, "zeroes in the punched hole");
		show_state(fd, "punched");
	} else {
		expect(errno == EOPNOTSUPP, "punching holes may be missing");
	}
	r = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 65536);
	show("keep size: %d, size %ld", r, (fstat(fd, &st), (long)st.st_size));
	expect(r == 0 || errno == EOPNOTSUPP, "fallocate keeping the size");
	expect_eq_long(st.st_size, 20000, "size");
	r = fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 100);
	expect(r == 0 || errno == EOPNOTSUPP, "zero range: %d", r);
	r = fallocate(fd, 0, 0, 30000);
	expect(r == 0 || errno == EOPNOTSUPP, "plain fallocate: %d", r);
	show_state(fd, "allocated");
	expect_errno(fallocate(fd, 0, 0, 0), EINVAL);
	expect_errno(fallocate(fd, 0x4000, 0, 1), EOPNOTSUPP);
	expect_eq_long(posix_fallocate(fd, 0, 31000), 0, "posix_fallocate");
}

int main(void)
{
	static char buf[20000];
	const char *path = temp_path("file");
	int fd = need(open(path, O_CREAT | O_RDWR, 0600));

	memset(buf, 'b', sizeof(buf));
	need(write(fd, buf, sizeof(buf)));
	expect_eq_long(ftruncate(fd, 10), 0, "ftruncate down");
	show_state(fd, "shrunk");
	expect_eq_long(ftruncate(fd, 20000), 0, "ftruncate up");
	expect_eq_long(pread(fd, buf, 20000, 0), 20000, "read");
	expect(buf[9] == 'b' && buf[10] == 0 && buf[19999] == 0, "zeroes behind the old end");
	need(pwrite(fd, "x", 1, 19999));
	test_fallocate(fd);
	expect_eq_long(truncate(path, 5), 0, "truncate");
	show_state(fd, "truncated");
	expect_errno(ftruncate(fd, -1), EINVAL);
	expect_errno(truncate(temp_dir(), 5), EISDIR);
	int ro = need(open(path, O_RDONLY));
	expect_errno(ftruncate(ro, 5), EINVAL);

	expect_eq_long(fsync(fd), 0, "fsync");
	expect_eq_long(fdatasync(fd), 0, "fdatasync");
	expect_eq_long(sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE), 0, "sync_file_range");
	expect_errno(sync_file_range(fd, 0, 4096, 0x80), EINVAL);
	expect_eq_long(posix_fadvise(fd, 0, 4096, POSIX_FADV_SEQUENTIAL), 0, "posix_fadvise");
	expect_eq_long(posix_fadvise(fd, 0, 4096, POSIX_FADV_DONTNEED), 0, "posix_fadvise");
	expect_eq_long(posix_fadvise(fd, 0, 4096, 77), EINVAL, "posix_fadvise, bad advice");
	ssize_t n = readahead(fd, 0, 4096);
	expect(n == 0 || (n == -1 && errno == EINVAL), "readahead: %zd", n);
	int pipes[2];
	need(pipe(pipes));
	expect_errno(fsync(pipes[0]), EINVAL);
	expect_errno(syncfs(-1), EBADF);
	return done();
}
