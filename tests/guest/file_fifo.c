/*
 * mknod and mkfifo; opening a fifo from both sides by two processes; device nodes for root only.
 */
#include "guest.h"
#include <sys/sysmacros.h>

int main(void)
{
	const char *path = temp_path("fifo");
	char buf[64];
	struct stat st;

	expect_eq_long(mkfifo(path, 0600), 0, "mkfifo");
	expect_errno(mknod(path, S_IFIFO | 0600, 0), EEXIST);
	expect(stat(path, &st) == 0 && S_ISFIFO(st.st_mode), "it is a fifo, inode %ld",
	       (long)st.st_ino);
	expect_errno(open(path, O_WRONLY | O_NONBLOCK), ENXIO);
	int early = need(open(path, O_RDONLY | O_NONBLOCK));
	expect_eq_long(read(early, buf, sizeof(buf)), 0, "no writer");
	close(early);

	pid_t pid = need(fork());
	if (pid == 0) {
		int fd = need(open(path, O_WRONLY));
		for (int i = 0; i < 5; i++)
			need(write(fd, "message", 7));
		_exit(0);
	}
	int fd = need(open(path, O_RDONLY));
	int total = 0;
	ssize_t n;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		show("read %zd bytes", n);
		total += n;
	}
	expect_eq_long(total, 35, "bytes in all");
	expect_child(pid, 0);

	expect_eq_long(mknod(temp_path("reg"), S_IFREG | 0600, 0), 0, "mknod of a plain file");
	expect_eq_long(mknodat(AT_FDCWD, temp_path("sock"), S_IFSOCK | 0600, 0), 0,
		       "mknodat of a socket");
	expect_errno(open(temp_path("sock"), O_RDONLY), ENXIO);
	int r = mknod(temp_path("null"), S_IFCHR | 0600, makedev(1, 3));
	show("mknod of a device: %d (%s)", r, r ? strerror(errno) : "allowed");
	expect(r == 0 || errno == EPERM, "a device node is made or refused");
	expect(r == -1 || geteuid() == 0, "only root may");
	expect_errno(mknod(temp_path("dir"), S_IFDIR | 0600, 0), EPERM);
	return done();
}
