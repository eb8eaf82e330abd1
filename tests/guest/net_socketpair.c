/*
 * socketpair of every type in the unix domain: boundaries, peeking, shutdown, EPIPE, credentials.
 */
#include "guest.h"
#include <sys/socket.h>

static void exchange(int type, const char *name)
{
	int s[2], value = -1;
	char buf[64] = "";
	socklen_t len = sizeof(value);

	need(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, s));
	show("%s: descriptors %d %d", name, s[0], s[1]);
	need(send(s[0], "one", 3, 0));
	need(send(s[0], "three", 5, 0));
	expect_eq_long(recv(s[1], buf, 2, MSG_PEEK), 2, "MSG_PEEK");
	ssize_t first = recv(s[1], buf, sizeof(buf), 0);
	expect_eq_long(first, type == SOCK_STREAM ? 8 : 3, "first receive");
	if (type != SOCK_STREAM)
		expect_eq_long(recv(s[1], buf, 2, MSG_TRUNC), 5, "cut, with its real length");
	expect_errno(recv(s[1], buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	need(getsockopt(s[0], SOL_SOCKET, SO_TYPE, &value, &len));
	expect_eq_long(value, type, "SO_TYPE");
	struct ucred cred = {0};
	len = sizeof(cred);
	need(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &cred, &len));
	expect(cred.pid == getpid() && cred.uid == geteuid(), "peer: pid %d uid %u gid %u",
	       cred.pid, cred.uid, cred.gid);

	expect_eq_long(shutdown(s[0], SHUT_WR), 0, "shutdown");
	expect_errno(send(s[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	if (type != SOCK_DGRAM)
		expect_eq_long(recv(s[1], buf, sizeof(buf), 0), 0, "end of stream");
	need(send(s[1], "back", 4, 0));
	expect_eq_long(read(s[0], buf, sizeof(buf)), 4, "the other direction still works");
	close(s[1]);
	expect(send(s[0], "x", 1, MSG_NOSIGNAL) == -1, "sending to a closed peer fails: %s",
	       strerror(errno));
	close(s[0]);
}

int main(void)
{
	int s[2];

	exchange(SOCK_STREAM, "stream");
	exchange(SOCK_DGRAM, "datagram");
	exchange(SOCK_SEQPACKET, "seqpacket");
	expect_errno(socketpair(AF_INET, SOCK_STREAM, 0, s), EOPNOTSUPP);
	expect_errno(socketpair(AF_UNIX, SOCK_DCCP, 0, s), ESOCKTNOSUPPORT);
	expect_errno(socket(9999, SOCK_STREAM, 0), EAFNOSUPPORT);

	signal(SIGPIPE, SIG_IGN);
	need(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	close(s[1]);
	expect_errno(write(s[0], "x", 1), EPIPE);
	return done();
}
