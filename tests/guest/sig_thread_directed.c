/* pthread_kill() and tgkill() to one thread; a process signal goes to a thread that lets it in. */
#include "guest_task.h"
#include <pthread.h>

#define THREADS 4

static struct gate ready, hit;
static volatile long tids[THREADS];
static volatile long got_by[16];
static volatile int hits;

static void handler(int sig, siginfo_t *si, void *uc)
{
	got_by[__atomic_fetch_add(&hits, 1, __ATOMIC_SEQ_CST) & 15] = syscall(SYS_gettid);
	gate_open(hit);
}

static void *body(void *arg)
{
	int self = (int)(intptr_t)arg;
	sigset_t set;

	/* SIGUSR2 is let in by the last thread only. */
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	if (self == THREADS - 1)
		sigdelset(&set, SIGUSR2);
	sigdelset(&set, SIGUSR1);
	tids[self] = syscall(SYS_gettid);
	gate_open(ready);
	for (;;) {
		sigset_t now = set;
		sigsuspend(&now);
		sigset_t pending;
		sigpending(&pending);
		if (sigismember(&pending, SIGHUP))
			return NULL;
	}
}

int main(void)
{
	pthread_t threads[THREADS];

	ready = gate_make();
	hit = gate_make();
	handle(SIGUSR1, handler, 0);
	handle(SIGUSR2, handler, 0);
	mask_signal(SIG_BLOCK, SIGUSR1);
	mask_signal(SIG_BLOCK, SIGUSR2);
	mask_signal(SIG_BLOCK, SIGHUP);
	for (intptr_t i = 0; i < THREADS; i++)
		need_zero(pthread_create(&threads[i], NULL, body, (void *)i));
	for (int i = 0; i < THREADS; i++)
		gate_wait(ready);
	for (int i = 0; i < THREADS; i++) {
		if (i % 2)
			need_zero(pthread_kill(threads[i], SIGUSR1));
		else
			need(syscall(SYS_tgkill, getpid(), tids[i], SIGUSR1));
		gate_wait(hit);
		expect_eq_long(got_by[i], tids[i], "thread that got it");
	}
	for (int i = 0; i < 3; i++) {
		need(kill(getpid(), SIGUSR2));
		gate_wait(hit);
		expect_eq_long(got_by[THREADS + i], tids[THREADS - 1], "thread that lets it in");
	}
	/* Pending for the process: each thread sees it after its next signal, or before. */
	need(kill(getpid(), SIGHUP));
	for (int i = 0; i < THREADS; i++) {
		pthread_kill(threads[i], SIGUSR1);
		pthread_join(threads[i], NULL);
	}
	expect(hits >= THREADS + 3 && hits <= 2 * THREADS + 3, "%d signals", hits);
	return done();
}
