/* Names of threads: pthread_setname_np, prctl and /proc, each thread its own. */
#include "guest_task.h"
#include <pthread.h>
#include <sys/prctl.h>

#define THREADS 4

static struct gate ready, go;
static long tids[THREADS];

static void *body(void *arg)
{
	int self = (int)(intptr_t)arg;
	char name[16];

	snprintf(name, sizeof(name), "worker-%d", self);
	need(prctl(PR_SET_NAME, name, 0, 0, 0));
	tids[self] = syscall(SYS_gettid);
	gate_open(ready);
	gate_wait(go);
	return NULL;
}

static void read_comm(long tid, char *name, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/comm", tid);
	int fd = need(open(path, O_RDONLY | O_CLOEXEC));
	ssize_t n = need(read(fd, name, size - 1));
	name[n > 0 ? n - 1 : 0] = '\0';
	close(fd);
}

int main(void)
{
	pthread_t threads[THREADS];
	char name[64], want[64];

	ready = gate_make();
	go = gate_make();
	need_zero(pthread_setname_np(pthread_self(), "the main one"));
	for (intptr_t i = 0; i < THREADS; i++)
		need_zero(pthread_create(&threads[i], NULL, body, (void *)i));
	for (int i = 0; i < THREADS; i++)
		gate_wait(ready);
	for (int i = 0; i < THREADS; i++) {
		snprintf(want, sizeof(want), "worker-%d", i);
		need_zero(pthread_getname_np(threads[i], name, sizeof(name)));
		expect(strcmp(name, want) == 0, "pthread_getname_np: %s", name);
		read_comm(tids[i], name, sizeof(name));
		expect(strcmp(name, want) == 0, "/proc of %ld: %s", tids[i], name);
		snprintf(want, sizeof(want), "renamed-%d", i);
		need_zero(pthread_setname_np(threads[i], want));
		read_comm(tids[i], name, sizeof(name));
		expect(strcmp(name, want) == 0, "renamed from here: %s", name);
	}
	expect_eq_long(pthread_setname_np(threads[0], "sixteen letters!"), ERANGE, "too long");
	read_comm(getpid(), name, sizeof(name));
	expect(strcmp(name, "the main one") == 0, "main: %s", name);
	for (int i = 0; i < THREADS; i++)
		gate_open(go);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return done();
}
