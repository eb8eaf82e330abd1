/*
 * Semaphores between threads and between processes; spin locks and a ticket lock with
 * sched_yield.
 */
#include "guest_task.h"
#include <pthread.h>
#include <semaphore.h>

#define THREADS 4
#define ROUNDS	60

static sem_t slots;
static int inside, most;
static pthread_spinlock_t spin;
static int next_ticket, now_serving;
static int spun, ticketed, yields;

static void *body(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		while (sem_wait(&slots) == -1)
			;
		int n = __atomic_add_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		if (n > __atomic_load_n(&most, __ATOMIC_SEQ_CST))
			__atomic_store_n(&most, n, __ATOMIC_SEQ_CST);
		sched_yield();
		__atomic_sub_fetch(&inside, 1, __ATOMIC_SEQ_CST);
		sem_post(&slots);

		/* Never wait in user code alone: the holder needs a chance to run. */
		while (pthread_spin_trylock(&spin) != 0)
			sched_yield();
		spun++;
		pthread_spin_unlock(&spin);

		int ticket = __atomic_fetch_add(&next_ticket, 1, __ATOMIC_SEQ_CST);
		while (__atomic_load_n(&now_serving, __ATOMIC_ACQUIRE) != ticket) {
			__atomic_fetch_add(&yields, 1, __ATOMIC_RELAXED);
			sched_yield();
		}
		ticketed++;
		if (i % 8 == 0)
			sched_yield();
		__atomic_store_n(&now_serving, ticket + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	struct timespec past = {1, 0};
	int value = -1;

	need(sem_init(&slots, 0, 2));
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	for (int i = 0; i < THREADS; i++)
		need_zero(pthread_create(&threads[i], NULL, body, NULL));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	expect(most >= 1 && most <= 2, "at most 2 in the semaphore, seen %d", most);
	expect_eq_long(spun, THREADS * ROUNDS, "counter under the spin lock");
	expect_eq_long(ticketed, THREADS * ROUNDS, "counter under the ticket lock");
	show("%d yields for tickets", yields);
	need(sem_getvalue(&slots, &value));
	expect_eq_long(value, 2, "value of the semaphore");
	need(sem_wait(&slots));
	need(sem_wait(&slots));
	expect_errno(sem_trywait(&slots), EAGAIN);
	expect_errno(sem_timedwait(&slots, &past), ETIMEDOUT);

	sem_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need((long)shared);
	need(sem_init(&shared[0], 1, 0));
	need(sem_init(&shared[1], 1, 0));
	pid_t pid = need(fork());
	for (int i = 0; i < 20; i++) {
		need(sem_post(&shared[pid == 0]));
		while (sem_wait(&shared[pid != 0]) == -1)
			;
	}
	if (pid == 0)
		_exit(done());
	expect_child(pid, 0);
	return done();
}
