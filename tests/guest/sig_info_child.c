/* SIGCHLD's siginfo for a child that exits, is killed, dumps core, stops and continues. */
#include "guest_task.h"
#include <sys/resource.h>

static siginfo_t seen;
static volatile int count;

static void handler(int sig, siginfo_t *si, void *uc)
{
	seen = *si;
	count++;
}

static void await(void)
{
	sigset_t none;
	sigemptyset(&none);
	while (count == 0)
		sigsuspend(&none);
	count = 0;
	show("signo %d code %d pid %d uid %d status %d utime %ld stime %ld", seen.si_signo,
	     seen.si_code, seen.si_pid, (int)seen.si_uid, seen.si_status, seen.si_utime,
	     seen.si_stime);
}

static void check(pid_t pid, int code, int status)
{
	await();
	expect(seen.si_pid == pid && seen.si_code == code && seen.si_status == status,
	       "pid %d, code %d, status %d", pid, code, status);
	expect_eq_long(seen.si_uid, getuid(), "uid");
}

static pid_t spawn(int action)
{
	struct rlimit none = {0, 0};
	pid_t pid = need(fork());
	if (pid != 0)
		return pid;
	setrlimit(RLIMIT_CORE, &none);
	signal(SIGCHLD, SIG_DFL);
	if (action >= 0)
		_exit(action);
	for (;;)
		pause();
}

int main(void)
{
	heed_terminal_signals();
	mask_signal(SIG_BLOCK, SIGCHLD);
	handle(SIGCHLD, handler, 0);
	pid_t pid = spawn(201);
	check(pid, CLD_EXITED, 201);
	expect_child(pid, 201);

	pid = spawn(-1);
	need(kill(pid, SIGSTOP));
	check(pid, CLD_STOPPED, SIGSTOP);
	need(kill(pid, SIGCONT));
	check(pid, CLD_CONTINUED, SIGCONT);
	need(kill(pid, SIGKILL));
	check(pid, CLD_KILLED, SIGKILL);
	wait_status(pid, 0);

	pid = spawn(-1);
	need(kill(pid, SIGQUIT));
	await();
	/* Whether a core was written is the machine's choice. */
	expect(seen.si_pid == pid && seen.si_status == SIGQUIT &&
		       (seen.si_code == CLD_KILLED || seen.si_code == CLD_DUMPED),
	       "child %d by SIGQUIT", pid);
	wait_status(pid, 0);
	return done();
}
