/* spin WAITS: two threads wait for each other by spinning, so many times in all. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

static volatile long token;
static long waits;

static void *play(void *me)
{
	while (token < waits) {
		while (token < waits && token % 2 != (intptr_t)me)
			__builtin_ia32_pause();
		token++;
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	waits = argc > 1 ? atol(argv[1]) : 20;
	pthread_create(&thread, NULL, play, (void *)1);
	play(NULL);
	pthread_join(thread, NULL);
	return 0;
}
