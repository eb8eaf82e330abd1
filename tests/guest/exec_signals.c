/* Over execve(): handlers are reset, ignored signals, the mask and pending signals are kept. */
#include "guest_task.h"

static volatile int hits;

static void handler(int sig, siginfo_t *si, void *uc)
{
	hits++;
}

static int second(void)
{
	struct sigaction sa;
	sigset_t set;
	siginfo_t si;
	stack_t ss;

	need(sigaction(SIGUSR1, NULL, &sa));
	expect(sa.sa_handler == SIG_DFL, "the handler is gone");
	need(sigaction(SIGUSR2, NULL, &sa));
	expect(sa.sa_handler == SIG_IGN, "the ignored signal is ignored");
	need(sigprocmask(SIG_BLOCK, NULL, &set));
	expect(sigismember(&set, SIGTERM) && sigismember(&set, SIGRTMIN), "the mask is kept");
	expect(!sigismember(&set, SIGHUP), "nothing else was blocked");
	need(sigpending(&set));
	expect(sigismember(&set, SIGTERM) && sigismember(&set, SIGRTMIN), "still pending");
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	need(sigwaitinfo(&set, &si));
	expect(si.si_code == SI_QUEUE && si.si_value.sival_int == 4711, "queued value %d",
	       si.si_value.sival_int);
	expect_eq_long(si.si_pid, getpid(), "sender");
	need(sigaltstack(NULL, &ss));
	expect(ss.ss_flags == SS_DISABLE, "the alternate stack is gone");
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	need(sigwaitinfo(&set, &si));
	expect_eq_long(si.si_signo, SIGTERM, "pending signal");
	raise(SIGUSR2);
	return done();
}

int main(int argc, char **argv)
{
	static char alternate[65536];
	stack_t ss = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	union sigval value = {.sival_int = 4711};

	if (argc > 1)
		return second();
	handle(SIGUSR1, handler, 0);
	signal(SIGUSR2, SIG_IGN);
	need(sigaltstack(&ss, NULL));
	raise(SIGUSR1);
	expect_eq_long(hits, 1, "handler calls before exec");
	mask_signal(SIG_BLOCK, SIGTERM);
	mask_signal(SIG_BLOCK, SIGRTMIN);
	need(kill(getpid(), SIGTERM));
	need(sigqueue(getpid(), SIGRTMIN, value));
	need(execl("/proc/self/exe", "exec_signals", "second", NULL));
	return 1;
}
