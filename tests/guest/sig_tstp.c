/* SIGTSTP caught, then taken by its default action from inside the handler, as editors do. */
#include "guest_task.h"

static volatile int stops, conts;

static void on_tstp(int sig, siginfo_t *si, void *uc)
{
	stops++;
	signal(SIGTSTP, SIG_DFL);
	mask_signal(SIG_UNBLOCK, SIGTSTP);
	raise(SIGTSTP);
	/* Here again after SIGCONT. */
	handle(SIGTSTP, on_tstp, 0);
}

static void on_cont(int sig, siginfo_t *si, void *uc)
{
	conts++;
}

int main(void)
{
	struct gate ready = gate_make(), go = gate_make();

	pid_t pid = need(fork());
	if (pid == 0) {
		/* It stops nothing in an orphaned group, but our parent is in another. */
		need(setpgid(0, 0));
		handle(SIGTSTP, on_tstp, 0);
		handle(SIGCONT, on_cont, 0);
		for (int i = 0; i < 3; i++) {
			gate_open(ready);
			gate_wait(go);
		}
		expect_eq_long(stops, 3, "SIGTSTP handled");
		expect_eq_long(conts, 3, "SIGCONT handled");
		_exit(done());
	}
	for (int i = 0; i < 3; i++) {
		gate_wait(ready);
		need(kill(pid, SIGTSTP));
		int status = wait_status(pid, WUNTRACED);
		expect(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP, "stopped by SIGTSTP");
		need(kill(pid, SIGCONT));
		gate_open(go);
	}
	expect_child(pid, 0);

	/* Ignored or blocked, it does not stop; SIGCONT removes one that is pending. */
	sigset_t set;
	signal(SIGTSTP, SIG_IGN);
	raise(SIGTSTP);
	signal(SIGTSTP, SIG_DFL);
	mask_signal(SIG_BLOCK, SIGTSTP);
	raise(SIGTSTP);
	need(sigpending(&set));
	expect(sigismember(&set, SIGTSTP), "SIGTSTP is pending");
	raise(SIGCONT);
	need(sigpending(&set));
	expect(!sigismember(&set, SIGTSTP), "SIGCONT removed it");
	mask_signal(SIG_UNBLOCK, SIGTSTP);
	return done();
}
