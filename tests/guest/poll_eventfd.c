/*
 * eventfd: counter, semaphore mode, overflow, nonblocking, a hand-over between two processes.
 */
#include "guest.h"
#include <poll.h>
#include <sys/eventfd.h>

int main(void)
{
	eventfd_t value = 0;
	int fd = eventfd(5, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd == -1)
		skip("eventfd: %s", strerror(errno));
	need(eventfd_write(fd, 10));
	expect_eq_long(eventfd_read(fd, &value), 0, "read");
	expect_eq_long(value, 15, "counter");
	expect_errno(read(fd, &value, 8), EAGAIN);
	expect_errno(read(fd, &value, 7), EINVAL);
	value = UINT64_MAX;
	expect_errno(write(fd, &value, 8), EINVAL);
	need(eventfd_write(fd, UINT64_MAX - 1));
	expect_errno(eventfd_write(fd, 1), EAGAIN);
	struct pollfd pfd = {fd, POLLIN | POLLOUT, 0};
	expect_eq_long(poll(&pfd, 1, 0), 1, "poll");
	expect_eq_long(pfd.revents, POLLIN, "readable, full");

	int sem = need(eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK));
	for (int i = 0; i < 3; i++) {
		expect_eq_long(read(sem, &value, 8), 8, "semaphore read");
		expect_eq_long(value, 1, "value");
	}
	expect_errno(read(sem, &value, 8), EAGAIN);

	int ping = need(eventfd(0, 0)), pong = need(eventfd(0, 0));
	pid_t pid = need(fork());
	if (pid == 0) {
		for (int i = 0; i < 100; i++) {
			need(eventfd_read(ping, &value));
			need(eventfd_write(pong, value * 2));
		}
		_exit(0);
	}
	uint64_t sum = 0;
	for (int i = 1; i <= 100; i++) {
		need(eventfd_write(ping, i));
		need(eventfd_read(pong, &value));
		sum += value;
	}
	expect_child(pid, 0);
	expect_eq_long(sum, 2 * 5050, "sum of the answers");
	expect_errno(eventfd(0, 0x1234), EINVAL);
	return done();
}
