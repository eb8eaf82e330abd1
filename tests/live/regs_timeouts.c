/* Calls whose timeout the kernel begins anew when they are interrupted. At a line on standard input each is
 * made with a timeout of 300 ms, by a thread of its own; then each prints "NAME ok", or what it returned. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <time.h>
#include <unistd.h>

#define TIMEOUT_MS 300

static const struct timespec timeout = {0, TIMEOUT_MS * 1000000};

static bool do_epoll(void)
{
	struct epoll_event event;

	return epoll_wait(epoll_create1(0), &event, 1, TIMEOUT_MS) == 0;
}

static bool do_epoll_mask(void)
{
	struct epoll_event event;
	sigset_t none;

	sigemptyset(&none);
	return epoll_pwait(epoll_create1(0), &event, 1, TIMEOUT_MS, &none) == 0;
}

static bool do_sigwait(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return sigtimedwait(&set, NULL, &timeout) < 0 && errno == EAGAIN;
}

static bool do_semop(void)
{
	struct sembuf down = {0, -1, 0};
	int id = semget(IPC_PRIVATE, 1, 0600);
	bool ok = semtimedop(id, &down, 1, &timeout) < 0 && errno == EAGAIN;

	semctl(id, 0, IPC_RMID);
	return ok;
}

static bool do_sleep(void)
{
	return nanosleep(&timeout, NULL) == 0;
}

static const struct call {
	const char *name;
	bool (*make)(void);
} calls[] = {
	{"epoll_wait", do_epoll}, {"epoll_pwait", do_epoll_mask}, {"rt_sigtimedwait", do_sigwait},
	{"semtimedop", do_semop}, {"nanosleep", do_sleep},
};

#define CALLS (sizeof(calls) / sizeof(*calls))

static void *run(void *context)
{
	const struct call *call = context;
	struct timespec start, end;

	clock_gettime(CLOCK_MONOTONIC, &start);
	bool ok = call->make();

	clock_gettime(CLOCK_MONOTONIC, &end);
	long took = (end.tv_sec - start.tv_sec) * 1000 + (end.tv_nsec - start.tv_nsec) / 1000000;

	printf("%s %s after %ld ms\n", call->name,
	       !ok		       ? strerror(errno)
	       : took < TIMEOUT_MS - 1 ? "too early"
				       : "ok",
	       took);
	return NULL;
}

int main(void)
{
	pthread_t threads[CALLS];
	char byte;

	printf("ready\n");
	fflush(stdout);
	if (read(0, &byte, 1) < 0)
		return 1;
	for (size_t i = 0; i < CALLS; i++)
		if (pthread_create(&threads[i], NULL, run, (void *)&calls[i]))
			return 1;
	for (size_t i = 0; i < CALLS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
