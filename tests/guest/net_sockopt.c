/*
 * getsockopt and setsockopt: sizes, timeouts that expire, buffers, SO_REUSEPORT, short and long
 * option buffers, IPv6.
 */
#include "guest.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

static void show_option(int s, const char *name, int level, int option)
{
	unsigned char value[64];
	socklen_t len = sizeof(value);

	memset(value, 0xee, sizeof(value));
	int r = getsockopt(s, level, option, value, &len);
	if (r == 0)
		hexdump(name, value, len < 16 ? len : 16);
	else
		show("%s: %s", name, strerror(errno));
	expect(r == 0 || errno == ENOPROTOOPT || errno == EOPNOTSUPP || errno == ENOTCONN,
	       "%s: length %u", name, len);
}

#define SHOW(level, option) show_option(s, #option, level, option)

int main(void)
{
	int s = need(socket(AF_INET, SOCK_STREAM, 0)), on = 1, value = 0;
	struct timeval tv = {0, 2000};
	socklen_t len;
	char buf[8];

	SHOW(SOL_SOCKET, SO_SNDBUF);
	SHOW(SOL_SOCKET, SO_RCVBUF);
	SHOW(SOL_SOCKET, SO_LINGER);
	SHOW(SOL_SOCKET, SO_DOMAIN);
	SHOW(SOL_SOCKET, SO_PROTOCOL);
	SHOW(SOL_SOCKET, SO_ACCEPTCONN);
	SHOW(SOL_SOCKET, SO_COOKIE);
	SHOW(SOL_SOCKET, SO_INCOMING_CPU);
	SHOW(SOL_SOCKET, SO_PEERSEC);
	SHOW(SOL_SOCKET, SO_BINDTODEVICE);
	SHOW(SOL_SOCKET, SO_MEMINFO);
	SHOW(IPPROTO_TCP, TCP_MAXSEG);
	SHOW(IPPROTO_TCP, TCP_CONGESTION);
	SHOW(IPPROTO_TCP, TCP_NODELAY);
	SHOW(IPPROTO_TCP, TCP_USER_TIMEOUT);
	SHOW(IPPROTO_IP, IP_TTL);
	SHOW(IPPROTO_IP, IP_TOS);
	SHOW(IPPROTO_IP, 9999);

	value = 20000;
	expect_eq_long(setsockopt(s, SOL_SOCKET, SO_RCVBUF, &value, 4), 0, "SO_RCVBUF");
	len = 4;
	need(getsockopt(s, SOL_SOCKET, SO_RCVBUF, &value, &len));
	expect_eq_long(value, 40000, "doubled by the kernel");
	len = 1;
	value = -1;
	need(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, &len));
	expect_eq_long(value, 0xffffff01 - (1L << 32), "one byte of it");
	len = (socklen_t)-1;
	expect_errno(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, &len), EINVAL);
	expect_errno(setsockopt(s, SOL_SOCKET, SO_RCVBUF, &value, 2), EINVAL);
	expect_errno(setsockopt(1, SOL_SOCKET, 9999, &value, 4), ENOTSOCK);
	expect_errno(setsockopt(s, SOL_SOCKET, 9999, &value, 4), ENOPROTOOPT);

	int u[2];
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, u));
	expect_eq_long(setsockopt(u[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0,
		       "SO_RCVTIMEO");
	expect_errno(recv(u[0], buf, 8, 0), EAGAIN);
	len = sizeof(tv);
	need(getsockopt(u[0], SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
	show("timeout %ld.%06ld", tv.tv_sec, (long)tv.tv_usec);
	need(setsockopt(u[0], SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)));
	static char block[65536];
	ssize_t n, total = 0;
	while ((n = send(u[0], block, sizeof(block), MSG_NOSIGNAL)) > 0)
		total += n;
	expect(n == -1 && errno == EAGAIN, "sending times out after %zd bytes", total);

	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int v6 = socket(AF_INET6, SOCK_DGRAM, 0);
	if (v6 >= 0 && bind(v6, (struct sockaddr *)&sin6, sizeof(sin6)) == 0) {
		int twin = need(socket(AF_INET6, SOCK_DGRAM, 0));
		len = sizeof(sin6);
		need(getsockname(v6, (struct sockaddr *)&sin6, &len));
		expect_errno(bind(twin, (struct sockaddr *)&sin6, len), EADDRINUSE);
		show("IPv6 port %d", ntohs(sin6.sin6_port));
	} else {
		show("no IPv6: %s", strerror(errno));
	}
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int t = need(socket(AF_INET, SOCK_STREAM, 0));
	need(setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &on, 4));
	need(setsockopt(t, SOL_SOCKET, SO_REUSEPORT, &on, 4));
	need(bind(s, (struct sockaddr *)&sin, sizeof(sin)));
	len = sizeof(sin);
	need(getsockname(s, (struct sockaddr *)&sin, &len));
	expect_eq_long(bind(t, (struct sockaddr *)&sin, len), 0, "one port for two sockets");
	return done();
}
