/* A child whose exit signal is not SIGCHLD. */
#include "guest_task.h"

static siginfo_t seen;
static volatile int count;

static void on_signal(int sig, siginfo_t *si, void *uc)
{
	seen = *si;
	count++;
}

static int child(void *arg)
{
	return 12;
}

static void run(int sig)
{
	char *stack = map_stack();
	int status = 0;
	sigset_t none;

	count = 0;
	mask_signal(SIG_BLOCK, sig);
	handle(sig, on_signal, 0);
	pid_t pid = need(clone(child, stack + STACK_SIZE, sig, NULL));
	sigemptyset(&none);
	while (count == 0)
		sigsuspend(&none);
	expect(seen.si_signo == sig, "signal %d", seen.si_signo);
	expect(seen.si_code == CLD_EXITED && seen.si_pid == pid, "code %d from %d", seen.si_code,
	       seen.si_pid);
	expect_eq_long(seen.si_status, 12, "status in siginfo");
	expect_errno(waitpid(pid, &status, WNOHANG), ECHILD);
	expect_eq_long(waitpid(pid, &status, __WCLONE), pid, "pid");
	expect_eq_long(WEXITSTATUS(status), 12, "exit status");
	expect_eq_long(count, 1, "number of signals");
	munmap(stack, STACK_SIZE);
}

int main(void)
{
	run(SIGUSR1);
	run(SIGRTMIN + 2);
	return done();
}
