/* Two processes that answer each other's signals a hundred times. */
#include "guest_task.h"

#define ROUNDS 100

static volatile int hits;

static void handler(int sig, siginfo_t *si, void *uc)
{
	hits++;
}

static void await(int wanted)
{
	sigset_t none;
	sigemptyset(&none);
	while (hits < wanted)
		sigsuspend(&none);
}

int main(void)
{
	pid_t parent = getpid();

	handle(SIGUSR1, handler, 0);
	mask_signal(SIG_BLOCK, SIGUSR1);
	pid_t pid = need(fork());
	if (pid == 0) {
		for (int i = 1; i <= ROUNDS; i++) {
			await(i);
			need(kill(parent, SIGUSR1));
		}
		_exit(hits == ROUNDS ? 0 : 1);
	}
	for (int i = 1; i <= ROUNDS; i++) {
		need(kill(pid, SIGUSR1));
		await(i);
	}
	expect_eq_long(hits, ROUNDS, "answers from the child");
	expect_child(pid, 0);
	return done();
}
