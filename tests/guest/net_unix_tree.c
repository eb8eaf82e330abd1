/*
 * A chain of five processes that pass a token, and a descriptor with it, around a ring of sockets.
 */
#include "guest.h"
#include <sys/socket.h>

#define MEMBERS 5
#define LAPS	20

static int ring[MEMBERS][2];

struct token {
	int hops;
	pid_t last;
	uint64_t hash;
};

static void pass(int sock, struct token *t, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = {0};
	struct iovec iov = {t, sizeof(*t)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
	msg.msg_controllen = sizeof(control);
	struct cmsghdr *h = CMSG_FIRSTHDR(&msg);

	*h = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(h), &fd, sizeof(int));
	need(sendmsg(sock, &msg, 0));
}

static int take(int sock, struct token *t)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct iovec iov = {t, sizeof(*t)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control};
	int fd;

	msg.msg_controllen = sizeof(control);
	need(recvmsg(sock, &msg, 0));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(int));
	return fd;
}

static void member(int me)
{
	struct token t;

	for (int lap = 0; lap < LAPS; lap++) {
		int fd = take(ring[me][0], &t);
		char line[64];
		t.hops++;
		t.last = getpid();
		t.hash = t.hash * 31 + getpid();
		int len = snprintf(line, sizeof(line), "hop %d by pid %d\n", t.hops, getpid());
		need(write(fd, line, len));
		pass(ring[(me + 1) % MEMBERS][1], &t, fd);
		close(fd);
	}
}

int main(void)
{
	pid_t pids[MEMBERS];
	struct token t = {0};
	static char text[16384];

	for (int i = 0; i < MEMBERS; i++)
		need(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ring[i]));
	for (int i = 1; i < MEMBERS; i++) {
		pids[i] = need(fork());
		if (pids[i] == 0) {
			member(i);
			_exit(done());
		}
	}
	int file = need(open(temp_path("log"), O_CREAT | O_RDWR | O_APPEND, 0600));
	pass(ring[1][1], &t, file);
	for (int lap = 1; lap < LAPS; lap++) {
		int fd = take(ring[0][0], &t);
		pass(ring[1][1], &t, fd);
		close(fd);
	}
	close(take(ring[0][0], &t));
	expect_eq_long(t.hops, LAPS * (MEMBERS - 1), "hops");
	show("last pid %d, hash %016lx", t.last, (unsigned long)t.hash);
	for (int i = 1; i < MEMBERS; i++)
		expect_child(pids[i], 0);
	ssize_t n = need(pread(file, text, sizeof(text), 0));
	int lines = 0;
	for (ssize_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	expect_eq_long(lines, t.hops, "lines in the file");
	show("%zd bytes, hash %016lx", n, (unsigned long)hash_bytes(text, n));
	return done();
}
