/* Signals to process groups: kill(0), kill(-pgid), killpg(), and waiting for a group. */
#include "guest_task.h"

static volatile int hits;

static void on_usr1(int sig, siginfo_t *si, void *uc)
{
	hits++;
}

static void member(struct gate ready)
{
	sigset_t none;

	gate_open(ready);
	sigemptyset(&none);
	while (hits == 0)
		sigsuspend(&none);
	_exit(20 + hits);
}

/* A leader of its own group with three members; signals them all, itself included. */
static void leader(void)
{
	struct gate ready = gate_make();
	int status;

	need(setpgid(0, 0));
	mask_signal(SIG_BLOCK, SIGUSR1);
	handle(SIGUSR1, on_usr1, 0);
	for (int i = 0; i < 3; i++)
		if (need(fork()) == 0)
			member(ready);
	for (int i = 0; i < 3; i++)
		gate_wait(ready);
	need(kill(0, SIGUSR1));
	for (int i = 0; i < 3; i++) {
		pid_t pid = need(waitpid(0, &status, 0));
		expect(WEXITSTATUS(status) == 21, "member %d: status %#x", pid, (unsigned)status);
	}
	expect_eq_long(hits, 0, "handlers run while it is blocked");
	mask_signal(SIG_UNBLOCK, SIGUSR1);
	expect_eq_long(hits, 1, "handlers run");
	_exit(done());
}

int main(void)
{
	pid_t pid = need(fork());
	if (pid == 0)
		leader();
	expect_child(pid, 0);

	struct gate never = gate_make();
	pid_t first = 0;
	int status;
	for (int i = 0; i < 4; i++) {
		pid = need(fork());
		if (pid == 0) {
			gate_wait(never);
			_exit(1);
		}
		first = first ? first : pid;
		need(setpgid(pid, first));
	}
	need(kill(-first, 0));
	need(killpg(first, SIGTERM));
	for (int i = 0; i < 4; i++) {
		pid = need(waitpid(-first, &status, 0));
		expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "%d terminated", pid);
	}
	expect_errno(kill(-first, 0), ESRCH);
	return done();
}
