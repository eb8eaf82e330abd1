/* CLONE_SIGHAND shares the table of handlers; without it the child has a copy. */
#include "guest_task.h"

static void handler(int sig, siginfo_t *si, void *uc)
{
}

static int child(void *arg)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER};
	sigset_t set;

	sigaction(SIGUSR2, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	return sigprocmask(SIG_BLOCK, &set, NULL);
}

static void run(int flags, bool shared)
{
	char *stack = map_stack();
	struct sigaction sa;
	sigset_t set;

	signal(SIGUSR2, SIG_DFL);
	pid_t pid = need(clone(child, stack + STACK_SIZE, flags | SIGCHLD, NULL));
	expect_child(pid, 0);
	need(sigaction(SIGUSR2, NULL, &sa));
	show("flags %#x: handler %p, flags %#x", flags, (void *)sa.sa_sigaction, sa.sa_flags);
	expect((sa.sa_sigaction == handler) == shared, "the handler is %s",
	       shared ? "shared" : "the child's own");
	need(sigprocmask(SIG_BLOCK, NULL, &set));
	expect(!sigismember(&set, SIGHUP), "the mask is the child's own");
	munmap(stack, STACK_SIZE);
}

int main(void)
{
	run(0, false);
	run(CLONE_VM, false);
	run(CLONE_VM | CLONE_SIGHAND, true);
	expect_errno(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), EINVAL);
	expect_errno(syscall(SYS_clone, CLONE_THREAD | CLONE_VM | SIGCHLD, 0, 0, 0, 0), EINVAL);
	return done();
}
