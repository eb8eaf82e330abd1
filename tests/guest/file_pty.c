/*
 * A pseudo-terminal: termios, window size, line discipline, echo, end of file and hang-up.
 */
#include "guest.h"
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

/* "half a line", four times back, blank and back, "page" and a line's end. */
#define ECHO_BYTES (11 + 4 * 3 + 4 + 2)

/* What goes through a terminal arrives in parts, whenever the kernel comes to it. */
static void read_all(int fd, char *buf, size_t size)
{
	for (size_t done = 0; done < size;)
		done += (size_t)need(read(fd, buf + done, size - done));
}

int main(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	struct winsize ws = {24, 80, 640, 480}, seen = {0};
	struct termios tio, raw;
	char buf[128];
	int n = -1;

	if (master == -1)
		skip("pseudo-terminals: %s", strerror(errno));
	need(grantpt(master));
	need(unlockpt(master));
	need(ioctl(master, TIOCGPTN, &n));
	show("pty number %d, %s", n, ptsname(master));
	int slave = need(open(ptsname(master), O_RDWR | O_NOCTTY));
	expect_eq_long(isatty(slave), 1, "isatty");
	show("ttyname %s", ttyname(slave));

	expect_eq_long(ioctl(slave, TIOCSWINSZ, &ws), 0, "TIOCSWINSZ");
	expect_eq_long(ioctl(master, TIOCGWINSZ, &seen), 0, "TIOCGWINSZ");
	expect_eq_long(memcmp(&ws, &seen, sizeof(ws)), 0, "the window size");
	need(tcgetattr(slave, &tio));
	hexdump("termios", &tio, 36);
	expect((tio.c_lflag & (ICANON | ECHO)) == (ICANON | ECHO), "canonical, with echo");

	need(write(master, "half a line", 11));
	need(ioctl(slave, FIONREAD, &n));
	expect_eq_long(n, 0, "no line yet");
	need(write(master, "\x7f\x7f\x7f\x7fpage\n", 9));
	expect_eq_long(read(slave, buf, sizeof(buf)), 12, "a line, edited");
	expect(memcmp(buf, "half a page\n", 12) == 0, "%.11s", buf);
	read_all(master, buf, ECHO_BYTES);
	hexdump("echo", buf, ECHO_BYTES);
	need(write(slave, "out\n", 4));
	read_all(master, buf, 5);
	expect(memcmp(buf, "out\r\n", 5) == 0, "output with carriage return");
	need(write(master, "\x04", 1));
	expect_eq_long(read(slave, buf, sizeof(buf)), 0, "end of file");

	raw = tio;
	cfmakeraw(&raw);
	need(tcsetattr(slave, TCSANOW, &raw));
	need(tcgetattr(slave, &tio));
	expect_eq_long(tio.c_lflag & (ICANON | ECHO | ISIG), 0, "raw");
	need(write(master, "\x03\x04", 2));
	expect_eq_long(read(slave, buf, sizeof(buf)), 2, "raw bytes");
	need(write(master, "unread", 6));
	expect_eq_long(poll(&(struct pollfd){.fd = slave, .events = POLLIN}, 1, -1), 1, "unread");
	expect_eq_long(tcflush(slave, TCIFLUSH), 0, "tcflush");
	need(ioctl(slave, FIONREAD, &n));
	expect_eq_long(n, 0, "nothing left");
	close(slave);
	expect_errno(read(master, buf, sizeof(buf)), EIO);
	return done();
}
