/* Calls that end with EINTR although the handler has SA_RESTART (signal(7)). */
#include "guest_task.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>

static volatile int ticks;

static void handler(int sig, siginfo_t *si, void *uc)
{
	ticks++;
}

int main(void)
{
	struct gate gate = gate_make();
	struct pollfd pfd = {.fd = gate.rd, .events = POLLIN};
	struct epoll_event ev = {.events = EPOLLIN};
	struct timespec day = {86400, 0}, left;
	struct timeval tv = {5, 0};
	sigset_t set;
	fd_set fds;
	char byte;
	int pair[2];

	handle(SIGALRM, handler, SA_RESTART);
	int ep = need(epoll_create1(EPOLL_CLOEXEC));
	need(epoll_ctl(ep, EPOLL_CTL_ADD, gate.rd, &ev));
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	need(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	tick(3);
	expect_errno(poll(&pfd, 1, -1), EINTR);
	expect_errno(poll(&pfd, 1, 100000), EINTR);
	expect_errno(ppoll(&pfd, 1, &day, NULL), EINTR);
	FD_ZERO(&fds);
	FD_SET(gate.rd, &fds);
	expect_errno(select(gate.rd + 1, &fds, NULL, NULL, NULL), EINTR);
	expect_errno(pselect(gate.rd + 1, &fds, NULL, NULL, &day, NULL), EINTR);
	expect_errno(epoll_wait(ep, &ev, 1, -1), EINTR);
	expect_errno(epoll_pwait(ep, &ev, 1, -1, NULL), EINTR);
	expect_errno(nanosleep(&day, &left), EINTR);
	expect_errno(pause(), EINTR);
	sigemptyset(&set);
	expect_errno(sigsuspend(&set), EINTR);
	sigaddset(&set, SIGUSR2);
	expect_errno(sigwaitinfo(&set, NULL), EINTR);
	/* A socket with a time limit does not restart either. */
	expect_errno(recv(pair[0], &byte, 1, 0), EINTR);
	tick(0);
	expect(ticks >= 12, "%d signals", ticks);
	return done();
}
