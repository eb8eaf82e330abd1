/*
 * 300 pipes watched by epoll, poll and select at once, made ready in an order that a child chooses
 * at random.
 */
#include "guest.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>

#define PIPES 300

static int pipes[PIPES][2];

static void writer(void)
{
	unsigned char used[PIPES] = {0};
	unsigned short r;

	for (int left = PIPES; left > 0;) {
		need(getrandom(&r, sizeof(r), 0));
		if (used[r % PIPES]++ == 0) {
			need(write(pipes[r % PIPES][1], &r, 2));
			left--;
		}
	}
	_exit(0);
}

int main(void)
{
	struct rlimit limit;
	struct epoll_event events[16];
	static struct pollfd pfds[PIPES];
	int ep = need(epoll_create1(0)), seen = 0, rounds = 0;
	uint64_t order = 0;
	unsigned short value;

	need(getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = limit.rlim_max;
	if (limit.rlim_max < 2 * PIPES + 20)
		skip("%d descriptors", 2 * PIPES + 20);
	need(setrlimit(RLIMIT_NOFILE, &limit));
	for (int i = 0; i < PIPES; i++) {
		struct epoll_event ev = {EPOLLIN, {.u32 = i}};
		need(pipe(pipes[i]));
		need(epoll_ctl(ep, EPOLL_CTL_ADD, pipes[i][0], &ev));
		pfds[i] = (struct pollfd){pipes[i][0], POLLIN, 0};
	}
	pid_t pid = need(fork());
	if (pid == 0)
		writer();
	while (seen < PIPES) {
		int n = need(epoll_wait(ep, events, 16, -1));
		for (int i = 0; i < n; i++) {
			int which = events[i].data.u32;
			need(read(pipes[which][0], &value, 2));
			if (value % PIPES != which)
				expect(false, "pipe %d held %d", which, value);
			order = order * 31 + which;
			seen++;
		}
		rounds++;
	}
	show("in %d rounds, order %016lx", rounds, (unsigned long)order);
	expect_child(pid, 0);
	expect_eq_long(poll(pfds, PIPES, 0), 0, "all are empty");
	for (int i = 0; i < PIPES; i += 7)
		need(write(pipes[i][1], "x", 1));
	expect_eq_long(poll(pfds, PIPES, -1), (PIPES + 6) / 7, "ready by poll");
	expect_eq_long(epoll_wait(ep, events, 16, 0), 16, "ready by epoll, as many as fit");
	for (int i = 0; i < PIPES; i++)
		if ((pfds[i].revents != 0) != (i % 7 == 0))
			expect(false, "pipe %d: events 0x%x", i, pfds[i].revents);
	return done();
}
