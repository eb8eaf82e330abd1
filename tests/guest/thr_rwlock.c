/* Read-write locks and barriers: readers together, writers alone. */
#include "guest_task.h"
#include <pthread.h>

#define READERS 4
#define WRITERS 2
#define ROUNDS	50

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static int readers_inside, most_readers, writers_inside;
static long data[16];
static int wrong, serial;

static void *reader(void *arg)
{
	if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
		__atomic_fetch_add(&serial, 1, __ATOMIC_SEQ_CST);
	pthread_rwlock_rdlock(&lock);
	int inside = __atomic_add_fetch(&readers_inside, 1, __ATOMIC_SEQ_CST);
	if (inside > most_readers)
		most_readers = inside;
	pthread_rwlock_unlock(&lock);
	for (int i = 0; i < ROUNDS; i++) {
		pthread_rwlock_rdlock(&lock);
		for (int k = 1; k < 16; k++)
			if (data[k] != data[0] || writers_inside != 0)
				__atomic_fetch_add(&wrong, 1, __ATOMIC_SEQ_CST);
		if (i % 8 == 0)
			sched_yield();
		pthread_rwlock_unlock(&lock);
	}
	return NULL;
}

static void *writer(void *arg)
{
	if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
		__atomic_fetch_add(&serial, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < ROUNDS; i++) {
		pthread_rwlock_wrlock(&lock);
		writers_inside++;
		for (int k = 0; k < 16; k++) {
			data[k]++;
			if (k == 8)
				sched_yield();
		}
		writers_inside--;
		pthread_rwlock_unlock(&lock);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[READERS + WRITERS];

	pthread_barrier_init(&barrier, NULL, READERS + WRITERS);
	for (int i = 0; i < READERS + WRITERS; i++)
		need_zero(pthread_create(&threads[i], NULL, i < READERS ? reader : writer, NULL));
	for (int i = 0; i < READERS + WRITERS; i++)
		pthread_join(threads[i], NULL);
	expect_eq_long(wrong, 0, "torn reads");
	expect_eq_long(data[15], WRITERS * ROUNDS, "writes");
	expect_eq_long(serial, 1, "serial threads of the barrier");
	show("readers that came by: %d", most_readers);

	need_zero(pthread_rwlock_rdlock(&lock));
	expect_eq_long(pthread_rwlock_tryrdlock(&lock), 0, "a second reader");
	expect_eq_long(pthread_rwlock_trywrlock(&lock), EBUSY, "a writer");
	pthread_rwlock_unlock(&lock);
	pthread_rwlock_unlock(&lock);
	expect_eq_long(pthread_rwlock_trywrlock(&lock), 0, "a writer alone");
	expect_eq_long(pthread_rwlock_rdlock(&lock), EDEADLK, "reading under the own write lock");
	pthread_barrier_destroy(&barrier);
	return done();
}
