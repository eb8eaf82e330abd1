/*
 * ioctl: unknown requests on a file and a pipe, FIONREAD, FIONBIO, FIOCLEX, FS_IOC_GETFLAGS,
 * FIGETBSZ, terminal requests on what is no terminal.
 */
#include "guest.h"
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <termios.h>

int main(void)
{
	int fd = need(open(temp_path("file"), O_CREAT | O_RDWR, 0600));
	int pipes[2], value = -1;
	struct winsize ws;
	struct termios tio;

	need(pipe(pipes));
	expect_errno(ioctl(fd, 0xdeadbeef, &value), ENOTTY);
	expect_errno(ioctl(pipes[0], 0xdeadbeef, &value), ENOTTY);
	expect_errno(ioctl(fd, _IOWR('Z', 99, char[64]), &value), ENOTTY);
	expect_errno(ioctl(-1, FIONREAD, &value), EBADF);
	expect_errno(ioctl(fd, TIOCGWINSZ, &ws), ENOTTY);
	expect_errno(tcgetattr(fd, &tio), ENOTTY);
	expect_eq_long(isatty(pipes[0]), 0, "isatty");

	need(write(fd, "0123456789", 10));
	need(lseek(fd, 3, SEEK_SET));
	expect_eq_long(ioctl(fd, FIONREAD, &value), 0, "FIONREAD of a file");
	expect_eq_long(value, 7, "bytes");
	need(write(pipes[1], "xyz", 3));
	expect_eq_long(ioctl(pipes[0], FIONREAD, &value), 0, "FIONREAD of a pipe");
	expect_eq_long(value, 3, "bytes");
	value = 1;
	expect_eq_long(ioctl(pipes[0], FIONBIO, &value), 0, "FIONBIO");
	expect_eq_long(fcntl(pipes[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK, "O_NONBLOCK");
	expect_eq_long(ioctl(fd, FIOCLEX), 0, "FIOCLEX");
	expect_eq_long(fcntl(fd, F_GETFD), FD_CLOEXEC, "F_GETFD");
	expect_eq_long(ioctl(fd, FIONCLEX), 0, "FIONCLEX");
	expect_eq_long(fcntl(fd, F_GETFD), 0, "F_GETFD");
	value = -1;
	expect_eq_long(ioctl(fd, FIGETBSZ, &value), 0, "FIGETBSZ");
	expect(value >= 512, "block size %d", value);

	int flags = -1;
	int r = ioctl(fd, FS_IOC_GETFLAGS, &flags);
	show("FS_IOC_GETFLAGS: %d, 0x%x", r, flags);
	expect(r == 0 || errno == ENOTTY || errno == EOPNOTSUPP, "FS_IOC_GETFLAGS");
	long generation = 0;
	r = ioctl(fd, FS_IOC_GETVERSION, &generation);
	show("FS_IOC_GETVERSION: %d, %lx", r, generation);
	int block = 0;
	r = ioctl(fd, FIBMAP, &block);
	show("FIBMAP: %d, %d (%s)", r, block, r ? strerror(errno) : "");
	expect_errno(ioctl(fd, FICLONE, -1), EBADF);
	expect_errno(ioctl(fd, FIONREAD, 8), EFAULT);
	return done();
}
