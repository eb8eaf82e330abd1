/* fork() from a process with threads: only the caller lives on in the child; atfork handlers. */
#include "guest_task.h"
#include <dirent.h>
#include <pthread.h>

static struct gate ready;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char order[16];
static volatile int counter;
static volatile bool stop;

static void prepare(void)
{
	pthread_mutex_lock(&lock);
	strcat(order, "p");
}

static void in_parent(void)
{
	strcat(order, "P");
	pthread_mutex_unlock(&lock);
}

static void in_child(void)
{
	strcat(order, "C");
	pthread_mutex_unlock(&lock);
}

static void *busy(void *arg)
{
	gate_open(ready);
	while (!stop) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
		free(malloc(1000));
		sched_yield();
	}
	return NULL;
}

static void *forker(void *arg)
{
	pid_t pid = need(fork());
	if (pid == 0) {
		int tasks = 0;
		DIR *dir = opendir("/proc/self/task");
		need(dir ? 0 : -1);
		for (struct dirent *e; (e = readdir(dir)) != NULL;)
			tasks += e->d_name[0] != '.';
		expect_eq_long(tasks, 1, "tasks in the child");
		expect_eq_long(syscall(SYS_gettid), getpid(), "tid of the child");
		expect(strcmp(order, "pC") == 0, "handlers in the child: %s", order);
		/* The lock is free in the child, whoever held it before. */
		pthread_mutex_lock(&lock);
		pthread_mutex_unlock(&lock);
		int before = counter;
		for (int i = 0; i < 10; i++)
			sched_yield();
		expect_eq_long(counter, before, "counter, with nobody to count");
		exit(done() + 8);
	}
	expect_child(pid, 8);
	expect(strcmp(order, "pP") == 0, "handlers in the parent: %s", order);
	return NULL;
}

int main(void)
{
	pthread_t threads[3], thread;

	ready = gate_make();
	need_zero(pthread_atfork(prepare, in_parent, in_child));
	for (int i = 0; i < 3; i++)
		need_zero(pthread_create(&threads[i], NULL, busy, NULL));
	for (int i = 0; i < 3; i++)
		gate_wait(ready);
	need_zero(pthread_create(&thread, NULL, forker, NULL));
	pthread_join(thread, NULL);
	stop = true;
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	show("counted to %d", counter);
	return done();
}
