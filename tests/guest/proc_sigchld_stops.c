/* SIGCHLD for stopped and continued children, and SA_NOCLDSTOP which drops these. */
#include "guest_task.h"

static siginfo_t seen[8];
static volatile int count;

static void on_chld(int sig, siginfo_t *si, void *uc)
{
	if (count < 8)
		seen[count] = *si;
	count++;
}

static pid_t spawn(struct gate gate)
{
	pid_t pid = need(fork());
	if (pid == 0) {
		signal(SIGCHLD, SIG_DFL);
		mask_signal(SIG_UNBLOCK, SIGCHLD);
		gate_wait(gate);
		_exit(7);
	}
	return pid;
}

/* Two pending SIGCHLD would merge into one, so each is awaited before the next can come. */
static void await_signals(int wanted)
{
	sigset_t none;

	sigemptyset(&none);
	while (count < wanted)
		sigsuspend(&none);
}

static void run(int flags, const int *codes, int expected)
{
	struct gate gate = gate_make();
	bool stops = (flags & SA_NOCLDSTOP) == 0;
	siginfo_t si;

	count = 0;
	handle(SIGCHLD, on_chld, flags);
	pid_t pid = spawn(gate);
	need(kill(pid, SIGSTOP));
	await_signals(stops ? 1 : 0);
	need(waitid(P_PID, (id_t)pid, &si, WSTOPPED));
	need(kill(pid, SIGCONT));
	await_signals(stops ? 2 : 0);
	need(waitid(P_PID, (id_t)pid, &si, WCONTINUED));
	gate_open(gate);
	await_signals(expected);
	need(waitid(P_PID, (id_t)pid, &si, WEXITED));
	expect_eq_long(count, expected, "number of SIGCHLD");
	for (int i = 0; i < expected && i < count; i++) {
		expect(seen[i].si_pid == pid && seen[i].si_code == codes[i],
		       "signal %d: pid %d code %d status %d", i, seen[i].si_pid, seen[i].si_code,
		       seen[i].si_status);
	}
}

int main(void)
{
	static const int all[] = {CLD_STOPPED, CLD_CONTINUED, CLD_EXITED};
	static const int end[] = {CLD_EXITED};

	mask_signal(SIG_BLOCK, SIGCHLD);
	run(0, all, 3);
	run(SA_NOCLDSTOP, end, 1);
	return done();
}
