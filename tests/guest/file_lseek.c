/*
 * lseek with every whence, on a sparse file, a directory, a pipe and a character device.
 */
#include "guest.h"

int main(void)
{
	int fd = need(open(temp_path("sparse"), O_RDWR | O_CREAT, 0600));
	int pipes[2];

	need(pwrite(fd, "data", 4, 1 << 20));
	need(ftruncate(fd, 3 << 20));
	expect_eq_long(lseek(fd, 10, SEEK_SET), 10, "SEEK_SET");
	expect_eq_long(lseek(fd, -3, SEEK_CUR), 7, "SEEK_CUR");
	expect_eq_long(lseek(fd, -1, SEEK_END), (3 << 20) - 1, "SEEK_END");
	expect_eq_long(lseek(fd, 1L << 40, SEEK_SET), 1L << 40, "far behind the end");
	expect_errno(lseek(fd, -1, SEEK_SET), EINVAL);
	expect_errno(lseek(fd, 0, 99), EINVAL);
	expect_errno(lseek(99, 0, SEEK_SET), EBADF);

	/* Where the holes are is the file system's business: only the order is certain. */
	off_t data = lseek(fd, 0, SEEK_DATA);
	off_t hole = lseek(fd, 1 << 20, SEEK_HOLE);
	show("SEEK_DATA %ld, SEEK_HOLE %ld", (long)data, (long)hole);
	expect(data >= 0 && data <= 1 << 20, "data is found at or before what was written");
	expect(hole > 1 << 20 && hole <= 3 << 20, "a hole is found behind it");
	expect_errno(lseek(fd, 3 << 20, SEEK_DATA), ENXIO);
	expect_errno(lseek(fd, 4 << 20, SEEK_HOLE), ENXIO);

	need(pipe(pipes));
	expect_errno(lseek(pipes[0], 0, SEEK_SET), ESPIPE);
	int null = need(open("/dev/null", O_RDWR));
	expect_eq_long(lseek(null, 100, SEEK_SET), 0, "lseek on /dev/null");
	int dir = need(open(temp_dir(), O_RDONLY | O_DIRECTORY));
	expect_eq_long(lseek(dir, 0, SEEK_SET), 0, "rewinding a directory");
	return done();
}
