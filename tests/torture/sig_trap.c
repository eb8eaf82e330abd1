/* SIGTRAP is what breakpoints and single steps raise, which the kernel resets where it is ignored or blocked:
 * the program's own handling of it must survive that it is interrupted 1,000 times a second while it computes.
 * Ignored, also over exec; then handled and blocked, while one waits, too. */
#include "torture.h"

static volatile sig_atomic_t caught;

static void on_trap(int signal, siginfo_t *info, void *context)
{
	expect(info->si_pid == getpid(), "SIGTRAP came from %d, code %d", info->si_pid,
	       info->si_code);
	caught++;
}

static uint64_t compute(uint64_t n)
{
	uint64_t hash = 1;

	for (uint64_t i = 0; i < n; i++) {
		hash = mix(hash, i);
		progress = i;
	}
	return hash;
}

static const char *action_now(void)
{
	struct sigaction now;

	need(sigaction(SIGTRAP, NULL, &now));
	return now.sa_handler == SIG_IGN   ? "ignored"
	       : now.sa_handler == SIG_DFL ? "default"
					   : "handled";
}

static void be_ignored(uint64_t n, const char *when)
{
	show("same: %s %lx", when, (unsigned long)compute(n));
	show("same: %s %s", when, action_now());
	need(raise(SIGTRAP));
	need(kill(getpid(), SIGTRAP));
}

static void be_blocked(uint64_t n)
{
	sigset_t trap, now;

	sigemptyset(&trap);
	sigaddset(&trap, SIGTRAP);
	tick_handle(SIGTRAP, SA_RESTART, on_trap);
	need(sigprocmask(SIG_BLOCK, &trap, NULL));
	show("same: blocked %lx", (unsigned long)compute(n));
	need(sigprocmask(SIG_BLOCK, NULL, &now));
	show("same: %s, %s", sigismember(&now, SIGTRAP) ? "blocked" : "not blocked", action_now());
	for (int by_kill = 0; by_kill < 2; by_kill++) {
		need(by_kill ? kill(getpid(), SIGTRAP) : raise(SIGTRAP));
		show("same: waiting %lx", (unsigned long)compute(n));
		need(sigprocmask(SIG_UNBLOCK, &trap, NULL));
		show("same: %d caught", (int)caught);
		need(sigprocmask(SIG_BLOCK, &trap, NULL));
	}
	need(sigprocmask(SIG_UNBLOCK, &trap, NULL));
	tick_handle(SIGTRAP, (int)SA_RESETHAND, on_trap);
	need(raise(SIGTRAP));
	show("same: %d caught, %s", (int)caught, action_now());
	show("same: %lx, %s", (unsigned long)compute(n), action_now());
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 20000000);

	tick_start(1000);
	if (argc <= 2) {
		signal(SIGTRAP, SIG_IGN);
		be_ignored(n, "ignored");
		tick_stop();
		tick_show();
		need(execl("/proc/self/exe", argv[0], argc > 1 ? argv[1] : "100", "again", NULL));
	}
	be_ignored(n, "over exec");
	be_blocked(n);
	tick_stop();
	tick_show();
	return done();
}
