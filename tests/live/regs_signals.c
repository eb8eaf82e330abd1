/* Signals that end calls, while somebody looks.
 *
 * regs_signals N: a thread waits in epoll_wait without a timeout; whenever it is seen asleep there,
 * another sends it a signal that has a handler, at least N times and until its input ends. Each has
 * to end the call with EINTR; but a call that is to be made again, as every tracer's stop causes it,
 * is outside of the kernel for a moment, and a handler that runs there ends nothing. Prints "ready",
 * then "signals N interrupted N before M"; one that is lost ends the program with 1. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define PATIENCE_S 20

static atomic_int waiter, interrupted, before;

/* Is the call at hand about to be made again, and not in the kernel? */
static void handler(int signal, siginfo_t *info, void *context)
{
	const greg_t *regs = ((const ucontext_t *)context)->uc_mcontext.gregs;
	static const char call[] = {0x0f, 0x05};

	if (regs[REG_RAX] == SYS_epoll_wait &&
	    memcmp((const void *)regs[REG_RIP], call, sizeof(call)) == 0)
		before++;
}

static void *wait_for_events(void *unused)
{
	struct epoll_event event;
	int fd = epoll_create1(0);

	waiter = gettid();
	for (;;)
		if (epoll_wait(fd, &event, 1, -1) == -1 && errno == EINTR)
			interrupted++;
	return NULL;
}

/* /proc/TID/syscall names the call only of a thread that sleeps in it, also while it is stopped
 * there. */
static bool is_asleep(void)
{
	char path[64], text[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", waiter);
	file = fopen(path, "r");
	if (!file)
		return false;
	bool asleep =
		fgets(text, sizeof(text), file) && atoi(text) == SYS_epoll_wait && *text != 'r';

	fclose(file);
	return asleep;
}

static bool wait_for_interruption(int number)
{
	time_t end = time(NULL) + PATIENCE_S;

	while (interrupted + before < number)
		if (time(NULL) > end)
			return false;
	return true;
}

static bool is_told_to_end(void)
{
	return poll(&(struct pollfd){.fd = 0, .events = POLLIN}, 1, 0) > 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
	int count = argc > 1 ? atoi(argv[1]) : 10;
	pthread_t thread;

	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, wait_for_events, NULL);
	while (!waiter)
		;
	printf("ready\n");
	fflush(stdout);
	int sent = 0;

	while (sent < count || !is_told_to_end()) {
		while (!is_asleep())
			;
		pthread_kill(thread, SIGUSR1);
		if (!wait_for_interruption(++sent)) {
			printf("signal %d was lost\n", sent);
			return 1;
		}
	}
	printf("signals %d interrupted %d before %d\n", sent, interrupted, before);
	return 0;
}
