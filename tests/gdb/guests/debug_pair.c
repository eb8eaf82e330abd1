/* For a debugger: two threads that take turns, compute between them, and get signals. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TURNS 40

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;
static volatile unsigned long handled;
unsigned long total;
char text[256];

static void on_signal(int signal)
{
	handled += (unsigned long)signal;
}

static unsigned long compute(unsigned long seed, int rounds)
{
	double sum = 0;

	for (int i = 0; i < rounds; i++) {
		seed = seed * 6364136223846793005ul + 1442695040888963407ul;
		sum += (double)(seed >> 40) / 3;
	}
	return seed ^ (unsigned long)sum;
}

static unsigned long descend(int depth, unsigned long value)
{
	return depth ? descend(depth - 1, value) + (unsigned long)depth : compute(value, 50);
}

static void *work(void *argument)
{
	int own = *(int *)argument;

	for (int i = 0; i < TURNS; i++) {
		pthread_mutex_lock(&mutex);
		while (turn != own)
			pthread_cond_wait(&changed, &mutex);
		total += descend(i % 10, total);
		snprintf(text, sizeof(text), "%d: %lu", own, total);
		memmove(text + 100, text, strlen(text) + 1);
		turn = !own;
		pthread_cond_signal(&changed);
		pthread_mutex_unlock(&mutex);
		if (i % 16 == own)
			raise(SIGUSR1);
		total += compute((unsigned long)i, 3000) & 1 & (unsigned long)own;
	}
	return NULL;
}

int main(void)
{
	int numbers[] = {0, 1};
	pthread_t other;

	signal(SIGUSR1, on_signal);
	pthread_create(&other, NULL, work, &numbers[1]);
	work(&numbers[0]);
	pthread_join(other, NULL);
	printf("%lu %lu %s\n", total, handled, text + 100);
	return 0;
}
