/*
 * poll, ppoll, select, pselect: readiness, timeouts, signals let in by the temporary mask, closed
 * and invalid descriptors.
 */
#include "guest.h"
#include <poll.h>
#include <sys/select.h>
#include <time.h>

static volatile sig_atomic_t caught;

static void handler(int sig)
{
	caught++;
}

static void test_select(int in, int out)
{
	struct timeval tv = {0, 2000};
	struct timespec ts = {0, 1000000};
	fd_set r, w, e;
	char c;

	FD_ZERO(&r);
	FD_SET(in, &r);
	expect_eq_long(select(in + 1, &r, NULL, NULL, &tv), 0, "select times out");
	expect(!FD_ISSET(in, &r), "nothing set; %ld.%06ld s left", tv.tv_sec, (long)tv.tv_usec);
	need(write(out, "s", 1));
	FD_ZERO(&w);
	FD_ZERO(&e);
	FD_SET(in, &r);
	FD_SET(in, &e);
	FD_SET(out, &w);
	tv = (struct timeval){30, 0};
	expect_eq_long(select(out + 1 + in, &r, &w, &e, &tv), 2, "select");
	expect(FD_ISSET(in, &r) && FD_ISSET(out, &w) && !FD_ISSET(in, &e), "the right ones");
	show("time left %ld.%06ld", tv.tv_sec, (long)tv.tv_usec);
	need(read(in, &c, 1));
	FD_ZERO(&r);
	FD_SET(in, &r);
	expect_eq_long(pselect(in + 1, &r, NULL, NULL, &ts, NULL), 0, "pselect times out");
	FD_ZERO(&r);
	close(50);
	FD_SET(50, &r);
	expect_errno(select(51, &r, NULL, NULL, NULL), EBADF);
	expect_errno(select(-1, NULL, NULL, NULL, NULL), EINVAL);
}

int main(void)
{
	struct sigaction act = {.sa_handler = handler};
	struct timespec ts = {0, 1000000};
	sigset_t blocked, none;
	int p[2], q[2];
	char c;

	need(pipe(p));
	need(pipe(q));
	struct pollfd pfd[4] = {
		{p[0], POLLIN, 99}, {p[1], POLLOUT, 99}, {-1, POLLIN, 99}, {700, POLLIN, 99}};
	expect_eq_long(poll(pfd, 4, -1), 2, "poll");
	expect(pfd[0].revents == 0 && pfd[1].revents == POLLOUT && pfd[2].revents == 0 &&
		       pfd[3].revents == POLLNVAL,
	       "events: one writable, one invalid");
	expect_eq_long(poll(pfd, 1, 2), 0, "poll times out");
	expect_eq_long(poll(pfd, 1, 0), 0, "poll at once");
	expect_eq_long(poll(NULL, 0, 1), 0, "poll on nothing");
	need(write(p[1], "a", 1));
	close(p[1]);
	expect_eq_long(poll(pfd, 1, -1), 1, "poll");
	expect_eq_long(pfd[0].revents, POLLIN | POLLHUP, "data and hang-up");
	need(read(p[0], &c, 1));
	expect_eq_long(ppoll(pfd, 1, &ts, NULL), 1, "ppoll");
	expect_eq_long(pfd[0].revents, POLLHUP, "hang-up");
	expect(ts.tv_nsec <= 1000000, "timeout now %ld", ts.tv_nsec);

	need(sigaction(SIGUSR1, &act, NULL));
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	need(sigprocmask(SIG_BLOCK, &blocked, NULL));
	need(kill(getpid(), SIGUSR1));
	expect_eq_long(caught, 0, "handled while blocked");
	pfd[0].fd = q[0];
	expect_errno(ppoll(pfd, 1, NULL, &none), EINTR);
	expect_eq_long(caught, 1, "handled in ppoll");
	need(kill(getpid(), SIGUSR1));
	fd_set r;
	FD_ZERO(&r);
	FD_SET(q[0], &r);
	expect_errno(pselect(q[0] + 1, &r, NULL, NULL, NULL, &none), EINTR);
	expect_eq_long(caught, 2, "handled in pselect");
	expect_errno(syscall(SYS_poll, (void *)8, 1, 0), EFAULT);
	test_select(q[0], q[1]);
	return done();
}
