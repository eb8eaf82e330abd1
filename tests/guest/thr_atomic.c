/* Atomic counters, compare-and-swap lists, and reading a flag published by another thread. */
#include "guest_task.h"
#include <pthread.h>
#include <stdatomic.h>

#define THREADS 6
#define ROUNDS	300

struct node {
	struct node *next;
	int owner;
};

static atomic_long counter;
static atomic_uint flags;
static _Atomic(struct node *) head;
static struct node nodes[THREADS][ROUNDS];
static atomic_int published;
static int payload[64];

static void *body(void *arg)
{
	int self = (int)(intptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct node *node = &nodes[self][i];
		atomic_fetch_add(&counter, i);
		atomic_fetch_xor(&flags, 1u << self);
		node->owner = self;
		node->next = atomic_load(&head);
		while (!atomic_compare_exchange_weak(&head, &node->next, node))
			;
		if (i % 32 == 0)
			sched_yield();
	}
	return NULL;
}

static void *subscriber(void *arg)
{
	int version, last = 0, seen = 0;

	while ((version = atomic_load_explicit(&published, memory_order_acquire)) >= 0) {
		/* The payload is never older than the version. */
		if (version != last) {
			if (payload[version] != version * 3)
				expect(false, "payload %d is %d", version, payload[version]);
			last = version;
			seen++;
		}
		sched_yield();
	}
	show("subscriber saw %d versions", seen);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS], thread;
	int count = 0, changes = 0, last = -1;

	for (intptr_t i = 0; i < THREADS; i++)
		need_zero(pthread_create(&threads[i], NULL, body, (void *)i));
	need_zero(pthread_create(&thread, NULL, subscriber, NULL));
	for (int v = 1; v < 64; v++) {
		payload[v] = v * 3;
		atomic_store_explicit(&published, v, memory_order_release);
		sched_yield();
	}
	atomic_store(&published, -1);
	pthread_join(thread, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (struct node *node = atomic_load(&head); node != NULL; node = node->next) {
		count++;
		changes += node->owner != last;
		last = node->owner;
	}
	expect_eq_long(count, THREADS * ROUNDS, "nodes in the list");
	show("the owner changes %d times along it", changes);
	expect_eq_long(atomic_load(&counter), THREADS * ROUNDS * (ROUNDS - 1) / 2, "counter");
	expect_eq_long(atomic_load(&flags), 0, "flags");
	return done();
}
