/*
 * shm_open and process-shared semaphores, barriers and mutexes in it.
 */
#include "guest.h"
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>

struct shared {
	sem_t ping, pong;
	pthread_mutex_t mutex;
	long counter;
	char text[64];
};

static void count(struct shared *s)
{
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&s->mutex);
		s->counter += i;
		pthread_mutex_unlock(&s->mutex);
	}
}

int main(void)
{
	char name[64];

	snprintf(name, sizeof(name), "/guest-%d", getpid());
	int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd == -1)
		skip("shm_open: %s", strerror(errno));
	expect_errno(shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	need(ftruncate(fd, 4096));
	struct shared *s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need((long)s);
	need(sem_init(&s->ping, 1, 0));
	need(sem_init(&s->pong, 1, 0));
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	expect_eq_long(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED), 0,
		       "process-shared mutex");
	pthread_mutex_init(&s->mutex, &attr);

	pid_t pid = need(fork());
	if (pid == 0) {
		int again = need(shm_open(name, O_RDWR, 0));
		struct shared *t = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, again, 0);
		need(sem_wait(&t->ping));
		snprintf(t->text, sizeof(t->text), "pid %d at %p", getpid(), (void *)t);
		need(sem_post(&t->pong));
		count(t);
		_exit(0);
	}
	need(sem_post(&s->ping));
	need(sem_wait(&s->pong));
	expect(strncmp(s->text, "pid ", 4) == 0, "the child wrote: %s", s->text);
	count(s);
	expect_child(pid, 0);
	expect_eq_long(s->counter, 2 * 19900, "counter");
	int value = -1;
	sem_getvalue(&s->pong, &value);
	expect_eq_long(value, 0, "sem_getvalue");
	expect_errno(sem_trywait(&s->pong), EAGAIN);
	expect_eq_long(shm_unlink(name), 0, "shm_unlink");
	expect_errno(shm_open(name, O_RDWR, 0), ENOENT);
	return done();
}
