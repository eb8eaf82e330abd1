/*
 * A small event loop: eight clients and one server process, epoll, accept4, echo in whatever order
 * the kernel delivers.
 */
#include "guest.h"
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define CLIENTS 8
#define ROUNDS	10

static void client(struct sockaddr_in *sin, int id)
{
	int s = need(socket(AF_INET, SOCK_STREAM, 0));
	char out[64], in[64];

	need(connect(s, (struct sockaddr *)sin, sizeof(*sin)));
	for (int i = 0; i < ROUNDS; i++) {
		int len = snprintf(out, sizeof(out), "client %d round %d", id, i);
		need(write(s, out, len));
		int got = 0;
		while (got < len)
			got += need(read(s, in + got, sizeof(in) - got));
		if (got != len || memcmp(in, out, len) != 0)
			expect(false, "client %d got %.*s", id, got, in);
	}
	_exit(done());
}

int main(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(sin);
	int server = need(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	int ep = need(epoll_create1(EPOLL_CLOEXEC)), open_count = 0, accepted = 0;
	struct epoll_event ev = {EPOLLIN, {.fd = server}}, events[4];
	pid_t pids[CLIENTS];
	char buf[256];
	long bytes = 0;

	need(bind(server, (struct sockaddr *)&sin, sizeof(sin)));
	need(listen(server, CLIENTS));
	need(getsockname(server, (struct sockaddr *)&sin, &len));
	need(epoll_ctl(ep, EPOLL_CTL_ADD, server, &ev));
	for (int i = 0; i < CLIENTS; i++) {
		pids[i] = need(fork());
		if (pids[i] == 0)
			client(&sin, i);
	}
	while (accepted < CLIENTS || open_count > 0) {
		int n = need(epoll_wait(ep, events, 4, -1));
		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;
			if (fd == server) {
				int c = accept4(server, NULL, NULL, SOCK_NONBLOCK);
				ev = (struct epoll_event){EPOLLIN | EPOLLRDHUP, {.fd = c}};
				need(epoll_ctl(ep, EPOLL_CTL_ADD, c, &ev));
				accepted++;
				open_count++;
				continue;
			}
			ssize_t r = read(fd, buf, sizeof(buf));
			if (r > 0) {
				bytes += need(write(fd, buf, r));
				show("fd %d: %.*s", fd, (int)r, buf);
			} else {
				need(epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL));
				close(fd);
				open_count--;
			}
		}
	}
	for (int i = 0; i < CLIENTS; i++)
		expect_child(pids[i], 0);
	expect_eq_long(bytes, CLIENTS * ROUNDS * 16, "bytes echoed");
	return done();
}
