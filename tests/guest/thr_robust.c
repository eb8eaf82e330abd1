/* Robust mutexes whose owner dies: a thread that ends, and a process killed by SIGKILL. */
#include "guest_task.h"
#include <pthread.h>

struct shared {
	pthread_mutex_t mutex;
	int data;
};

static void init(struct shared *sh)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	need_zero(pthread_mutex_init(&sh->mutex, &attr));
	sh->data = 0;
}

static void *dying(void *arg)
{
	struct shared *sh = arg;
	pthread_mutex_lock(&sh->mutex);
	sh->data = 1;
	return NULL;
}

static void owner_thread(struct shared *sh)
{
	pthread_t thread;

	init(sh);
	need_zero(pthread_create(&thread, NULL, dying, sh));
	pthread_join(thread, NULL);
	expect_eq_long(pthread_mutex_lock(&sh->mutex), EOWNERDEAD, "lock after a thread's death");
	expect_eq_long(sh->data, 1, "data");
	expect_eq_long(pthread_mutex_consistent(&sh->mutex), 0, "made consistent");
	expect_eq_long(pthread_mutex_unlock(&sh->mutex), 0, "unlock");
	expect_eq_long(pthread_mutex_lock(&sh->mutex), 0, "lock");
	expect_eq_long(pthread_mutex_unlock(&sh->mutex), 0, "unlock");
}

/* waiting: block on the mutex in another process before its owner is killed. */
static void owner_process(struct shared *sh, bool waiting)
{
	struct gate ready = gate_make();
	pid_t waiter = 0;

	init(sh);
	pid_t owner = need(fork());
	if (owner == 0) {
		pthread_mutex_lock(&sh->mutex);
		sh->data = 2;
		gate_open(ready);
		for (;;)
			pause();
	}
	gate_wait(ready);
	if (waiting) {
		waiter = need(fork());
		if (waiter == 0) {
			gate_open(ready);
			int err = pthread_mutex_lock(&sh->mutex);
			/* Dies with it, too: without having made it consistent. */
			_exit(err == EOWNERDEAD ? 91 : 1);
		}
		gate_wait(ready);
	}
	need(kill(owner, SIGKILL));
	int status = wait_status(owner, 0);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "owner %d killed", owner);
	if (waiting)
		expect_child(waiter, 91);
	expect_eq_long(pthread_mutex_lock(&sh->mutex), EOWNERDEAD, "lock after a process's death");
	expect_eq_long(sh->data, 2, "data");
	/* Unlocked without being made consistent, it is useless for ever. */
	expect_eq_long(pthread_mutex_unlock(&sh->mutex), 0, "unlock");
	expect_eq_long(pthread_mutex_lock(&sh->mutex), ENOTRECOVERABLE, "lock");
}

int main(void)
{
	struct shared *sh =
		mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need((long)sh);
	owner_thread(sh);
	owner_process(sh, false);
	owner_process(sh, true);
	return done();
}
