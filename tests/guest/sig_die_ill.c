/* guest: signal SIGILL */
/* Death by an undefined instruction, with SIGILL ignored: the kernel forces it. */
#include "guest_task.h"
#include <sys/resource.h>

int main(void)
{
	struct rlimit none = {0, 0};

	need(setrlimit(RLIMIT_CORE, &none));
	signal(SIGILL, SIG_IGN);
	/* Ignored when it is sent. */
	expect_eq_long(raise(SIGILL), 0, "raise");
	expect_eq_long(kill(getpid(), SIGILL), 0, "kill");
	pid_t pid = need(fork());
	if (pid == 0)
		__asm__ volatile("ud2");
	int status = wait_status(pid, 0);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGILL, "the child died of it");
	if (done() != 0)
		return 1;
	__asm__ volatile("ud2");
	return 1;
}
