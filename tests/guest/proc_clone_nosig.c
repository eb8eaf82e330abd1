/* A child without an exit signal: only __WCLONE or __WALL find it, and no SIGCHLD comes. */
#include "guest_task.h"

static volatile int signals;

static void on_chld(int sig, siginfo_t *si, void *uc)
{
	signals++;
}

static int child(void *arg)
{
	return (int)(intptr_t)arg;
}

int main(void)
{
	char *stack = map_stack();
	int status = 0;

	handle(SIGCHLD, on_chld, 0);
	pid_t pid = need(clone(child, stack + STACK_SIZE, 0, (void *)31));
	expect_errno(waitpid(pid, &status, 0), ECHILD);
	expect_eq_long(waitpid(pid, &status, __WCLONE), pid, "pid found with __WCLONE");
	expect_eq_long(WEXITSTATUS(status), 31, "exit status");

	pid = need(clone(child, stack + STACK_SIZE, CLONE_VM, (void *)32));
	expect_eq_long(waitpid(-1, &status, __WALL), pid, "pid found with __WALL");
	expect_eq_long(WEXITSTATUS(status), 32, "exit status");

	pid = need(fork());
	if (pid == 0)
		_exit(33);
	expect_errno(waitpid(pid, &status, __WCLONE), ECHILD);
	pid_t got;
	do
		got = waitpid(pid, &status, __WALL);
	while (got == -1 && errno == EINTR);
	expect_eq_long(got, pid, "an ordinary child found with __WALL");
	expect_eq_long(WEXITSTATUS(status), 33, "exit status");
	expect_eq_long(signals, 1, "number of SIGCHLD");
	return done();
}
