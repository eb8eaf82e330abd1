/* A child stopped and continued ten times by its parent, in the middle of its work. */
#include "guest_task.h"

struct shared {
	int progress;
	int conts;
};

static struct shared *sh;

static void on_cont(int sig, siginfo_t *si, void *uc)
{
	sh->conts++;
}

static void work(struct gate ready)
{
	handle(SIGCONT, on_cont, SA_RESTART);
	gate_open(ready);
	for (;;) {
		__atomic_fetch_add(&sh->progress, 1, __ATOMIC_SEQ_CST);
		sched_yield();
	}
}

int main(void)
{
	struct gate ready = gate_make();
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need((long)sh);
	pid_t pid = need(fork());
	if (pid == 0)
		work(ready);
	gate_wait(ready);
	for (int i = 0; i < 10; i++) {
		need(kill(pid, SIGSTOP));
		int status = wait_status(pid, WUNTRACED);
		expect(WIFSTOPPED(status), "stopped");
		int before = __atomic_load_n(&sh->progress, __ATOMIC_SEQ_CST);
		for (int k = 0; k < 20; k++)
			sched_yield();
		expect_eq_long(__atomic_load_n(&sh->progress, __ATOMIC_SEQ_CST), before,
			       "progress while stopped");
		need(kill(pid, SIGCONT));
		status = wait_status(pid, WCONTINUED);
		expect(WIFCONTINUED(status), "continued");
		while (__atomic_load_n(&sh->progress, __ATOMIC_SEQ_CST) == before)
			sched_yield();
	}
	show("SIGCONT handled %d times", sh->conts);
	expect(sh->conts >= 9, "at most the last one is on its way");
	/* SIGKILL needs no SIGCONT. */
	need(kill(pid, SIGSTOP));
	wait_status(pid, WUNTRACED);
	need(kill(pid, SIGKILL));
	int status = wait_status(pid, 0);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "killed while stopped");
	return done();
}
