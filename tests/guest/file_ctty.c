/*
 * A controlling terminal: setsid, TIOCSCTTY, TIOCGPGRP, tcsetpgrp, SIGWINCH, SIGINT by ^C,
 * /dev/tty, and hang-up when the session leader exits.
 */
#include "guest.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static volatile sig_atomic_t caught[65];

static void handler(int sig)
{
	caught[sig]++;
}

static void session(const char *name, int ready)
{
	struct sigaction act = {.sa_handler = handler};
	struct winsize ws = {10, 20, 0, 0};

	expect_eq_long(setsid(), getpid(), "setsid");
	int tty = need(open(name, O_RDWR | O_NOCTTY));
	expect_errno(tcgetpgrp(tty), ENOTTY);
	expect_eq_long(ioctl(tty, TIOCSCTTY, 0), 0, "TIOCSCTTY");
	expect_eq_long(tcgetpgrp(tty), getpid(), "tcgetpgrp");
	pid_t sid = -1;
	expect_eq_long(ioctl(tty, TIOCGSID, &sid), 0, "TIOCGSID");
	expect_eq_long(sid, getpid(), "session");
	expect_eq_long(tcsetpgrp(tty, getpgrp()), 0, "tcsetpgrp");
	int dev = need(open("/dev/tty", O_RDWR));
	expect_eq_long(isatty(dev), 1, "/dev/tty is a terminal");

	need(sigaction(SIGWINCH, &act, NULL));
	need(sigaction(SIGINT, &act, NULL));
	need(ioctl(tty, TIOCSWINSZ, &ws));
	expect_eq_long(caught[SIGWINCH], 1, "SIGWINCH");
	/* Blocked until ppoll lets it in: the ^C may come before ppoll does. */
	sigset_t interrupt, none;
	sigemptyset(&none);
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	need(sigprocmask(SIG_BLOCK, &interrupt, NULL));
	struct pollfd pfd = {dev, POLLIN, 0};
	need(write(ready, "r", 1));
	expect_errno(ppoll(&pfd, 1, NULL, &none), EINTR);
	expect_eq_long(caught[SIGINT], 1, "SIGINT by ^C");
	expect_eq_long(ioctl(tty, TIOCNOTTY), 0, "TIOCNOTTY");
	_exit(done());
}

int main(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int pipes[2];
	char buf[64];

	if (master == -1)
		skip("pseudo-terminals: %s", strerror(errno));
	need(grantpt(master));
	need(unlockpt(master));
	need(pipe(pipes));
	/* Only the child's SIGINT and SIGHUP matter: leaving its terminal sends it SIGHUP. */
	signal(SIGHUP, SIG_IGN);
	pid_t pid = need(fork());
	if (pid == 0)
		session(ptsname(master), pipes[1]);
	need(read(pipes[0], buf, 1));
	need(write(master, "\x03", 1));
	expect_child(pid, 0);
	ssize_t n = read(master, buf, sizeof(buf));
	expect(n == 2 && memcmp(buf, "^C", 2) == 0, "the echo of ^C");
	return done();
}
