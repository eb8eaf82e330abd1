/* eventfd and epoll between threads: workers wake a loop; a semaphore eventfd; edge triggering. */
#include "guest_task.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define WORKERS 4
#define EVENTS	15

static int fds[WORKERS];
static int semaphore;

static void *worker(void *arg)
{
	int self = (int)(intptr_t)arg;
	uint64_t value = (uint64_t)self + 1;

	for (int i = 0; i < EVENTS; i++) {
		need(write(fds[self], &value, sizeof(value)));
		if (i % 4 == 0)
			sched_yield();
	}
	need(read(semaphore, &value, sizeof(value)));
	return (void *)(intptr_t)value;
}

int main(void)
{
	pthread_t threads[WORKERS];
	uint64_t sums[WORKERS] = {0}, value;
	struct epoll_event events[WORKERS];
	int ep = need(epoll_create1(EPOLL_CLOEXEC));
	int rounds = 0;
	bool all = false;

	semaphore = need(eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC));
	for (int i = 0; i < WORKERS; i++) {
		struct epoll_event ev = {.events = EPOLLIN | (i % 2 ? EPOLLET : 0)};
		ev.data.u32 = (uint32_t)i;
		fds[i] = need(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
		need(epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &ev));
	}
	for (intptr_t i = 0; i < WORKERS; i++)
		need_zero(pthread_create(&threads[i], NULL, worker, (void *)i));
	while (!all) {
		int n = need(epoll_wait(ep, events, WORKERS, -1));
		rounds++;
		for (int k = 0; k < n; k++) {
			uint32_t i = events[k].data.u32;
			if (read(fds[i], &value, sizeof(value)) == (ssize_t)sizeof(value))
				sums[i] += value;
		}
		all = true;
		for (int i = 0; i < WORKERS; i++)
			all = all && sums[i] == (uint64_t)(i + 1) * EVENTS;
	}
	show("%d rounds of epoll_wait", rounds);
	expect_errno(read(fds[0], &value, sizeof(value)), EAGAIN);
	value = WORKERS;
	need(write(semaphore, &value, sizeof(value)));
	for (int i = 0; i < WORKERS; i++) {
		void *result;
		pthread_join(threads[i], &result);
		expect_eq_long((long)result, 1, "value of the semaphore's read");
	}
	expect_eq_long(epoll_wait(ep, events, WORKERS, 0), 0, "events left");
	return done();
}
