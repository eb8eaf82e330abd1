/*
 * The longest vectors: 1024 pieces read and written, overlapping ones, pieces of odd sizes.
 */
#include "guest.h"
#include <sys/uio.h>

int main(void)
{
	static char data[300000], back[300000];
	static struct iovec iov[1025];
	int fd = need(open(temp_path("file"), O_CREAT | O_RDWR, 0600));
	size_t total = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 31 ^ i >> 9;
	expect_eq_long(sysconf(_SC_IOV_MAX), 1024, "IOV_MAX");
	for (int i = 0; i < 1024; i++) {
		iov[i] = (struct iovec){data + total, (i * 37) % 500};
		total += iov[i].iov_len;
	}
	show("%zu bytes in 1024 pieces", total);
	expect_eq_long(writev(fd, iov, 1024), total, "writev");
	for (int i = 0; i < 1024; i++)
		iov[i].iov_base = back + ((char *)iov[i].iov_base - data);
	expect_eq_long(preadv(fd, iov, 1024, 0), total, "preadv");
	expect_eq_long(memcmp(data, back, total), 0, "difference");
	expect_errno(syscall(SYS_writev, fd, iov, 1025), EINVAL);

	/* Pieces may overlap: the later one wins. */
	iov[0] = (struct iovec){back, 100};
	iov[1] = (struct iovec){back + 50, 100};
	expect_eq_long(preadv(fd, iov, 2, 0), 200, "overlapping");
	expect(memcmp(back, data, 50) == 0 && memcmp(back + 50, data + 100, 100) == 0,
	       "the second over the first");
	iov[1] = (struct iovec){(void *)8, 100};
	memset(back, 0, 200);
	ssize_t n = preadv(fd, iov, 2, 0);
	expect(n == 100 || (n == -1 && errno == EFAULT), "a bad second piece: %zd", n);
	show("first piece hash %016lx", (unsigned long)hash_bytes(back, 100));
	iov[1].iov_len = (size_t)-1;
	expect_errno(preadv(fd, iov, 2, 0), EINVAL);
	/* The vector itself may be among what is overwritten. */
	struct iovec self[2] = {{self, sizeof(self)}, {back, 10}};
	expect_eq_long(preadv(fd, self, 2, 0), sizeof(self) + 10, "over the vector itself");
	expect(memcmp(self, data, sizeof(self)) == 0, "replaced by data");
	return done();
}
