/* SA_RESETHAND, SA_NODEFER, the mask while a handler runs, and the old action returned. */
#include "guest_task.h"

static volatile int depth, max_depth, calls;
static sigset_t inside;

static void handler(int sig, siginfo_t *si, void *uc)
{
	calls++;
	if (++depth > max_depth)
		max_depth = depth;
	sigprocmask(SIG_BLOCK, NULL, &inside);
	if (calls < 3)
		raise(sig);
	depth--;
}

static void run(int flags)
{
	depth = max_depth = calls = 0;
	handle(SIGUSR1, handler, flags);
	raise(SIGUSR1);
	show("flags %#x: %d calls, %d deep", flags, calls, max_depth);
}

int main(void)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO}, old;

	run(0);
	expect(calls == 3 && max_depth == 1, "blocked while its handler runs");
	expect(sigismember(&inside, SIGUSR1), "it is in the mask");
	run(SA_NODEFER);
	expect(calls == 3 && max_depth == 3, "SA_NODEFER nests");
	expect(!sigismember(&inside, SIGUSR1), "it is not in the mask");

	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGUSR2);
	sigaddset(&sa.sa_mask, SIGRTMIN + 4);
	sigaddset(&sa.sa_mask, SIGKILL);
	need(sigaction(SIGUSR1, &sa, NULL));
	calls = 5;
	raise(SIGUSR1);
	expect(sigismember(&inside, SIGUSR2) && sigismember(&inside, SIGRTMIN + 4),
	       "sa_mask added");
	expect(!sigismember(&inside, SIGKILL), "SIGKILL is never in a mask");
	need(sigprocmask(SIG_BLOCK, NULL, &inside));
	expect(!sigismember(&inside, SIGUSR2), "and taken away again");

	sa.sa_flags = SA_SIGINFO | (int)SA_RESETHAND;
	need(sigaction(SIGUSR1, &sa, &old));
	expect(old.sa_sigaction == handler && (old.sa_flags & SA_SIGINFO), "the old action");
	expect((old.sa_flags & (SA_NODEFER | (int)SA_RESETHAND)) == 0, "flags %#x", old.sa_flags);
	expect(sigismember(&old.sa_mask, SIGUSR2) == 1, "its mask");
	calls = 5;
	raise(SIGUSR1);
	expect_eq_long(calls, 6, "calls");
	need(sigaction(SIGUSR1, NULL, &old));
	expect(old.sa_handler == SIG_DFL, "SA_RESETHAND reset it");

	expect_errno(sigaction(SIGKILL, &sa, NULL), EINVAL);
	expect_errno(sigaction(SIGSTOP, &sa, NULL), EINVAL);
	expect_errno(sigaction(65, &sa, NULL), EINVAL);
	return done();
}
