/*
 * Many small calls: 20,000 getppid, 2,000 one-byte writes and reads, 300 open and close.
 */
#include "guest.h"

int main(void)
{
	pid_t parent = getppid();
	long different = 0;
	int p[2];
	char c = 0;

	for (int i = 0; i < 20000; i++)
		different += syscall(SYS_getppid) != parent;
	expect_eq_long(different, 0, "different answers");
	need(pipe(p));
	uint64_t hash = 0;
	for (int i = 0; i < 2000; i++) {
		c = i;
		need(write(p[1], &c, 1));
		c = 0;
		need(read(p[0], &c, 1));
		hash = hash * 31 + (unsigned char)c;
	}
	show("hash %016lx", (unsigned long)hash);
	for (int i = 0; i < 300; i++) {
		int fd = need(open("/dev/null", O_RDONLY));
		if (fd != p[1] + 1)
			expect(false, "descriptor %d", fd);
		close(fd);
	}
	expect_errno(read(p[1], &c, 1), EBADF);
	return done();
}
