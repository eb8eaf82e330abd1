/* A handler changes the result of the system call that it interrupted. */
#include "guest_task.h"
#include <ucontext.h>

static volatile int calls;

static void handler(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	if (uc->uc_mcontext.gregs[REG_RAX] == -EINTR) {
		calls++;
		uc->uc_mcontext.gregs[REG_RAX] = 424242;
	}
}

int main(void)
{
	sigset_t none;

	handle(SIGALRM, handler, 0);
	sigemptyset(&none);
	for (int i = 1; i <= 5; i++) {
		tick(2);
		/* Interrupted while they wait, with the result on its way in rax. */
		long paused = syscall(SYS_pause);
		long suspended = syscall(SYS_rt_sigsuspend, &none, 8);
		tick(0);
		expect_eq_long(paused, 424242, "result of pause");
		expect_eq_long(suspended, 424242, "result of sigsuspend");
		expect_eq_long(calls, 2 * i, "results changed");
	}
	return done();
}
