/*
 * Named unix sockets: stream server and client in two processes, datagrams with a reply address,
 * abstract and autobound names, short address buffers.
 */
#include "guest.h"
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static socklen_t address(struct sockaddr_un *sun, const char *name, bool abstract)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	snprintf(sun->sun_path + abstract, sizeof(sun->sun_path) - abstract, "%s", name);
	return offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1;
}

static void stream(void)
{
	struct sockaddr_un sun, peer;
	socklen_t len = address(&sun, "stream", false);
	int server = need(socket(AF_UNIX, SOCK_STREAM, 0));
	char buf[64] = "";

	need(bind(server, (struct sockaddr *)&sun, len));
	need(listen(server, 5));
	pid_t pid = need(fork());
	if (pid == 0) {
		int s = need(socket(AF_UNIX, SOCK_STREAM, 0));
		need(connect(s, (struct sockaddr *)&sun, len));
		need(write(s, "request", 7));
		expect_eq_long(recv(s, buf, 6, MSG_WAITALL), 6, "answer");
		_exit(done());
	}
	len = sizeof(peer);
	int c = need(accept4(server, (struct sockaddr *)&peer, &len, SOCK_CLOEXEC));
	expect_eq_long(len, 2, "an unnamed peer's address length");
	expect_eq_long(fcntl(c, F_GETFD), FD_CLOEXEC, "F_GETFD");
	expect_eq_long(recv(c, buf, 7, MSG_WAITALL), 7, "request");
	struct ucred cred;
	len = sizeof(cred);
	need(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &cred, &len));
	expect_eq_long(cred.pid, pid, "pid of the peer");
	need(write(c, "ans", 3));
	need(write(c, "wer", 3));
	expect_child(pid, 0);
	expect_eq_long(read(c, buf, sizeof(buf)), 0, "end");
	expect_errno(bind(need(socket(AF_UNIX, SOCK_STREAM, 0)), (struct sockaddr *)&sun,
			  address(&sun, "stream", false)),
		     EADDRINUSE);
	close(server);
	expect_errno(connect(need(socket(AF_UNIX, SOCK_STREAM, 0)), (struct sockaddr *)&sun,
			     address(&sun, "stream", false)),
		     ECONNREFUSED);
}

static void datagrams(void)
{
	struct sockaddr_un sun, from;
	char name[64], buf[64] = "";
	int a = need(socket(AF_UNIX, SOCK_DGRAM, 0)), b = need(socket(AF_UNIX, SOCK_DGRAM, 0));
	sa_family_t family = AF_UNIX;

	snprintf(name, sizeof(name), "guest-%d", getpid());
	socklen_t len = address(&sun, name, true), got = sizeof(from);
	need(bind(a, (struct sockaddr *)&sun, len));
	need(bind(b, (struct sockaddr *)&family, sizeof(family)));
	need(getsockname(b, (struct sockaddr *)&from, &got));
	expect(got == 8 && from.sun_path[0] == 0, "autobound to @%.5s", from.sun_path + 1);
	expect_eq_long(sendto(b, "hello", 5, 0, (struct sockaddr *)&sun, len), 5, "sendto");
	memset(&from, 0xee, sizeof(from));
	got = 4;
	expect_eq_long(recvfrom(a, buf, sizeof(buf), MSG_PEEK, (struct sockaddr *)&from, &got), 5,
		       "recvfrom with a short address buffer");
	expect(got == 8 && (unsigned char)from.sun_path[2] == 0xee, "cut at 4 of %u bytes", got);
	got = sizeof(from);
	expect_eq_long(recvfrom(a, buf, 3, 0, (struct sockaddr *)&from, &got), 3, "cut datagram");
	expect_eq_long(sendto(a, "reply", 5, 0, (struct sockaddr *)&from, got), 5, "answer");
	expect_eq_long(recv(b, buf, sizeof(buf), 0), 5, "received");
	expect_errno(sendto(b, "x", 1, 0, NULL, 0), ENOTCONN);
	address(&sun, "absent", false);
	expect_errno(connect(b, (struct sockaddr *)&sun, sizeof(sun)), ENOENT);
}

int main(void)
{
	need(chdir(temp_dir()));
	stream();
	datagrams();
	return done();
}
