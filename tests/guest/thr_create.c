/* Fifty threads at once, joined with their results; then fifty detached ones. */
#include "guest_task.h"
#include <pthread.h>

#define THREADS 50

static struct gate go;
static struct gate ended;

static void *body(void *arg)
{
	intptr_t self = (intptr_t)arg;

	gate_wait(go);
	return (void *)(self * self + syscall(SYS_gettid) * 100000);
}

static void *detached(void *arg)
{
	if ((intptr_t)arg % 2)
		need_zero(pthread_detach(pthread_self()));
	gate_open(ended);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_attr_t attr;
	long last = 0;

	go = gate_make();
	ended = gate_make();
	for (intptr_t i = 0; i < THREADS; i++)
		need_zero(pthread_create(&threads[i], NULL, body, (void *)i));
	for (int i = 0; i < THREADS; i++)
		gate_open(go);
	for (int i = 0; i < THREADS; i++) {
		void *result;
		need_zero(pthread_join(threads[i], &result));
		long value = (long)result;
		if (value % 100000 != i * i)
			expect(false, "result of thread %d: %ld", i, value);
		last = value / 100000;
	}
	show("last thread was %ld, first handle %#lx", last, threads[0]);
	expect(last != getpid(), "threads have numbers of their own");

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (intptr_t i = 0; i < THREADS; i++) {
		pthread_t thread;
		need_zero(pthread_create(&thread, i % 2 ? NULL : &attr, detached, (void *)i));
	}
	for (int i = 0; i < THREADS; i++)
		expect(gate_wait(ended), "a detached thread came to its end");
	expect_eq_long(pthread_join(pthread_self(), NULL), EDEADLK, "joining oneself");
	return done();
}
