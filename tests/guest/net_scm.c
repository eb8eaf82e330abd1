/*
 * Ancillary data of unix sockets: descriptors (SCM_RIGHTS) and credentials (SCM_CREDENTIALS), cut
 * control buffers, descriptors that nobody takes.
 */
#include "guest.h"
#include <sys/socket.h>

union control {
	struct cmsghdr head;
	char space[256];
};

static void send_fds(int sock, const int *fds, int count, const char *text)
{
	union control c = {0};
	struct iovec iov = {(void *)text, strlen(text)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c};

	msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
	c.head = (struct cmsghdr){CMSG_LEN(count * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(&c.head), fds, count * sizeof(int));
	expect_eq_long(sendmsg(sock, &msg, 0), strlen(text), "sendmsg");
}

static int receive(int sock, size_t space, int *fds, struct ucred *cred)
{
	union control c;
	char buf[64] = "";
	struct iovec iov = {buf, sizeof(buf) - 1};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = space};
	int count = 0;

	ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	show("received %zd bytes \"%s\", flags 0x%x, control %zu", n, buf, msg.msg_flags,
	     msg.msg_controllen);
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&msg); h; h = CMSG_NXTHDR(&msg, h)) {
		show("control type %d, %zu bytes", h->cmsg_type, h->cmsg_len);
		if (h->cmsg_type == SCM_RIGHTS) {
			count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds, CMSG_DATA(h), count * sizeof(int));
		} else if (h->cmsg_type == SCM_CREDENTIALS) {
			memcpy(cred, CMSG_DATA(h), sizeof(*cred));
		}
	}
	return count;
}

int main(void)
{
	int s[2], fds[8] = {0}, on = 1, pipes[2];
	struct ucred cred = {0};
	char c = 0;

	need(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	need(pipe(pipes));
	send_fds(s[0], pipes, 2, "two ends");
	expect_eq_long(receive(s[1], 256, fds, &cred), 2, "descriptors");
	show("they are %d and %d", fds[0], fds[1]);
	expect_eq_long(fcntl(fds[0], F_GETFD), FD_CLOEXEC, "F_GETFD");
	need(write(fds[1], "!", 1));
	need(read(pipes[0], &c, 1));
	expect_eq_long(c, '!', "through the received descriptor");

	send_fds(s[0], pipes, 2, "cut");
	expect_eq_long(receive(s[1], CMSG_LEN(sizeof(int)), fds, &cred), 1, "fits one");
	send_fds(s[0], pipes, 2, "none");
	expect_eq_long(receive(s[1], 0, fds, &cred), 0, "fits none");

	need(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	pid_t pid = need(fork());
	if (pid == 0) {
		need(write(s[0], "who am I", 8));
		int file = need(open("/proc/self/stat", O_RDONLY));
		send_fds(s[0], &file, 1, "file");
		_exit(done());
	}
	expect_child(pid, 0);
	receive(s[1], 256, fds, &cred);
	expect(cred.pid == pid && cred.uid == getuid(), "credentials: pid %d uid %u gid %u",
	       cred.pid, cred.uid, cred.gid);
	expect_eq_long(receive(s[1], 256, fds, &cred), 1, "descriptor of a process that is gone");
	char buf[64] = "";
	expect(read(fds[0], buf, 63) == -1 && errno == ESRCH, "its /proc file is dead: %s", buf);
	int bad[1] = {999};
	union control u = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	memcpy(CMSG_DATA(&u.head), bad, sizeof(bad));
	struct iovec iov = {buf, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &u,
			     .msg_controllen = CMSG_SPACE(sizeof(int))};
	expect_errno(sendmsg(s[0], &msg, 0), EBADF);
	return done();
}
