/*
 * Pipes: filled up, packets (O_DIRECT), resized, atomic small writes from four writers, EPIPE.
 */
#include "guest.h"
#include <sys/ioctl.h>

static void packets(void)
{
	char buf[8192];
	int p[2];

	if (pipe2(p, O_DIRECT | O_NONBLOCK) == -1) {
		expect(errno == EINVAL, "packet pipes may be missing");
		return;
	}
	need(write(p[1], "one", 3));
	need(write(p[1], "two!", 4));
	expect_eq_long(read(p[0], buf, sizeof(buf)), 3, "first packet");
	expect_eq_long(read(p[0], buf, 2), 2, "half of the second");
	expect_errno(read(p[0], buf, 2), EAGAIN);
}

static void writers(void)
{
	char line[32], buf[4096];
	int p[2], per_writer[4] = {0};
	pid_t pids[4];
	uint64_t order = 0;

	need(pipe(p));
	for (int w = 0; w < 4; w++) {
		pids[w] = need(fork());
		if (pids[w] == 0) {
			for (int i = 0; i < 50; i++) {
				memset(line, 'A' + w, sizeof(line));
				need(write(p[1], line, sizeof(line)));
			}
			_exit(0);
		}
	}
	close(p[1]);
	int used = 0;
	ssize_t n;
	while ((n = read(p[0], buf + used, sizeof(buf) - used)) > 0) {
		used += n;
		int whole = used / 32 * 32;
		for (int off = 0; off < whole; off += 32) {
			for (int i = 1; i < 32; i++)
				if (buf[off + i] != buf[off])
					expect(false, "torn write");
			per_writer[(buf[off] - 'A') & 3]++;
			order = order * 31 + buf[off];
		}
		memmove(buf, buf + whole, used - whole);
		used -= whole;
	}
	for (int w = 0; w < 4; w++) {
		expect_eq_long(per_writer[w], 50, "lines of a writer");
		expect_child(pids[w], 0);
	}
	show("order of the writers: %016lx", (unsigned long)order);
}

int main(void)
{
	static char block[4096];
	int p[2], pending = 0;
	ssize_t n;
	long total = 0;

	need(pipe2(p, O_NONBLOCK));
	while ((n = write(p[1], block, sizeof(block))) > 0)
		total += n;
	expect(n == -1 && errno == EAGAIN && total >= 4096, "full after %ld bytes", total);
	expect_eq_long(fcntl(p[1], F_GETPIPE_SZ), total, "F_GETPIPE_SZ");
	need(ioctl(p[0], FIONREAD, &pending));
	expect_eq_long(pending, total, "FIONREAD");
	n = fcntl(p[0], F_SETPIPE_SZ, 2 * total);
	expect(n == 2 * total || errno == EPERM, "F_SETPIPE_SZ: %zd", n);
	expect_errno(fcntl(p[0], F_SETPIPE_SZ, 4096), EBUSY);
	for (long got = 0; got < total;)
		got += need(read(p[0], block, sizeof(block)));
	expect_errno(read(p[0], block, 1), EAGAIN);
	packets();
	writers();
	signal(SIGPIPE, SIG_IGN);
	close(p[0]);
	expect_errno(write(p[1], "x", 1), EPIPE);
	expect_errno(pipe2(p, 0x77), EINVAL);
	expect_errno(syscall(SYS_pipe, (void *)8), EFAULT);
	return done();
}
