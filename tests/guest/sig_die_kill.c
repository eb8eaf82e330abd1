/* guest: signal SIGKILL */
/* A child kills its parent with SIGKILL while threads of it yield and block. */
#include "guest_task.h"
#include <pthread.h>

static struct gate never, ready;

static void *body(void *arg)
{
	gate_open(ready);
	if (arg == NULL) {
		gate_wait(never);
		return NULL;
	}
	for (;;)
		sched_yield();
}

int main(void)
{
	pthread_t thread;
	pid_t parent = getpid();
	struct gate kill_now = gate_make();

	never = gate_make();
	ready = gate_make();
	pid_t pid = need(fork());
	if (pid == 0) {
		gate_wait(kill_now);
		show("child %d kills its parent %d", getpid(), parent);
		need(kill(parent, SIGKILL));
		_exit(0);
	}
	for (intptr_t i = 0; i < 4; i++)
		need_zero(pthread_create(&thread, NULL, body, (void *)(i % 2)));
	for (int i = 0; i < 4; i++)
		gate_wait(ready);
	gate_open(kill_now);
	gate_wait(never);
	return 1;
}
