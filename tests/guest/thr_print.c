/* Eight threads print interleaved lines, each line and the order of lines under one mutex. */
#include "guest_task.h"
#include <pthread.h>
#include <sys/random.h>

#define THREADS 8
#define LINES	6

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int lines;

static void *body(void *arg)
{
	unsigned char random[8];

	for (int i = 0; i < LINES; i++) {
		struct timespec now;
		need(getrandom(random, sizeof(random), 0));
		need(clock_gettime(CLOCK_MONOTONIC, &now));
		pthread_mutex_lock(&lock);
		show("line %d: thread %d tid %ld at %ld.%09ld, random %016llx", lines++,
		     (int)(intptr_t)arg, syscall(SYS_gettid), now.tv_sec, now.tv_nsec,
		     (unsigned long long)hash_bytes(random, sizeof(random)));
		pthread_mutex_unlock(&lock);
		if (random[0] & 1)
			sched_yield();
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];

	for (intptr_t i = 0; i < THREADS; i++)
		need_zero(pthread_create(&threads[i], NULL, body, (void *)i));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	expect_eq_long(lines, THREADS * LINES, "lines");
	return done();
}
