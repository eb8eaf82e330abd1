/*
 * read, pread64, readv, preadv, preadv2: short reads, end of file, bad buffers, several vectors.
 */
#include "guest.h"
#include <sys/uio.h>

int main(void)
{
	char buf[8192], tail[64];
	int fd = need(open(temp_path("data"), O_RDWR | O_CREAT, 0600));

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = i * 7 + (i >> 8);
	expect_eq_long(write(fd, buf, 5000), 5000, "written");
	expect_eq_long(lseek(fd, 0, SEEK_SET), 0, "offset");

	memset(buf, 0xee, sizeof(buf));
	expect_eq_long(read(fd, buf, 100), 100, "read");
	expect_eq_long(read(fd, buf, sizeof(buf)), 4900, "short read");
	expect((unsigned char)buf[4900] == 0xee, "nothing written behind a short read");
	expect_eq_long(read(fd, buf, sizeof(buf)), 0, "end of file");
	expect_eq_long(pread(fd, buf, 5000, 0), 5000, "pread");
	show("hash %016lx", (unsigned long)hash_bytes(buf, 5000));
	expect_eq_long(pread(fd, buf, 10, 6000), 0, "pread behind the end");
	expect_errno(pread(fd, buf, 10, -1), EINVAL);
	expect_errno(read(-1, buf, 10), EBADF);
	lseek(fd, 0, SEEK_SET);
	expect_errno(syscall(SYS_read, fd, 16, 100), EFAULT);
	expect_eq_long(syscall(SYS_read, fd, 16, 0), 0, "reading nothing to a bad address");

	struct iovec iov[4] = {{tail, 3}, {NULL, 0}, {buf, 4000}, {tail + 3, 61}};
	expect_eq_long(readv(fd, iov, 4), 4064, "readv");
	hexdump("tail", tail, sizeof(tail));
	expect_eq_long(preadv(fd, iov, 4, 2000), 3000, "preadv, short in the second vector");
	show("hash %016lx", (unsigned long)hash_bytes(buf, 3000));
	expect_errno(syscall(SYS_readv, fd, iov, -1), EINVAL);
	expect_errno(syscall(SYS_readv, fd, iov, 2000), EINVAL);

	expect_eq_long(lseek(fd, 4990, SEEK_SET), 4990, "offset");
	expect_eq_long(preadv2(fd, iov, 4, -1, 0), 10, "preadv2 at the file's offset");
	expect_eq_long(lseek(fd, 0, SEEK_CUR), 5000, "which it moved");
	ssize_t n = preadv2(fd, iov, 4, 0, RWF_NOWAIT);
	expect(n > 0 || (n == -1 && (errno == EAGAIN || errno == EOPNOTSUPP)),
	       "preadv2 RWF_NOWAIT: %zd", n);
	n = preadv2(fd, iov, 4, 0, RWF_HIPRI);
	expect(n == 4064 || (n == -1 && errno == EOPNOTSUPP), "preadv2 RWF_HIPRI: %zd", n);
	expect_errno(preadv2(fd, iov, 4, 0, 0x4000), EOPNOTSUPP);
	return done();
}
