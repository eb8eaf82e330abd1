/* guest: status 57 */
/* exit() from a thread, while the main thread and others are blocked: handlers run, all end. */
#include "guest_task.h"
#include <pthread.h>

static struct gate never, ready;

static void at_exit(void)
{
	show("the exit handler runs in thread %ld of %d", syscall(SYS_gettid), getpid());
}

static void *blocked(void *arg)
{
	gate_open(ready);
	gate_wait(never);
	return NULL;
}

static void *exiting(void *arg)
{
	for (int i = 0; i < 4; i++)
		gate_wait(ready);
	show("all are blocked, or soon");
	if (guest_failures)
		exit(1);
	exit(57);
}

int main(void)
{
	pthread_t thread;

	never = gate_make();
	ready = gate_make();
	atexit(at_exit);
	for (int i = 0; i < 4; i++)
		need_zero(pthread_create(&thread, NULL, blocked, NULL));
	need_zero(pthread_create(&thread, NULL, exiting, NULL));
	gate_wait(never);
	expect(false, "the main thread went on");
	return done();
}
