/*
 * Threads with different signal masks: what a new thread inherits, and pending sets of their
 * own.
 */
#include "guest_task.h"
#include <pthread.h>

#define THREADS 6

static struct gate ready, go;

static void *body(void *arg)
{
	int self = (int)(intptr_t)arg;
	sigset_t set, pending;

	need_zero(pthread_sigmask(SIG_BLOCK, NULL, &set));
	/* Main blocks one signal more before each thread. */
	for (int i = 0; i < THREADS; i++)
		if (sigismember(&set, SIGRTMIN + i) != (i <= self))
			expect(false, "thread %d: signal %d", self, i);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	need_zero(pthread_sigmask(SIG_BLOCK, &set, NULL));
	gate_open(ready);
	gate_wait(go);
	need(sigpending(&pending));
	/* Odd threads were sent one. */
	bool mine = sigismember(&pending, SIGUSR1) == 1;
	if (mine) {
		int sig = 0;
		sigwait(&set, &sig);
		if (sig != SIGUSR1)
			expect(false, "sigwait: %d", sig);
	}
	return (void *)(intptr_t)mine;
}

int main(void)
{
	pthread_t threads[THREADS];
	sigset_t set;
	void *result;

	ready = gate_make();
	go = gate_make();
	for (intptr_t i = 0; i < THREADS; i++) {
		mask_signal(SIG_BLOCK, SIGRTMIN + (int)i);
		need_zero(pthread_create(&threads[i], NULL, body, (void *)i));
	}
	for (int i = 0; i < THREADS; i++)
		gate_wait(ready);
	for (int i = 1; i < THREADS; i += 2)
		need_zero(pthread_kill(threads[i], SIGUSR1));
	need(sigpending(&set));
	expect(!sigismember(&set, SIGUSR1), "none is pending for main");
	for (int i = 0; i < THREADS; i++)
		gate_open(go);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		expect_eq_long((long)result, i % 2, "pending for the thread");
	}
	need_zero(pthread_sigmask(SIG_BLOCK, NULL, &set));
	expect(!sigismember(&set, SIGUSR1), "main's mask is its own");
	return done();
}
