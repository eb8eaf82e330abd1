/* Mutexes: contended counter, recursive, error-checking, trylock, timed lock. */
#include "guest_task.h"
#include <pthread.h>

#define THREADS 6
#define ROUNDS	200

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int counter;
static unsigned char owners[THREADS * ROUNDS];

static void *body(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&lock);
		owners[counter] = (unsigned char)(intptr_t)arg;
		if (i % 16 == 0)
			sched_yield();
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *try(void *arg)
{
	struct timespec past = {1, 0};
	pthread_mutex_t *mutex = arg;

	expect_eq_long(pthread_mutex_trylock(mutex), EBUSY, "trylock from another thread");
	expect_eq_long(pthread_mutex_timedlock(mutex, &past), ETIMEDOUT, "timed lock");
	return NULL;
}

static void typed(int type, int again, int foreign_unlock)
{
	pthread_mutexattr_t attr;
	pthread_mutex_t mutex;
	pthread_t thread;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type);
	pthread_mutex_init(&mutex, &attr);
	expect_eq_long(pthread_mutex_lock(&mutex), 0, "lock");
	expect_eq_long(pthread_mutex_lock(&mutex), again, "lock again");
	need_zero(pthread_create(&thread, NULL, try, &mutex));
	pthread_join(thread, NULL);
	expect_eq_long(pthread_mutex_unlock(&mutex), 0, "unlock");
	if (again == 0)
		expect_eq_long(pthread_mutex_unlock(&mutex), 0, "unlock again");
	expect_eq_long(pthread_mutex_unlock(&mutex), foreign_unlock, "unlock when not held");
	expect_eq_long(pthread_mutex_destroy(&mutex), 0, "destroy");
}

int main(void)
{
	pthread_t threads[THREADS];

	for (intptr_t i = 0; i < THREADS; i++)
		need_zero(pthread_create(&threads[i], NULL, body, (void *)i));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	expect_eq_long(counter, THREADS * ROUNDS, "counter");
	show("order of the owners %016llx", (unsigned long long)hash_bytes(owners, sizeof(owners)));
	typed(PTHREAD_MUTEX_RECURSIVE, 0, EPERM);
	typed(PTHREAD_MUTEX_ERRORCHECK, EDEADLK, EPERM);
	return done();
}
