/*
 * timerfd: one-shot and periodic, counts read, gettime, settime's old value, poll, errors.
 */
#include "guest.h"
#include <poll.h>
#include <sys/timerfd.h>
#include <time.h>

int main(void)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	struct itimerspec set = {{0, 2000000}, {0, 1000000}}, old, now;
	uint64_t count = 0, total = 0;

	if (fd == -1)
		skip("timerfd: %s", strerror(errno));
	expect_errno(read(fd, &count, 8), EAGAIN);
	expect_eq_long(timerfd_settime(fd, 0, &set, &old), 0, "timerfd_settime");
	expect(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0, "not armed before");
	struct pollfd pfd = {fd, POLLIN, 0};
	for (int i = 0; i < 5; i++) {
		expect_eq_long(poll(&pfd, 1, -1), 1, "poll");
		expect_eq_long(read(fd, &count, 8), 8, "read");
		show("expirations: %lu", count);
		expect(count >= 1, "at least one");
		total += count;
	}
	show("in all %lu", total);
	expect_eq_long(timerfd_gettime(fd, &now), 0, "timerfd_gettime");
	expect(now.it_interval.tv_nsec == 2000000 && now.it_value.tv_nsec <= 2000000,
	       "%ld ns to the next of every %ld ns", now.it_value.tv_nsec, now.it_interval.tv_nsec);
	set = (struct itimerspec){{0, 0}, {1000, 0}};
	expect_eq_long(timerfd_settime(fd, 0, &set, &old), 0, "armed for later");
	expect_eq_long(old.it_interval.tv_nsec, 2000000, "old interval");
	expect_eq_long(poll(&pfd, 1, 0), 0, "nothing yet");
	expect_errno(read(fd, &count, 4), EINVAL);

	int blocking = need(timerfd_create(CLOCK_REALTIME, 0));
	struct timespec ts;
	need(clock_gettime(CLOCK_REALTIME, &ts));
	ts.tv_nsec += 3000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000;
	}
	set = (struct itimerspec){{0, 0}, ts};
	expect_eq_long(timerfd_settime(blocking, TFD_TIMER_ABSTIME, &set, NULL), 0, "absolute");
	expect_eq_long(read(blocking, &count, 8), 8, "blocking read");
	expect_eq_long(count, 1, "expirations");
	set.it_value = (struct timespec){1, 0};
	need(timerfd_settime(blocking, TFD_TIMER_ABSTIME, &set, NULL));
	expect_eq_long(read(blocking, &count, 8), 8, "long past");
	expect_errno(timerfd_create(77, 0), EINVAL);
	set.it_value.tv_nsec = -1;
	expect_errno(timerfd_settime(fd, 0, &set, NULL), EINVAL);
	return done();
}
