/* A mutex and a condition variable in memory shared by four processes of two threads each. */
#include "guest_task.h"
#include <pthread.h>

#define PROCESSES 4
#define ROUNDS	  30

struct shared {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int counter;
	int turn;
	unsigned char order[PROCESSES * 2 * ROUNDS];
};

static struct shared *sh;
static int process;

static void *body(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		pthread_mutex_lock(&sh->lock);
		/* The processes take turns, their two threads as they come. */
		while (sh->turn % PROCESSES != process)
			pthread_cond_wait(&sh->changed, &sh->lock);
		sh->order[sh->counter++] = (unsigned char)(process * 2 + (int)(intptr_t)arg);
		sh->turn++;
		pthread_cond_broadcast(&sh->changed);
		pthread_mutex_unlock(&sh->lock);
	}
	return NULL;
}

int main(void)
{
	pthread_mutexattr_t mutex_attr;
	pthread_condattr_t cond_attr;
	pid_t pids[PROCESSES];

	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need((long)sh);
	pthread_mutexattr_init(&mutex_attr);
	pthread_mutexattr_setpshared(&mutex_attr, PTHREAD_PROCESS_SHARED);
	need_zero(pthread_mutex_init(&sh->lock, &mutex_attr));
	pthread_condattr_init(&cond_attr);
	pthread_condattr_setpshared(&cond_attr, PTHREAD_PROCESS_SHARED);
	need_zero(pthread_cond_init(&sh->changed, &cond_attr));
	for (process = 0; process < PROCESSES; process++) {
		pids[process] = need(fork());
		if (pids[process] == 0) {
			pthread_t thread;
			need_zero(pthread_create(&thread, NULL, body, (void *)1L));
			body(NULL);
			pthread_join(thread, NULL);
			_exit(done());
		}
	}
	for (int i = 0; i < PROCESSES; i++)
		expect_child(pids[i], 0);
	expect_eq_long(sh->counter, PROCESSES * 2 * ROUNDS, "rounds");
	for (int i = 0; i < sh->counter; i++)
		if (sh->order[i] / 2 != i % PROCESSES) {
			expect(false, "round %d by process %d", i, sh->order[i] / 2);
			break;
		}
	show("order %016llx", (unsigned long long)hash_bytes(sh->order, sizeof(sh->order)));
	return done();
}
