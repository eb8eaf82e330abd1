/* CLONE_CLEAR_SIGHAND: the child has no handlers, also after what may trap in a recorder; what is
 * ignored stays so. */
#include "guest_task.h"
#include <linux/sched.h>
#include <x86intrin.h>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ull
#endif

static void handler(int sig, siginfo_t *si, void *uc)
{
}

static int in_child(void)
{
	struct sigaction segv, trap;
	unsigned long long start = __rdtsc();

	expect(__rdtsc() > start, "the counter goes on");
	need(sigaction(SIGSEGV, NULL, &segv));
	need(sigaction(SIGTRAP, NULL, &trap));
	expect(segv.sa_handler == SIG_DFL, "no handler of SIGSEGV");
	expect(trap.sa_handler == SIG_IGN, "SIGTRAP is ignored");
	return done();
}

int main(void)
{
	struct clone_args args = {.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};

	handle(SIGSEGV, handler, 0);
	mask_signal(SIG_BLOCK, SIGSEGV);
	signal(SIGTRAP, SIG_IGN);
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == -1 && (errno == ENOSYS || errno == EINVAL || errno == EPERM))
		skip("clone3 with CLONE_CLEAR_SIGHAND: %s", strerror(errno));
	need(pid);
	if (pid == 0)
		_exit(in_child());
	expect_child((pid_t)pid, 0);
	struct sigaction mine;

	expect(__rdtsc() != 0, "the parent's counter");
	need(sigaction(SIGSEGV, NULL, &mine));
	expect(mine.sa_sigaction == handler, "the parent's handler");
	return done();
}
