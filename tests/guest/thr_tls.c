/* Thread-local storage: static, keys with destructors in order, C11 threads and their keys. */
#include "guest_task.h"
#include <pthread.h>
#include <threads.h>

#define THREADS 5

static __thread int counter = 100;
static _Thread_local char name[32] = "initial";
static pthread_key_t first, second;
static int destroyed;
static once_flag once = ONCE_FLAG_INIT;
static int once_calls;
static mtx_t lock;
static uintptr_t addresses[THREADS];

static void destroy(void *value)
{
	__atomic_fetch_add(&destroyed, *(int *)value, __ATOMIC_SEQ_CST);
	free(value);
}

/* A destructor that sets its key again is called again. */
static void destroy_again(void *value)
{
	intptr_t round = (intptr_t)value;
	__atomic_fetch_add(&destroyed, 1000, __ATOMIC_SEQ_CST);
	if (round < 3)
		pthread_setspecific(second, (void *)(round + 1));
}

static void init(void)
{
	once_calls++;
}

static int body(void *arg)
{
	int self = (int)(intptr_t)arg;
	int *value = malloc(sizeof(*value));

	call_once(&once, init);
	*value = self;
	addresses[self] = (uintptr_t)&counter;
	pthread_setspecific(first, value);
	pthread_setspecific(second, (void *)1L);
	for (int i = 0; i <= self; i++) {
		counter++;
		sched_yield();
	}
	mtx_lock(&lock);
	show("thread %d: name %s, counter %d at %p", self, name, counter, (void *)&counter);
	mtx_unlock(&lock);
	snprintf(name, sizeof(name), "thread %d", self);
	return counter;
}

int main(void)
{
	thrd_t threads[THREADS];

	need_zero(pthread_key_create(&first, destroy));
	need_zero(pthread_key_create(&second, destroy_again));
	expect(mtx_init(&lock, mtx_plain) == thrd_success, "mtx_init");
	for (intptr_t i = 0; i < THREADS; i++)
		expect(thrd_create(&threads[i], body, (void *)i) == thrd_success, "thrd_create");
	for (int i = 0; i < THREADS; i++) {
		int result = 0;
		expect(thrd_join(threads[i], &result) == thrd_success, "thrd_join");
		expect_eq_long(result, 101 + i, "result");
		for (int k = 0; k < i; k++)
			expect(addresses[k] != addresses[i], "%d and %d have their own", k, i);
	}
	expect_eq_long(counter, 100, "counter of main");
	expect(strcmp(name, "initial") == 0, "name of main");
	expect_eq_long(destroyed, THREADS * (THREADS - 1) / 2 + THREADS * 3000, "destructors");
	expect_eq_long(once_calls, 1, "calls by call_once");
	expect(pthread_getspecific(first) == NULL, "main has no value");
	mtx_destroy(&lock);
	return done();
}
