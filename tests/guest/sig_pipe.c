/* SIGPIPE and EPIPE: pipes and sockets without a reader; default action, handler, MSG_NOSIGNAL. */
#include "guest_task.h"
#include <sys/socket.h>

static volatile int hits;

static void handler(int sig, siginfo_t *si, void *uc)
{
	hits++;
}

int main(void)
{
	int fds[2], pair[2];

	need(pipe(fds));
	close(fds[0]);
	pid_t pid = need(fork());
	if (pid == 0) {
		signal(SIGPIPE, SIG_DFL);
		(void)!write(fds[1], "x", 1);
		_exit(1);
	}
	int status = wait_status(pid, 0);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE, "killed by SIGPIPE");

	signal(SIGPIPE, SIG_IGN);
	expect_errno(write(fds[1], "x", 1), EPIPE);
	handle(SIGPIPE, handler, 0);
	expect_errno(write(fds[1], "x", 1), EPIPE);
	expect_eq_long(hits, 1, "signals");
	expect_eq_long(write(fds[1], "", 0), 0, "writing nothing");

	need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	close(pair[0]);
	expect_errno(send(pair[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	expect_eq_long(hits, 1, "signals with MSG_NOSIGNAL");
	expect_errno(send(pair[1], "x", 1, 0), EPIPE);
	expect_eq_long(hits, 2, "signals");

	/* A shell pipeline whose reader goes first. */
	signal(SIGPIPE, SIG_DFL);
	status = system("yes | head -n 1 > /dev/null");
	expect_eq_long(status, 0, "status of the pipeline");
	return done();
}
