/* Each thread blocks in read on its own pipe; a token goes around, and a poller watches the end. */
#include "guest_task.h"
#include <poll.h>
#include <pthread.h>

#define THREADS 8
#define LAPS	20

static struct gate ring[THREADS + 1];

static void *runner(void *arg)
{
	int self = (int)(intptr_t)arg;
	int token;

	for (int i = 0; i < LAPS; i++) {
		if (read(ring[self].rd, &token, sizeof(token)) != (ssize_t)sizeof(token))
			expect(false, "read");
		token += self;
		need(write(ring[self + 1].wr, &token, sizeof(token)));
	}
	return NULL;
}

static void *poller(void *arg)
{
	struct pollfd pfd = {.fd = ring[THREADS].rd, .events = POLLIN};
	int token = 0;
	int polls = 0;

	for (int i = 0; i < LAPS; i++) {
		int n = poll(&pfd, 1, -1);
		if (n != 1 || !(pfd.revents & POLLIN))
			expect(false, "poll: %d, %#x", n, pfd.revents);
		polls++;
		need(read(pfd.fd, &token, sizeof(token)));
		/* The next lap starts where this one ended. */
		if (i + 1 < LAPS)
			need(write(ring[0].wr, &token, sizeof(token)));
	}
	expect_eq_long(polls, LAPS, "polls");
	return (void *)(intptr_t)token;
}

int main(void)
{
	pthread_t threads[THREADS + 1];
	void *result;
	int token = 5;

	for (int i = 0; i <= THREADS; i++)
		ring[i] = gate_make();
	for (intptr_t i = 0; i < THREADS; i++)
		need_zero(pthread_create(&threads[i], NULL, runner, (void *)i));
	need_zero(pthread_create(&threads[THREADS], NULL, poller, NULL));
	need(write(ring[0].wr, &token, sizeof(token)));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_join(threads[THREADS], &result);
	expect_eq_long((long)result, 5 + LAPS * THREADS * (THREADS - 1) / 2, "token at the end");
	return done();
}
