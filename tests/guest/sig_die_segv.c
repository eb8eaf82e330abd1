/* guest: signal SIGSEGV */
/* Death by a null pointer, after some output and with threads that are blocked. */
#include "guest_task.h"
#include <pthread.h>
#include <sys/resource.h>

static struct gate never, ready;

static void *body(void *arg)
{
	gate_open(ready);
	gate_wait(never);
	return NULL;
}

int main(void)
{
	struct rlimit none = {0, 0};
	volatile int *volatile null = NULL;
	pthread_t thread;

	need(setrlimit(RLIMIT_CORE, &none));
	never = gate_make();
	ready = gate_make();
	for (int i = 0; i < 3; i++)
		need_zero(pthread_create(&thread, NULL, body, NULL));
	for (int i = 0; i < 3; i++)
		gate_wait(ready);
	show("process %d is about to die", getpid());
	*null = 1;
	return 1;
}
