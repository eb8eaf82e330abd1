/* Wait statuses: exit codes, death by each of several signals, the flag for a core dump. */
#include "guest_task.h"
#include <sys/resource.h>

static void die_by(int sig, bool makes_core)
{
	struct rlimit none = {0, 0};
	pid_t pid = need(fork());
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		signal(sig, SIG_DFL);
		mask_signal(SIG_UNBLOCK, sig);
		raise(sig);
		_exit(99);
	}
	int status = wait_status(pid, 0);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == sig, "killed by %d (%s)", sig,
	       strsignal(sig));
	/* A core may still go to a pipe, whatever the limit: print the flag, expect only no. */
	show("core flag: %s", WCOREDUMP(status) ? "yes" : "no");
	if (!makes_core)
		expect(!WCOREDUMP(status), "no core for signal %d", sig);
}

int main(void)
{
	static const int codes[] = {0, 1, 2, 127, 128, 255, 256, 511, -1};
	static const int plain[] = {SIGHUP, SIGINT, SIGKILL, SIGUSR1, SIGPIPE, SIGALRM, SIGTERM};
	static const int with_core[] = {SIGQUIT, SIGILL, SIGABRT, SIGFPE, SIGSEGV, SIGSYS};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		pid_t pid = need(fork());
		if (pid == 0)
			_exit(codes[i]);
		int status = wait_status(pid, 0);
		expect(WIFEXITED(status) && WEXITSTATUS(status) == (codes[i] & 0xff),
		       "_exit(%d): %d", codes[i], WEXITSTATUS(status));
	}
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		die_by(plain[i], false);
	for (size_t i = 0; i < sizeof(with_core) / sizeof(*with_core); i++)
		die_by(with_core[i], true);
	die_by(SIGRTMIN + 3, false);
	return done();
}
