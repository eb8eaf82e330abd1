/*
 * Mutexes with priority inheritance (futex PI operations), contended; pthread_once; raw
 * FUTEX_LOCK_PI.
 */
#include "guest_task.h"
#include <pthread.h>

#define THREADS 4
#define ROUNDS	50

static pthread_mutex_t mutex;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int counter, once_calls;
static int word;
static int raw_counter;

static void init(void)
{
	once_calls++;
	sched_yield();
}

static void *body(void *arg)
{
	int tid = (int)syscall(SYS_gettid);

	pthread_once(&once, init);
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		if (i % 8 == 0)
			sched_yield();
		pthread_mutex_unlock(&mutex);

		/* The kernel's protocol: the word holds the owner's tid, or 0. */
		int free_word = 0;
		if (!__atomic_compare_exchange_n(&word, &free_word, tid, false, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST)) {
			while (futex(&word, FUTEX_LOCK_PI, 0, NULL) == -1)
				if (errno != EAGAIN && errno != EINTR)
					expect(false, "FUTEX_LOCK_PI");
		}
		raw_counter++;
		int mine = tid;
		if (!__atomic_compare_exchange_n(&word, &mine, 0, false, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
			if (futex(&word, FUTEX_UNLOCK_PI, 0, NULL) == -1)
				expect(false, "FUTEX_UNLOCK_PI");
	}
	return NULL;
}

int main(void)
{
	pthread_mutexattr_t attr;
	pthread_t threads[THREADS];

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	need_zero(pthread_mutex_init(&mutex, &attr));
	for (int i = 0; i < THREADS; i++)
		need_zero(pthread_create(&threads[i], NULL, body, NULL));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	expect_eq_long(counter, THREADS * ROUNDS, "counter");
	expect_eq_long(raw_counter, THREADS * ROUNDS, "raw counter");
	expect_eq_long(once_calls, 1, "calls by pthread_once");
	expect_eq_long(word, 0, "futex word");
	word = 0;
	expect_eq_long(futex(&word, FUTEX_LOCK_PI, 0, NULL), 0, "FUTEX_LOCK_PI");
	expect_eq_long(word & FUTEX_TID_MASK, syscall(SYS_gettid), "owner");
	expect_errno(futex(&word, FUTEX_LOCK_PI, 0, NULL), EDEADLK);
	expect_eq_long(futex(&word, FUTEX_UNLOCK_PI, 0, NULL), 0, "FUTEX_UNLOCK_PI");
	expect_errno(futex(&word, FUTEX_UNLOCK_PI, 0, NULL), EPERM);
	return done();
}
