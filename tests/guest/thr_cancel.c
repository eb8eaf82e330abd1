/*
 * pthread_cancel(): in blocking calls, deferred, disabled, asynchronous; cleanup handlers in
 * order.
 */
#include "guest_task.h"
#include <poll.h>
#include <pthread.h>

static struct gate never, ready, go;
static char order[32];

static void cleanup(void *arg)
{
	order[strlen(order)] = (char)(intptr_t)arg;
}

static void *blocked(void *arg)
{
	struct pollfd pfd = {.fd = never.rd, .events = POLLIN};
	char byte;

	pthread_cleanup_push(cleanup, (void *)'a');
	pthread_cleanup_push(cleanup, (void *)'b');
	gate_open(ready);
	switch ((intptr_t)arg) {
	case 0:
		(void)!read(never.rd, &byte, 1);
		break;
	case 1:
		poll(&pfd, 1, -1);
		break;
	case 2:
		sleep(3600);
		break;
	default:
		/* Asynchronous: at any place, here in a call that is no cancellation point. */
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
		for (;;)
			sched_yield();
	}
	cleanup((void *)'X');
	pthread_cleanup_pop(1);
	pthread_cleanup_pop(1);
	return NULL;
}

static void *disabled(void *arg)
{
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	gate_open(ready);
	/* The request comes now; this read, a cancellation point, goes through all the same. */
	gate_wait(go);
	cleanup((void *)'d');
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	cleanup((void *)'X');
	return NULL;
}

static void run(void *(*body)(void *), intptr_t arg, const char *want)
{
	pthread_t thread;
	void *result = NULL;

	memset(order, 0, sizeof(order));
	need_zero(pthread_create(&thread, NULL, body, (void *)arg));
	gate_wait(ready);
	need_zero(pthread_cancel(thread));
	gate_open(go);
	pthread_join(thread, &result);
	expect(result == PTHREAD_CANCELED, "thread %ld was cancelled", (long)arg);
	expect(strcmp(order, want) == 0, "order: %s", order);
}

int main(void)
{
	never = gate_make();
	ready = gate_make();
	go = gate_make();
	for (intptr_t i = 0; i < 4; i++) {
		run(blocked, i, "ba");
		gate_wait(go);
	}
	run(disabled, 9, "d");
	return done();
}
