/*
 * epoll: level, edge, one-shot, nested, exclusive, modification, epoll_pwait2, a descriptor closed while
 * watched, and errors.
 */
#include "guest.h"
#include <sys/epoll.h>
#include <time.h>

static int ep;

static int wait_once(struct epoll_event *ev)
{
	int n = need(epoll_wait(ep, ev, 4, 0));
	for (int i = 0; i < n; i++)
		show("event 0x%x, data %lx", ev[i].events, (long)ev[i].data.u64);
	return n;
}

static int control(int op, int fd, uint32_t events)
{
	struct epoll_event ev = {events, {.u64 = 0xabcd000000000000 + fd}};
	return epoll_ctl(ep, op, fd, &ev);
}

int main(void)
{
	struct epoll_event ev[4];
	int p[2], q[2];
	char c;

	ep = need(epoll_create1(EPOLL_CLOEXEC));
	need(pipe(p));
	need(pipe(q));
	need(control(EPOLL_CTL_ADD, p[0], EPOLLIN));
	expect_eq_long(wait_once(ev), 0, "nothing ready");
	need(write(p[1], "ab", 2));
	expect_eq_long(wait_once(ev), 1, "level");
	expect_eq_long(wait_once(ev), 1, "level, again");
	expect(ev[0].data.u64 == 0xabcd000000000000 + p[0], "its data");
	need(control(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET));
	expect_eq_long(wait_once(ev), 1, "edge");
	expect_eq_long(wait_once(ev), 0, "edge, no more");
	need(read(p[0], &c, 1));
	expect_eq_long(wait_once(ev), 0, "edge, after a read");
	need(write(p[1], "c", 1));
	expect_eq_long(wait_once(ev), 1, "edge, after a write");
	need(control(EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT));
	expect_eq_long(wait_once(ev), 1, "one-shot");
	need(write(p[1], "d", 1));
	expect_eq_long(wait_once(ev), 0, "one-shot, disabled");
	need(control(EPOLL_CTL_MOD, p[0], EPOLLIN));
	expect_eq_long(wait_once(ev), 1, "one-shot, armed again");

	int inner = need(epoll_create(1));
	struct epoll_event in = {EPOLLOUT, {.u64 = 7}};
	need(epoll_ctl(inner, EPOLL_CTL_ADD, q[1], &in));
	need(control(EPOLL_CTL_ADD, inner, EPOLLIN));
	expect_eq_long(wait_once(ev), 2, "nested");
	expect_errno(epoll_ctl(inner, EPOLL_CTL_ADD, ep, &in), ELOOP);
	need(control(EPOLL_CTL_DEL, inner, 0));
	need(control(EPOLL_CTL_DEL, p[0], 0));
	expect_eq_long(wait_once(ev), 0, "all removed");

	need(control(EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE));
	expect_errno(control(EPOLL_CTL_ADD, p[0], EPOLLIN), EEXIST);
	expect_errno(control(EPOLL_CTL_MOD, q[0], EPOLLIN), ENOENT);
	expect_errno(control(99, p[0], EPOLLIN), EINVAL);
	expect_errno(control(EPOLL_CTL_ADD, ep, EPOLLIN), EINVAL);
	int file = need(open(temp_path("file"), O_CREAT | O_RDWR, 0600));
	expect_errno(control(EPOLL_CTL_ADD, file, EPOLLIN), EPERM);
	expect_errno(epoll_wait(ep, ev, 0, 0), EINVAL);
	expect_errno(epoll_wait(file, ev, 1, 0), EINVAL);

	int copy = need(dup(p[0]));
	close(p[0]);
	expect_eq_long(wait_once(ev), 1, "a closed descriptor is watched while a copy is open");
	close(copy);
	expect_eq_long(wait_once(ev), 0, "and no longer");
	struct timespec ts = {0, 1000000};
	int r = syscall(SYS_epoll_pwait2, ep, ev, 4, &ts, NULL, 0);
	expect(r == 0 || (r == -1 && (errno == ENOSYS || errno == EPERM)),
	       "epoll_pwait2 times out or is missing (before 5.11): %d", r);
	expect_eq_long(epoll_pwait(ep, ev, 4, 1, NULL), 0, "epoll_pwait times out");
	return done();
}
