/* /proc/self: task directory, status, stat and fd, while threads come and go. */
#include "guest_task.h"
#include <dirent.h>
#include <pthread.h>

#define THREADS 5

static int tids[THREADS];
static struct gate ready, go;

static void *body(void *arg)
{
	*(int *)arg = (int)syscall(SYS_gettid);
	gate_open(ready);
	gate_wait(go);
	return NULL;
}

static int list(const char *path, unsigned *found)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int count = 0;

	need(dir ? 0 : -1);
	while ((entry = readdir(dir)) != NULL) {
		int tid = atoi(entry->d_name);
		if (tid == 0)
			continue;
		show("%s/%d", path, tid);
		count++;
		for (int i = 0; i < THREADS; i++)
			if (tids[i] == tid)
				*found |= 1u << i;
	}
	closedir(dir);
	return count;
}

int main(void)
{
	pthread_t threads[THREADS];
	unsigned found = 0;
	char line[256];

	ready = gate_make();
	go = gate_make();
	expect_eq_long(list("/proc/self/task", &found), 1, "tasks at the start");
	for (int i = 0; i < THREADS; i++)
		need_zero(pthread_create(&threads[i], NULL, body, &tids[i]));
	for (int i = 0; i < THREADS; i++)
		gate_wait(ready);
	expect_eq_long(list("/proc/self/task", &found), THREADS + 1, "tasks with threads");
	expect_eq_long(found, (1 << THREADS) - 1, "set of threads found");

	FILE *file = fopen("/proc/self/status", "r");
	need(file ? 0 : -1);
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "Pid:", 4) == 0)
			expect_eq_long(atoi(line + 4), getpid(), "Pid");
		else if (strncmp(line, "Threads:", 8) == 0)
			expect_eq_long(atoi(line + 8), THREADS + 1, "Threads");
		else if (strncmp(line, "PPid:", 5) == 0 || strncmp(line, "Vm", 2) == 0)
			show("%s", line);
	}
	fclose(file);
	for (int i = 0; i < THREADS; i++)
		gate_open(go);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* A joined thread may still be listed for a moment, as it leaves the kernel. */
	show("tasks at the end: %d", list("/proc/self/task", &found));
	return done();
}
