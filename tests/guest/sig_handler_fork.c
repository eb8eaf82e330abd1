/* A handler that forks; the child returns from the handler, too, and goes its own way. */
#include "guest_task.h"

static volatile pid_t pids[8];
static volatile int count;
static volatile int generation;

static void handler(int sig, siginfo_t *si, void *uc)
{
	pid_t pid = fork();

	if (pid == 0)
		generation++;
	else
		pids[count++] = pid;
}

int main(void)
{
	struct gate gate = gate_make();
	pid_t top = getpid();
	long sum = 0;

	handle(SIGUSR1, handler, 0);
	for (int i = 0; i < 3; i++) {
		int before = generation;
		for (int k = 0; k < 1000; k++)
			sum = sum * 31 + k;
		raise(SIGUSR1);
		if (generation != before) {
			/* Children: nobody forks from them again. */
			expect(getpid() != top && getppid() == top, "child %d after the handler",
			       getpid());
			gate_open(gate);
			_exit(done() + 60 + i);
		}
	}
	expect_eq_long(count, 3, "children");
	for (int i = 0; i < 3; i++) {
		gate_wait(gate);
		expect_child(pids[i], 60 + i);
	}
	show("sum %ld", sum);

	/* Out of an interrupted call. */
	count = 0;
	handle(SIGALRM, handler, 0);
	mask_signal(SIG_BLOCK, SIGALRM);
	sigset_t none;
	sigemptyset(&none);
	struct itimerval once = {.it_value.tv_usec = 2000};
	need(setitimer(ITIMER_REAL, &once, NULL));
	long ret = sigsuspend(&none);
	if (generation != 0)
		_exit(ret == -1 && errno == EINTR ? 70 : 1);
	expect(ret == -1, "sigsuspend returned in the parent");
	expect_child(pids[0], 70);
	return done();
}
