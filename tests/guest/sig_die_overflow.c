/* guest: signal SIGSEGV */
/* Endless recursion without an alternate stack: the handler cannot run, and SIGSEGV kills. */
#include "guest_task.h"
#include <pthread.h>
#include <sys/resource.h>

static void handler(int sig, siginfo_t *si, void *uc)
{
	show("UNEXPECTED: the handler ran");
	_exit(1);
}

static __attribute__((noinline)) int recurse(int depth)
{
	volatile char frame[4000];

	frame[depth % 4000] = (char)depth;
	if (depth < 0)
		return 0;
	int below = recurse(depth + 1);
	return below + frame[depth % 4000];
}

static void *body(void *arg)
{
	return (void *)(intptr_t)recurse(0);
}

int main(void)
{
	struct rlimit none = {0, 0};
	pthread_attr_t attr;
	pthread_t thread;

	need(setrlimit(RLIMIT_CORE, &none));
	handle(SIGSEGV, handler, 0);
	show("process %d recurses", getpid());
	/* In a thread, whose stack has an end whatever the limits are. */
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	need_zero(pthread_create(&thread, &attr, body, NULL));
	pthread_join(thread, NULL);
	return 1;
}
