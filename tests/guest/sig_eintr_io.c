/* A handler without SA_RESTART: each of these blocking calls ends with EINTR. */
#include "guest_task.h"
#include <poll.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>

static volatile int ticks;

static void handler(int sig, siginfo_t *si, void *uc)
{
	ticks++;
}

/* A listening socket in the abstract name space, whose queue is full. */
static int full_listener(struct sockaddr_un *addr, socklen_t *len)
{
	int fd = need(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	*addr = (struct sockaddr_un){.sun_family = AF_UNIX};
	*len = offsetof(struct sockaddr_un, sun_path) +
	       (socklen_t)sprintf(addr->sun_path + 1, "guest-eintr-%d", getpid()) + 1;
	need(bind(fd, (struct sockaddr *)addr, *len));
	need(listen(fd, 0));
	for (;;) {
		int c = need(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
		if (connect(c, (struct sockaddr *)addr, *len) == -1)
			return fd;
	}
}

int main(void)
{
	char byte;
	struct gate gate = gate_make();
	struct pollfd pfd = {.fd = gate.rd, .events = POLLIN};
	struct epoll_event ev = {.events = EPOLLIN};
	struct sockaddr_un addr;
	socklen_t len;
	int pair[2], full[2];
	fd_set set;
	static char page[65536];

	handle(SIGALRM, handler, 0);
	int ep = need(epoll_create1(EPOLL_CLOEXEC));
	need(epoll_ctl(ep, EPOLL_CTL_ADD, gate.rd, &ev));
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	need(pipe2(full, O_NONBLOCK));
	while (write(full[1], page, sizeof(page)) > 0)
		;
	need(fcntl(full[1], F_SETFL, 0));
	int empty = need(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	need(bind(empty, (struct sockaddr *)&(sa_family_t){AF_UNIX}, sizeof(sa_family_t)));
	need(listen(empty, 1));
	int listener = full_listener(&addr, &len);
	int client = need(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	int lock1 = need(memfd_create("locked", 0)), lock2;
	char name[64];
	snprintf(name, sizeof(name), "/proc/self/fd/%d", lock1);
	lock2 = need(open(name, O_RDWR));
	need(flock(lock1, LOCK_EX));

	tick(3);
	expect_errno(read(gate.rd, &byte, 1), EINTR);
	expect_errno(write(full[1], &byte, 1), EINTR);
	expect_errno(recv(pair[0], &byte, 1, 0), EINTR);
	expect_errno(poll(&pfd, 1, -1), EINTR);
	expect_errno(ppoll(&pfd, 1, NULL, NULL), EINTR);
	FD_ZERO(&set);
	FD_SET(gate.rd, &set);
	expect_errno(select(gate.rd + 1, &set, NULL, NULL, NULL), EINTR);
	expect_errno(epoll_wait(ep, &ev, 1, -1), EINTR);
	expect_errno(accept(empty, NULL, NULL), EINTR);
	expect_errno(connect(client, (struct sockaddr *)&addr, len), EINTR);
	expect_errno(flock(lock2, LOCK_EX), EINTR);
	tick(0);
	expect(ticks >= 10, "%d signals", ticks);
	close(listener);
	return done();
}
