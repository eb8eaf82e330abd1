/* CLONE_VM | CLONE_VFORK on an own stack, as posix_spawn uses it; also CLONE_VFORK alone. */
#include "guest_task.h"

static volatile int value;

static int child(void *arg)
{
	value = *(int *)arg;
	return 4;
}

int main(void)
{
	char *stack = map_stack();
	int arg = 1234;

	value = 0;
	pid_t pid = need(clone(child, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, &arg));
	expect_eq_long(value, 1234, "written before clone returned");
	expect_child(pid, 4);

	/* Without CLONE_VM the memory is a copy, but the caller waits for the end all the same. */
	value = 0;
	pid = need(clone(child, stack + STACK_SIZE, CLONE_VFORK | SIGCHLD, &arg));
	expect_eq_long(value, 0, "value in the parent");
	siginfo_t si = {0};
	need(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG));
	/* The parent goes on when the child lets go of its memory: it may not be a zombie yet. */
	show("child %d: %s", pid, si.si_pid == pid ? "reaped at once" : "still ending");
	if (si.si_pid == 0)
		expect_child(pid, 4);
	else
		expect_eq_long(si.si_status, 4, "exit status");
	munmap(stack, STACK_SIZE);
	return done();
}
