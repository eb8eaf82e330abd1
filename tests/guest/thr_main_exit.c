/* guest: status 44 */
/* The main thread ends with pthread_exit(); others go on, and the last one decides the status. */
#include "guest_task.h"
#include <pthread.h>

#define THREADS 3

static pthread_t main_thread;
static pthread_t threads[THREADS];
static struct gate go;

static void *body(void *arg)
{
	int self = (int)(intptr_t)arg;
	void *result = NULL;

	/* All numbers are known by then. */
	gate_wait(go);
	/* Each waits for the one before it, the first for main. */
	pthread_join(self == 0 ? main_thread : threads[self - 1], &result);
	expect_eq_long((long)result, 100 + self, "result of the one before");
	if (self == 0) {
		/* The leader is a zombie, but the process lives. */
		char state = '?';
		while ((state = proc_state(getpid())) != 'Z')
			sched_yield();
		show("leader %d: state %c", getpid(), state);
		expect_eq_long(kill(getpid(), 0), 0, "kill(pid, 0)");
		pid_t pid = need(fork());
		if (pid == 0)
			_exit(getpid() == (int)syscall(SYS_gettid) ? 5 : 6);
		expect_child(pid, 5);
	}
	if (self == THREADS - 1)
		exit(guest_failures ? 1 : 44);
	return (void *)(intptr_t)(101 + self);
}

int main(void)
{
	main_thread = pthread_self();
	go = gate_make();
	for (intptr_t i = 0; i < THREADS; i++)
		need_zero(pthread_create(&threads[i], NULL, body, (void *)i));
	for (int i = 0; i < THREADS; i++)
		gate_open(go);
	pthread_exit((void *)100L);
}
