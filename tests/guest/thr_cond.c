/* Condition variables: a bounded buffer, broadcast, and a wait that times out. */
#include "guest_task.h"
#include <pthread.h>

#define ITEMS 300
#define SLOTS 8

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static int slots[SLOTS], head, tail;
static int taken, waits;
static bool closed;

static void *consumer(void *arg)
{
	long sum = 0;

	pthread_mutex_lock(&lock);
	for (;;) {
		while (head == tail && !closed) {
			waits++;
			pthread_cond_wait(&not_empty, &lock);
		}
		if (head == tail)
			break;
		sum += slots[tail++ % SLOTS];
		taken++;
		pthread_cond_signal(&not_full);
	}
	pthread_mutex_unlock(&lock);
	return (void *)sum;
}

static void *producer(void *arg)
{
	int base = (int)(intptr_t)arg;

	for (int i = 0; i < ITEMS; i++) {
		pthread_mutex_lock(&lock);
		while (head - tail == SLOTS)
			pthread_cond_wait(&not_full, &lock);
		slots[head++ % SLOTS] = base + i;
		pthread_cond_signal(&not_empty);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

int main(void)
{
	pthread_t producers[2], consumers[3];
	struct timespec now;
	void *result;
	long sum = 0;

	for (int i = 0; i < 3; i++)
		need_zero(pthread_create(&consumers[i], NULL, consumer, NULL));
	for (intptr_t i = 0; i < 2; i++)
		need_zero(pthread_create(&producers[i], NULL, producer, (void *)(i * 1000)));
	for (int i = 0; i < 2; i++)
		pthread_join(producers[i], NULL);
	pthread_mutex_lock(&lock);
	closed = true;
	pthread_cond_broadcast(&not_empty);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 3; i++) {
		pthread_join(consumers[i], &result);
		show("consumer %d took items worth %ld", i, (long)result);
		sum += (long)result;
	}
	expect_eq_long(taken, 2 * ITEMS, "items taken");
	expect_eq_long(sum, ITEMS * (ITEMS - 1) + 1000 * ITEMS, "sum");
	show("consumers waited %d times", waits);

	need(clock_gettime(CLOCK_REALTIME, &now));
	now.tv_nsec += 2000000;
	now.tv_sec += now.tv_nsec / 1000000000;
	now.tv_nsec %= 1000000000;
	pthread_mutex_lock(&lock);
	int err;
	do
		err = pthread_cond_timedwait(&not_empty, &lock, &now);
	while (err == 0);
	expect_eq_long(err, ETIMEDOUT, "timed wait");
	pthread_mutex_unlock(&lock);
	return done();
}
