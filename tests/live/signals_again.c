/* Signals that end a call which is just to be made again.
 *
 * signals_again N: a thread waits in pause(). Each time another sends it a signal that is ignored,
 * and up to 3 us later one that has a handler, N times. Natively the first is nothing, and the
 * second ends the call; a tracer makes the kernel deliver the first, too, and begin the call anew.
 * Prints "signals N interrupted N"; one that is lost ends the program with 1. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_NS 20000000000u
#define DELAY_NS    3000

static atomic_int waiter, interrupted;

static void handler(int signal)
{
	(void)signal;
}

static void *wait_for_signals(void *unused)
{
	waiter = gettid();
	for (;;)
		if (pause() == -1 && errno == EINTR)
			interrupted++;
	return unused;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int open_file(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", waiter, name);
	return open(path, O_RDONLY);
}

/* /proc/TID/syscall names the call only of a thread that sleeps in it, or is stopped there. */
static bool is_asleep(int stat, int call)
{
	char text[256] = "";

	if (pread(stat, text, sizeof(text) - 1, 0) <= 0 || !strstr(text, ") S "))
		return false;
	memset(text, 0, sizeof(text));
	return pread(call, text, sizeof(text) - 1, 0) > 0 && *text != 'r' &&
	       atoi(text) == SYS_pause;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = handler};
	int count = argc > 1 ? atoi(argv[1]) : 10;
	pthread_t thread;

	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, wait_for_signals, NULL);
	while (!waiter)
		;
	int stat = open_file("stat"), call = open_file("syscall");

	for (int sent = 1; sent <= count; sent++) {
		while (!is_asleep(stat, call))
			;
		pthread_kill(thread, SIGURG);
		for (uint64_t end = now() + (uint64_t)(rand() % DELAY_NS); now() < end;)
			;
		pthread_kill(thread, SIGUSR1);
		for (uint64_t end = now() + PATIENCE_NS; interrupted < sent;) {
			if (now() < end)
				continue;
			printf("signal %d was lost\n", sent);
			return 1;
		}
	}
	printf("signals %d interrupted %d\n", count, interrupted);
	return 0;
}
