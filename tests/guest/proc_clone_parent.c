/* CLONE_PARENT: the new process is a sibling of the one that made it. */
#include "guest_task.h"

int main(void)
{
	int fds[2];
	pid_t sibling, parent_of_sibling;
	pid_t me = getpid();

	need(pipe(fds));
	pid_t first = need(fork());
	if (first == 0) {
		/* No signal number here: CLONE_PARENT takes over the caller's own exit signal. */
		long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
		if (pid == 0) {
			pid_t ppid = getppid();
			need(write(fds[1], &ppid, sizeof(ppid)));
			_exit(22);
		}
		pid_t out = (pid_t)pid;
		need(write(fds[1], &out, sizeof(out)));
		expect_errno(waitpid(out, NULL, 0), ECHILD);
		_exit(done() + 11);
	}
	expect_child(first, 11);
	int status;
	sibling = need(wait(&status));
	expect(WEXITSTATUS(status) == 22, "process %d, made by %d, is mine", sibling, first);
	/* The two wrote in either order. */
	pid_t got[2];
	need(read(fds[0], &got[0], sizeof(got[0])));
	need(read(fds[0], &got[1], sizeof(got[1])));
	parent_of_sibling = got[0] == sibling ? got[1] : got[0];
	expect(parent_of_sibling == me, "its getppid() said %d", parent_of_sibling);
	expect(got[0] == sibling || got[1] == sibling, "clone returned its pid");
	expect_errno(wait(NULL), ECHILD);
	return done();
}
