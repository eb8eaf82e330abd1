/* execve() by a thread that is not the leader, while others block and yield: all end but it. */
#include "guest_task.h"
#include <dirent.h>
#include <pthread.h>

static struct gate never, ready;
static pid_t leader;

static void *blocked(void *arg)
{
	gate_open(ready);
	gate_wait(never);
	return NULL;
}

static void *running(void *arg)
{
	gate_open(ready);
	for (;;)
		sched_yield();
	return NULL;
}

static void *executing(void *arg)
{
	char pid[16], tid[16];

	for (int i = 0; i < 4; i++)
		gate_wait(ready);
	snprintf(pid, sizeof(pid), "%d", leader);
	snprintf(tid, sizeof(tid), "%ld", syscall(SYS_gettid));
	expect(atoi(tid) != leader, "thread %s executes", tid);
	need(execl("/proc/self/exe", "exec_thread", pid, tid, NULL));
	return NULL;
}

static int second(char **argv)
{
	int count = 0;
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;

	need(dir ? 0 : -1);
	expect_eq_long(getpid(), atoi(argv[1]), "pid");
	/* The thread takes over the leader's number. */
	expect_eq_long(syscall(SYS_gettid), atoi(argv[1]), "tid");
	expect_errno(syscall(SYS_tgkill, getpid(), atoi(argv[2]), 0), ESRCH);
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(dir);
	expect_eq_long(count, 1, "tasks");
	return done();
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc > 1)
		return second(argv);
	leader = getpid();
	never = gate_make();
	ready = gate_make();
	for (int i = 0; i < 4; i++)
		need_zero(pthread_create(&thread, NULL, i % 2 ? running : blocked, NULL));
	need_zero(pthread_create(&thread, NULL, executing, NULL));
	gate_wait(never);
	return 1;
}
