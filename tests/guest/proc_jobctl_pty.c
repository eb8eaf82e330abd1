/* Job control on a pseudoterminal: foreground groups, tcsetpgrp(), Ctrl-Z and Ctrl-C typed. */
#include "guest_task.h"
#include <sys/ioctl.h>
#include <termios.h>

static int open_terminal(int *master)
{
	*master = need(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
	need(grantpt(*master));
	need(unlockpt(*master));
	return (int)need(open(ptsname(*master), O_RDWR));
}

static void job(int tty, struct gate ready)
{
	char line[64] = "";
	setpgid(0, 0);
	signal(SIGTTOU, SIG_IGN);
	need(tcsetpgrp(tty, getpgrp()));
	signal(SIGTTOU, SIG_DFL);
	gate_open(ready);
	ssize_t n = read(tty, line, sizeof(line) - 1);
	/* Only what was typed after the job was continued comes through. */
	expect(n == 6 && strcmp(line, "hello\n") == 0, "job read %zd bytes", n);
	gate_open(ready);
	for (;;)
		pause();
}

static void shell(void)
{
	int master;
	struct gate ready = gate_make();

	need(setsid());
	int tty = open_terminal(&master);
	need(ioctl(tty, TIOCSCTTY, 0));
	expect_eq_long(tcgetsid(tty), getpid(), "session of the terminal");
	expect_eq_long(tcgetpgrp(tty), getpgrp(), "foreground group");
	signal(SIGTTOU, SIG_IGN);
	pid_t pid = need(fork());
	if (pid == 0)
		job(tty, ready);
	gate_wait(ready);
	expect_eq_long(tcgetpgrp(tty), pid, "foreground group");

	need(write(master, "\x1a", 1));
	int status = wait_status(pid, WUNTRACED);
	expect(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP, "Ctrl-Z stopped the job");
	need(tcsetpgrp(tty, getpgrp()));
	need(tcsetpgrp(tty, pid));
	need(kill(-pid, SIGCONT));
	status = wait_status(pid, WCONTINUED);
	expect(WIFCONTINUED(status), "continued");

	need(write(master, "hello\n", 6));
	gate_wait(ready);
	need(write(master, "\x03", 1));
	status = wait_status(pid, 0);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT, "Ctrl-C killed the job");
	need(tcsetpgrp(tty, getpgrp()));

	char echo[256];
	ssize_t n = read(master, echo, sizeof(echo));
	hexdump("echo", echo, n > 0 ? (size_t)n : 0);
}

int main(void)
{
	heed_terminal_signals();
	pid_t pid = need(fork());
	if (pid == 0) {
		shell();
		_exit(done());
	}
	expect_child(pid, 0);
	return done();
}
