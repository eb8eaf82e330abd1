/* SA_RESTART: the calls go on after handlers have run, and end when the handler says so. */
#include "guest_task.h"
#include <sys/file.h>
#include <sys/socket.h>

#define TICKS 4

static struct gate gate;
static volatile int ticks;
static volatile int word;
static volatile pid_t child;

/* The fourth signal makes whatever is blocked come to its end. */
static void handler(int sig, siginfo_t *si, void *uc)
{
	if (++ticks != TICKS)
		return;
	gate_open(gate);
	word = 1;
	futex((void *)&word, FUTEX_WAKE, 1, NULL);
	if (child != 0)
		kill(child, SIGTERM);
}

static void start(void)
{
	ticks = 0;
	tick(2);
}

static void finish(const char *what)
{
	tick(0);
	expect(ticks >= TICKS, "%s: %d signals", what, ticks);
}

int main(void)
{
	char byte = 0;
	int pair[2], status = 0;

	gate = gate_make();
	handle(SIGALRM, handler, SA_RESTART);
	start();
	expect_eq_long(read(gate.rd, &byte, 1), 1, "read");
	finish("read");

	word = 0;
	start();
	while (word == 0) {
		/* Woken, or too late for the wake-up; never EINTR. */
		long ret = futex((void *)&word, FUTEX_WAIT, 0, NULL);
		if (ret == -1 && errno != EAGAIN)
			expect(false, "futex");
	}
	finish("futex");
	need(read(gate.rd, &byte, 1));

	need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	struct gate pipe_gate = gate;
	gate = (struct gate){.rd = pair[0], .wr = pair[1]};
	start();
	expect_eq_long(recv(pair[0], &byte, 1, 0), 1, "recv");
	finish("recv");
	gate = pipe_gate;

	child = need(fork());
	if (child == 0) {
		signal(SIGALRM, SIG_IGN);
		for (;;)
			pause();
	}
	start();
	expect_eq_long(waitpid(child, &status, 0), child, "waitpid");
	finish("waitpid");
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "status %#x", (unsigned)status);
	child = 0;
	return done();
}
