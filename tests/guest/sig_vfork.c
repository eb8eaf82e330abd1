/* A signal for the parent while it waits for its vfork child, and one for the child. */
#include "guest_task.h"

static volatile int parent_hits, child_hits;
static volatile pid_t parent;
static volatile int hits_before_exit;

static void handler(int sig, siginfo_t *si, void *uc)
{
	if (getpid() == parent)
		parent_hits++;
	else
		child_hits++;
}

int main(void)
{
	parent = getpid();
	handle(SIGUSR1, handler, 0);
	for (int i = 1; i <= 3; i++) {
		pid_t pid = vfork();
		if (pid == 0) {
			/* The parent cannot run its handler before we are gone. */
			kill(parent, SIGUSR1);
			hits_before_exit = parent_hits;
			raise(SIGUSR1);
			_exit(80 + i);
		}
		need(pid);
		expect_eq_long(hits_before_exit, i - 1, "parent's handler calls before");
		expect_eq_long(parent_hits, i, "parent's handler calls");
		/* The child ran its handler on our memory. */
		expect_eq_long(child_hits, i, "child's handler calls");
		expect_child(pid, 80 + i);
	}
	/* A child that is killed lets its parent go on as well. */
	pid_t pid = vfork();
	if (pid == 0) {
		kill(getpid(), SIGKILL);
		_exit(1);
	}
	int status = wait_status(pid, 0);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "killed");
	return done();
}
