/*
 * SA_NOCLDWAIT and SIG_IGN for SIGCHLD: children leave no zombie; wait() sees only the end of
 * all.
 */
#include "guest_task.h"

static volatile int signals;

static void on_chld(int sig, siginfo_t *si, void *uc)
{
	signals++;
}

static pid_t spawn(struct gate *done_gate)
{
	pid_t pid = need(fork());
	if (pid == 0) {
		close(done_gate->rd);
		_exit(4);
	}
	return pid;
}

/* wait() passes over a child that is about to be removed (EXIT_DEAD, wait_consider_task() in
 * kernel/exit.c): it may be there for another moment. */
static void expect_gone(pid_t pid)
{
	while (kill(pid, 0) == 0)
		sched_yield();
	expect_errno(kill(pid, 0), ESRCH);
}

static void no_zombies(const char *how)
{
	struct gate end = gate_make();
	pid_t first = spawn(&end), second = spawn(&end);
	int status = 0x1234;
	pid_t got;

	close(end.wr);
	/* Blocks until both have gone, then fails. A signal handler may interrupt it. */
	do
		got = waitpid(-1, &status, 0);
	while (got == -1 && errno == EINTR);
	expect(got == -1 && errno == ECHILD, "%s: waitpid: %s", how, strerror(errno));
	expect_eq_long(status, 0x1234, "status left alone");
	expect_gone(first);
	expect_gone(second);
	close(end.rd);
}

int main(void)
{
	handle(SIGCHLD, on_chld, SA_NOCLDWAIT);
	no_zombies("SA_NOCLDWAIT with a handler");
	/* Two ends may merge into one signal. */
	expect(signals >= 1 && signals <= 2, "%d signals", signals);
	signals = 0;
	signal(SIGCHLD, SIG_IGN);
	no_zombies("SIG_IGN");
	expect_eq_long(signals, 0, "signals with SIG_IGN");

	/* With the default action, which also does nothing, zombies are kept. */
	signal(SIGCHLD, SIG_DFL);
	pid_t pid = need(fork());
	if (pid == 0)
		_exit(5);
	expect_child(pid, 5);
	return done();
}
