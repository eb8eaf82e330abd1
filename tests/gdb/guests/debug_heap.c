/* For a debugger: one of eight threads writes over another's object; that one notices, and aborts. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 8
#define ROUNDS	50

struct object {
	long owner, payload[7];
};

static struct object *objects[THREADS];
static pthread_barrier_t barrier;

static void use(struct object *object, long owner)
{
	for (int i = 0; i < 7; i++)
		object->payload[i] += owner;
	if (object->owner != owner)
		abort();
}

static void spoil(void)
{
	struct object *wrong = objects[5];

	wrong->owner = 99; /* the bug */
}

static void *worker(void *argument)
{
	long me = (long)argument;

	objects[me] = calloc(1, sizeof(struct object));
	objects[me]->owner = me;
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < ROUNDS; i++) {
		if (me == 2 && i == ROUNDS / 2)
			spoil();
		use(objects[me], me);
		if (i % 10 == 0)
			pthread_barrier_wait(&barrier);
	}
	pthread_barrier_wait(&barrier);
	if (me == 5)
		use(objects[me], me);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];

	pthread_barrier_init(&barrier, NULL, THREADS);
	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, worker, (void *)i);
	for (long i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	puts("nothing was noticed");
	return 0;
}
