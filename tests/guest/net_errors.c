/*
 * What sockets answer when they are not connected, bound, or sockets at all; getsockname and
 * getpeername with short, long and bad buffers.
 */
#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static void short_names(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	unsigned char raw[64];
	socklen_t len = sizeof(sin);
	int server = need(socket(AF_INET, SOCK_STREAM, 0));
	int client = need(socket(AF_INET, SOCK_STREAM, 0));

	need(bind(server, (struct sockaddr *)&sin, sizeof(sin)));
	need(listen(server, 1));
	need(getsockname(server, (struct sockaddr *)&sin, &len));
	need(connect(client, (struct sockaddr *)&sin, sizeof(sin)));
	for (socklen_t size = 0; size <= 32; size += 4) {
		memset(raw, 0xee, sizeof(raw));
		len = size;
		need(getpeername(client, (struct sockaddr *)raw, &len));
		if (len != 16 || raw[size < 16 ? size : 16] != 0xee)
			expect(false, "getpeername into %u bytes: length %u", size, len);
	}
	hexdump("getpeername", raw, 16);
	len = 6;
	memset(raw, 0xee, sizeof(raw));
	int c = accept(server, (struct sockaddr *)raw, &len);
	expect(c >= 0 && len == 16 && raw[6] == 0xee, "accept with a short buffer: %u", len);
	hexdump("accept", raw, 8);
	len = (socklen_t)-5;
	expect_errno(getsockname(client, (struct sockaddr *)raw, &len), EINVAL);
	expect_errno(syscall(SYS_getsockname, client, raw, (void *)8), EFAULT);
	expect_errno(connect(client, (struct sockaddr *)&sin, sizeof(sin)), EISCONN);
	close(server);
	close(c);
	int again = need(socket(AF_INET, SOCK_STREAM, 0));
	expect_errno(connect(again, (struct sockaddr *)&sin, sizeof(sin)), ECONNREFUSED);
}

int main(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	socklen_t len = sizeof(sin);
	char buf[16];
	int s = need(socket(AF_INET, SOCK_STREAM, 0));
	int file = need(open("/dev/null", O_RDWR));

	expect_errno(recv(s, buf, sizeof(buf), 0), ENOTCONN);
	expect_errno(send(s, buf, sizeof(buf), MSG_NOSIGNAL), EPIPE);
	expect_errno(getpeername(s, (struct sockaddr *)&sin, &len), ENOTCONN);
	expect_errno(shutdown(s, SHUT_RDWR), ENOTCONN);
	expect_errno(accept(s, NULL, NULL), EINVAL);
	expect_errno(accept4(s, NULL, NULL, 0x77), EINVAL);
	expect_errno(recv(file, buf, 1, 0), ENOTSOCK);
	expect_errno(accept(file, NULL, NULL), ENOTSOCK);
	expect_errno(connect(-1, (struct sockaddr *)&sin, sizeof(sin)), EBADF);
	expect_errno(connect(s, (struct sockaddr *)&sin, 1), EINVAL);
	sin.sin_family = 77;
	expect_errno(bind(s, (struct sockaddr *)&sin, sizeof(sin)), EAFNOSUPPORT);
	sin.sin_family = AF_INET;
	inet_pton(AF_INET, "192.0.2.77", &sin.sin_addr);
	expect_errno(bind(s, (struct sockaddr *)&sin, sizeof(sin)), EADDRNOTAVAIL);
	struct msghdr msg = {.msg_iovlen = 100000};
	expect_errno(sendmsg(s, &msg, 0), EMSGSIZE);
	expect_errno(syscall(SYS_recvmsg, s, (void *)8, 0), EFAULT);
	short_names();
	return done();
}
