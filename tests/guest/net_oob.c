/*
 * TCP urgent data: MSG_OOB, SIOCATMARK, SO_OOBINLINE, POLLPRI and SIGURG; MSG_MORE and corking.
 */
#include "guest.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static void make_pair(int s[2])
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(sin);
	int server = need(socket(AF_INET, SOCK_STREAM, 0));

	need(bind(server, (struct sockaddr *)&sin, sizeof(sin)));
	need(listen(server, 1));
	need(getsockname(server, (struct sockaddr *)&sin, &len));
	s[0] = need(socket(AF_INET, SOCK_STREAM, 0));
	need(connect(s[0], (struct sockaddr *)&sin, sizeof(sin)));
	s[1] = need(accept(server, NULL, NULL));
	close(server);
}

int main(void)
{
	int s[2], mark = -1, on = 1;
	siginfo_t info;
	sigset_t set;
	char buf[64] = "";

	make_pair(s);
	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	need(sigprocmask(SIG_BLOCK, &set, NULL));
	need(fcntl(s[1], F_SETOWN, getpid()));
	need(send(s[0], "ab", 2, 0));
	need(send(s[0], "!", 1, MSG_OOB));
	need(send(s[0], "cd", 2, 0));
	expect_eq_long(sigwaitinfo(&set, &info), SIGURG, "signal");
	struct pollfd pfd = {s[1], POLLPRI, 0};
	expect_eq_long(poll(&pfd, 1, -1), 1, "poll");
	expect_eq_long(pfd.revents & POLLPRI, POLLPRI, "POLLPRI");
	expect_eq_long(recv(s[1], buf, sizeof(buf), 0), 2, "up to the mark");
	need(ioctl(s[1], SIOCATMARK, &mark));
	expect_eq_long(mark, 1, "at the mark");
	expect_eq_long(sockatmark(s[1]), 1, "sockatmark");
	expect_eq_long(recv(s[1], buf, 1, MSG_OOB), 1, "the urgent byte");
	expect_eq_long(buf[0], '!', "its value");
	expect_errno(recv(s[1], buf, 1, MSG_OOB), EINVAL);
	expect_eq_long(recv(s[1], buf, 2, MSG_WAITALL), 2, "what follows");

	need(setsockopt(s[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)));
	need(send(s[0], "x!", 2, MSG_OOB));
	expect_eq_long(recv(s[1], buf, 1, MSG_WAITALL), 1, "before the mark, inline");
	expect_eq_long(recv(s[1], buf, 1, MSG_WAITALL), 1, "the urgent byte, inline");
	expect_eq_long(buf[0], '!', "its value");

	need(send(s[0], "header ", 7, MSG_MORE));
	need(setsockopt(s[0], IPPROTO_TCP, TCP_CORK, &on, sizeof(on)));
	need(send(s[0], "and body", 8, 0));
	on = 0;
	need(setsockopt(s[0], IPPROTO_TCP, TCP_CORK, &on, sizeof(on)));
	expect_eq_long(recv(s[1], buf, 15, MSG_WAITALL), 15, "corked and released");
	expect(memcmp(buf, "header and body", 15) == 0, "%.15s", buf);
	int pending = -1;
	need(ioctl(s[0], TIOCOUTQ, &pending));
	show("not acknowledged yet: %d", pending);
	return done();
}
