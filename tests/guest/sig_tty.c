/* A pseudoterminal's signals: SIGTTIN and SIGTTOU for a background job, SIGWINCH, SIGHUP. */
#include "guest_task.h"
#include <sys/ioctl.h>
#include <termios.h>

static volatile int winches;

static void on_winch(int sig, siginfo_t *si, void *uc)
{
	winches++;
}

static void background(int tty, struct gate ready, struct gate go)
{
	char text[4] = "";
	struct termios tio;

	need(setpgid(0, 0));
	gate_open(ready);
	gate_wait(go);
	/* Stops us until we are in the foreground, then reads what was typed. */
	expect_eq_long(read(tty, text, sizeof(text)), 2, "bytes read");
	expect(strcmp(text, "x\n") == 0, "line read");
	gate_open(ready);
	gate_wait(go);
	/* So does this. */
	need(tcgetattr(tty, &tio));
	tio.c_lflag |= TOSTOP;
	need(tcsetattr(tty, TCSANOW, &tio));
	gate_open(ready);
	gate_wait(go);
	signal(SIGTTIN, SIG_IGN);
	expect_errno(read(tty, text, 1), EIO);
	/* With TOSTOP, and SIGTTOU neither blocked nor ignored, a write would stop us, too. */
	signal(SIGTTOU, SIG_IGN);
	expect_eq_long(write(tty, "out\n", 4), 4, "bytes written");
	_exit(done());
}

/* The job stops by itself with this signal; put it into the foreground and let it go on. */
static void bring_forward(pid_t pid, int tty, int sig)
{
	int status = wait_status(pid, WUNTRACED);
	expect(WIFSTOPPED(status) && WSTOPSIG(status) == sig, "stopped by %s", strsignal(sig));
	need(tcsetpgrp(tty, pid));
	need(kill(pid, SIGCONT));
	wait_status(pid, WCONTINUED);
}

static void session(int result)
{
	struct gate ready = gate_make(), go = gate_make();

	need(setsid());
	int master = need(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
	need(grantpt(master));
	need(unlockpt(master));
	int tty = need(open(ptsname(master), O_RDWR | O_NOCTTY));
	need(ioctl(tty, TIOCSCTTY, 0));
	pid_t pid = need(fork());
	if (pid == 0)
		background(tty, ready, go);
	signal(SIGTTOU, SIG_IGN);
	gate_wait(ready);
	need(write(master, "x\n", 2));
	gate_open(go);
	bring_forward(pid, tty, SIGTTIN);
	gate_wait(ready);
	need(tcsetpgrp(tty, getpgrp()));
	gate_open(go);
	bring_forward(pid, tty, SIGTTOU);
	gate_wait(ready);
	need(tcsetpgrp(tty, getpgrp()));
	gate_open(go);
	expect_child(pid, 0);

	handle(SIGWINCH, on_winch, 0);
	struct winsize ws = {.ws_row = 33, .ws_col = 99}, seen = {0};
	need(ioctl(master, TIOCSWINSZ, &ws));
	need(ioctl(tty, TIOCGWINSZ, &seen));
	expect(seen.ws_row == 33 && seen.ws_col == 99, "size of the window");
	expect_eq_long(winches, 1, "SIGWINCH");
	need(write(result, done() ? "1" : "0", 1));
	close(tty);
	close(master);
	for (;;)
		pause();
}

int main(void)
{
	int fds[2];
	char result = '1';

	heed_terminal_signals();
	need(pipe2(fds, O_CLOEXEC));
	pid_t pid = need(fork());
	if (pid == 0)
		session(fds[1]);
	int status = wait_status(pid, 0);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP, "SIGHUP when the terminal went");
	need(read(fds[0], &result, 1));
	expect_eq_long(result, '0', "result of the session");
	return done();
}
