/* Real-time signals queue, keep their values, and come in order of number and of sending. */
#include "guest_task.h"
#include <sys/resource.h>

static struct {
	int sig;
	int value;
} seen[64];
static volatile int count;

static void handler(int sig, siginfo_t *si, void *uc)
{
	seen[count].sig = sig;
	seen[count].value = si->si_value.sival_int;
	count++;
}

int main(void)
{
	sigset_t set, old;
	struct rlimit limit;
	pid_t me = getpid();

	sigfillset(&set);
	for (int i = 0; i < 4; i++) {
		struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
		/* The whole set: no handler interrupts another. */
		sa.sa_mask = set;
		need(sigaction(SIGRTMIN + i, &sa, NULL));
	}
	need(sigprocmask(SIG_SETMASK, &set, &old));
	for (int i = 0; i < 40; i++) {
		union sigval value = {.sival_int = i};
		need(sigqueue(me, SIGRTMIN + i % 4, value));
	}
	need(sigprocmask(SIG_SETMASK, &old, NULL));
	expect_eq_long(count, 40, "signals");
	for (int i = 0; i < count; i++) {
		int want_sig = SIGRTMIN + i / 10, want_value = i % 10 * 4 + i / 10;
		if (seen[i].sig != want_sig || seen[i].value != want_value)
			expect(false, "signal %d: %d value %d", i, seen[i].sig, seen[i].value);
	}
	show("first %d/%d, last %d/%d", seen[0].sig, seen[0].value, seen[39].sig, seen[39].value);

	/* A process may queue only so many. */
	pid_t pid = need(fork());
	if (pid == 0) {
		union sigval value = {.sival_int = 1};
		need(getrlimit(RLIMIT_SIGPENDING, &limit));
		limit.rlim_cur = 0;
		need(setrlimit(RLIMIT_SIGPENDING, &limit));
		need(sigprocmask(SIG_SETMASK, &set, NULL));
		expect_errno(sigqueue(getpid(), SIGRTMIN, value), EAGAIN);
		/* An ordinary signal needs no queue entry. */
		expect_eq_long(kill(getpid(), SIGUSR1), 0, "kill");
		_exit(done());
	}
	expect_child(pid, 0);
	return done();
}
