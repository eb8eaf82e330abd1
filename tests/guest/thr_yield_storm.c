/* Eight threads that do little but yield, and take turns by that alone. */
#include "guest_task.h"
#include <pthread.h>

#define THREADS 8
#define TURNS	40

static int turn;
static int yields;
static unsigned char order[THREADS * 200];
static int steps;

static void *in_turn(void *arg)
{
	int self = (int)(intptr_t)arg;

	for (int i = 0; i < TURNS; i++) {
		while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) % THREADS != self) {
			__atomic_fetch_add(&yields, 1, __ATOMIC_RELAXED);
			sched_yield();
		}
		__atomic_fetch_add(&turn, 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void *storm(void *arg)
{
	for (int i = 0; i < 200; i++) {
		int at = __atomic_fetch_add(&steps, 1, __ATOMIC_SEQ_CST);
		order[at] = (unsigned char)(intptr_t)arg;
		sched_yield();
	}
	return NULL;
}

static void run(void *(*body)(void *))
{
	pthread_t threads[THREADS];

	for (intptr_t i = 0; i < THREADS; i++)
		need_zero(pthread_create(&threads[i], NULL, body, (void *)i));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

int main(void)
{
	run(in_turn);
	expect_eq_long(turn, THREADS * TURNS, "turns");
	show("%d yields", yields);
	run(storm);
	expect_eq_long(steps, THREADS * 200, "steps");
	show("order %016llx", (unsigned long long)hash_bytes(order, sizeof(order)));
	return done();
}
