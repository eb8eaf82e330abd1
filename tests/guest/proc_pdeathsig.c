/* PR_SET_PDEATHSIG: a signal to the child when its parent ends. */
#include "guest_task.h"
#include <sys/prctl.h>

static siginfo_t seen;

static void on_usr1(int sig, siginfo_t *si, void *uc)
{
	seen = *si;
}

static void grandchild(pid_t parent, struct gate ready, int wr)
{
	sigset_t none;
	int sig = 0;

	mask_signal(SIG_BLOCK, SIGUSR1);
	handle(SIGUSR1, on_usr1, 0);
	need(prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0));
	need(prctl(PR_GET_PDEATHSIG, &sig, 0, 0, 0));
	expect_eq_long(sig, SIGUSR1, "PR_GET_PDEATHSIG");
	gate_open(ready);
	sigemptyset(&none);
	while (seen.si_signo == 0)
		sigsuspend(&none);
	expect_eq_long(seen.si_signo, SIGUSR1, "signal at the parent's end");
	expect(seen.si_pid == parent, "sent in the name of %d, code %d", seen.si_pid, seen.si_code);
	char result = (char)done();
	need(write(wr, &result, 1));
	_exit(0);
}

int main(void)
{
	int fds[2];
	struct gate ready = gate_make();

	need(pipe(fds));
	pid_t middle = need(fork());
	if (middle == 0) {
		pid_t self = getpid();
		if (need(fork()) == 0)
			grandchild(self, ready, fds[1]);
		gate_wait(ready);
		_exit(6);
	}
	close(fds[1]);
	expect_child(middle, 6);
	char result = 1;
	expect_eq_long(read(fds[0], &result, 1), 1, "bytes from the grandchild");
	expect_eq_long(result, 0, "its result");
	expect_eq_long(read(fds[0], &result, 1), 0, "end of its pipe");
	return done();
}
