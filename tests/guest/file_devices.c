/*
 * /dev/urandom, /dev/zero, /dev/null, /dev/full, /dev/tty; random bytes are printed.
 */
#include "guest.h"
#include <sys/ioctl.h>
#include <sys/random.h>

int main(void)
{
	unsigned char a[64], b[64];
	int fd = need(open("/dev/urandom", O_RDONLY));

	expect_eq_long(read(fd, a, 64), 64, "read from /dev/urandom");
	expect_eq_long(read(fd, b, 64), 64, "and again");
	hexdump("urandom", a, 64);
	expect(memcmp(a, b, 64) != 0, "they differ");
	int count = 0;
	expect_errno(ioctl(fd, 0x1234, &count), EINVAL);
	close(fd);

	fd = need(open("/dev/zero", O_RDWR));
	memset(a, 1, 64);
	expect_eq_long(read(fd, a, 32), 32, "read from /dev/zero");
	expect(a[0] == 0 && a[31] == 0 && a[32] == 1, "32 zeroes");
	expect_eq_long(write(fd, a, 64), 64, "write to it");
	close(fd);
	fd = need(open("/dev/null", O_RDWR));
	expect_eq_long(read(fd, a, 64), 0, "read from /dev/null");
	expect_eq_long(write(fd, a, 64), 64, "write to it");
	close(fd);
	fd = open("/dev/full", O_RDWR);
	if (fd >= 0)
		expect_errno(write(fd, a, 64), ENOSPC);

	/* With a session of its own a process has no terminal. */
	pid_t pid = need(fork());
	if (pid == 0) {
		need(setsid());
		expect_errno(open("/dev/tty", O_RDWR), ENXIO);
		_exit(done());
	}
	expect_child(pid, 0);

	expect_eq_long(getrandom(a, 64, 0), 64, "getrandom");
	expect_eq_long(syscall(SYS_getrandom, b, 64, GRND_NONBLOCK), 64, "getrandom, raw");
	expect(memcmp(a, b, 64) != 0, "they differ");
	hexdump("getrandom", a, 32);
	expect_errno(getrandom(a, 64, 0x100), EINVAL);
	expect_eq_long(getentropy(b, 32), 0, "getentropy");
	hexdump("getentropy", b, 32);
	return done();
}
