/*
 * A robust mutex in shared memory whose owner dies: the kernel writes the word, the next owner is
 * told. Process-shared condition variable and rwlock too.
 */
#include "guest.h"
#include <pthread.h>
#include <sys/mman.h>

struct shared {
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	pthread_rwlock_t rwlock;
	int stage;
};

int main(void)
{
	struct shared *s =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	pthread_rwlockattr_t ra;

	need((long)s);
	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&s->mutex, &ma);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&s->cond, &ca);
	pthread_rwlockattr_init(&ra);
	pthread_rwlockattr_setpshared(&ra, PTHREAD_PROCESS_SHARED);
	pthread_rwlock_init(&s->rwlock, &ra);

	pid_t pid = need(fork());
	if (pid == 0) {
		pthread_mutex_lock(&s->mutex);
		s->stage = 1;
		_exit(0); /* with the mutex held */
	}
	expect_child(pid, 0);
	show("the mutex's word: 0x%x", *(unsigned *)&s->mutex);
	expect_eq_long(pthread_mutex_lock(&s->mutex), EOWNERDEAD, "pthread_mutex_lock");
	expect_eq_long(s->stage, 1, "stage");
	expect_eq_long(pthread_mutex_consistent(&s->mutex), 0, "pthread_mutex_consistent");
	expect_eq_long(pthread_mutex_unlock(&s->mutex), 0, "pthread_mutex_unlock");

	pid = need(fork());
	if (pid == 0) {
		pthread_mutex_lock(&s->mutex);
		while (s->stage < 2)
			pthread_cond_wait(&s->cond, &s->mutex);
		s->stage = 3;
		pthread_cond_signal(&s->cond);
		pthread_mutex_unlock(&s->mutex);
		pthread_rwlock_rdlock(&s->rwlock);
		pthread_rwlock_unlock(&s->rwlock);
		_exit(0);
	}
	pthread_rwlock_wrlock(&s->rwlock);
	expect_eq_long(pthread_mutex_lock(&s->mutex), 0, "pthread_mutex_lock");
	s->stage = 2;
	pthread_cond_signal(&s->cond);
	while (s->stage < 3)
		pthread_cond_wait(&s->cond, &s->mutex);
	pthread_mutex_unlock(&s->mutex);
	pthread_rwlock_unlock(&s->rwlock);
	expect_child(pid, 0);
	expect_eq_long(s->stage, 3, "stage");

	pid = need(fork());
	if (pid == 0) {
		pthread_mutex_lock(&s->mutex);
		kill(getpid(), SIGKILL);
	}
	int status = 0;
	need(waitpid(pid, &status, 0));
	expect_eq_long(WTERMSIG(status), SIGKILL, "killed by");
	expect_eq_long(pthread_mutex_lock(&s->mutex), EOWNERDEAD, "pthread_mutex_lock");
	expect_eq_long(pthread_mutex_unlock(&s->mutex), 0,
		       "unlocked without being made consistent");
	expect_eq_long(pthread_mutex_lock(&s->mutex), ENOTRECOVERABLE, "pthread_mutex_lock");
	return done();
}
