/*
 * write, pwrite64, writev, pwritev, pwritev2 and O_APPEND; partial faults and RLIMIT_FSIZE.
 */
#include "guest.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

static void show_file(int fd, const char *what)
{
	char buf[256];
	ssize_t n = pread(fd, buf, sizeof(buf), 0);

	show("%s: %zd bytes, hash %016lx", what, n, (unsigned long)hash_bytes(buf, n));
	hexdump(what, buf, n > 48 ? 48 : n);
}

int main(void)
{
	int fd = need(open(temp_path("data"), O_RDWR | O_CREAT, 0600));
	struct iovec iov[3] = {{"one ", 4}, {NULL, 0}, {"two ", 4}};

	expect_eq_long(write(fd, "hello world\n", 12), 12, "write");
	expect_eq_long(pwrite(fd, "HE", 2, 0), 2, "pwrite");
	expect_eq_long(lseek(fd, 0, SEEK_CUR), 12, "pwrite leaves the offset");
	expect_eq_long(writev(fd, iov, 3), 8, "writev");
	expect_eq_long(pwritev(fd, iov, 3, 40), 8, "pwritev behind the end");
	show_file(fd, "after pwritev");
	ssize_t n = pwritev2(fd, iov, 1, -1, RWF_APPEND);
	expect(n == 4, "pwritev2 RWF_APPEND: %zd", n);
	expect_eq_long(lseek(fd, 0, SEEK_END), 52, "size");
	expect_eq_long(pwritev2(fd, iov, 1, 0, RWF_DSYNC), 4, "pwritev2 RWF_DSYNC");
	expect_errno(syscall(SYS_write, fd, 16, 100), EFAULT);
	expect_errno(write(-1, "x", 1), EBADF);

	int app = need(open(temp_path("data"), O_WRONLY | O_APPEND));
	expect_eq_long(lseek(app, 0, SEEK_SET), 0, "offset");
	expect_eq_long(write(app, "end", 3), 3, "O_APPEND write");
	expect_eq_long(lseek(app, 0, SEEK_CUR), 55, "offset after it");
	show_file(fd, "after append");

	/* A buffer whose second page is missing: the kernel writes the first part or nothing. */
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(pages, 'p', 8192);
	munmap(pages + 4096, 4096);
	n = pwrite(fd, pages + 4096 - 100, 200, 0);
	expect(n == 100 || (n == -1 && errno == EFAULT), "write across a hole: %zd", n);

	struct rlimit limit = {1000, 1000};
	signal(SIGXFSZ, SIG_IGN);
	need(setrlimit(RLIMIT_FSIZE, &limit));
	expect_eq_long(pwrite(fd, pages, 200, 900), 100, "write up to RLIMIT_FSIZE");
	expect_errno(pwrite(fd, pages, 200, 1000), EFBIG);
	return done();
}
