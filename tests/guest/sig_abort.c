/* guest: signal SIGABRT */
/* abort(): blocked and handled, it still ends the program by SIGABRT. */
#include "guest_task.h"
#include <sys/resource.h>

static void handler(int sig, siginfo_t *si, void *uc)
{
	show("handler: signal %d code %d from %d", sig, si->si_code, si->si_pid);
	expect(si->si_code == SI_TKILL && si->si_pid == getpid(), "from this process");
}

static void at_exit(void)
{
	expect(false, "exit handlers must not run");
}

int main(void)
{
	struct rlimit none = {0, 0};

	need(setrlimit(RLIMIT_CORE, &none));
	atexit(at_exit);
	pid_t pid = need(fork());
	if (pid == 0) {
		signal(SIGABRT, SIG_IGN);
		abort();
	}
	int status = wait_status(pid, 0);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "ignoring it does not help");
	handle(SIGABRT, handler, 0);
	mask_signal(SIG_BLOCK, SIGABRT);
	if (done() != 0)
		_exit(1);
	abort();
}
