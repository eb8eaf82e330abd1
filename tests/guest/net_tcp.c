/*
 * TCP over loopback within one process, nonblocking: connect in progress, poll, accept, a megabyte
 * pumped through, half-close, reset by SO_LINGER.
 */
#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

static int server, client, peer;

static void establish(void)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(sin);
	int err = -1;

	server = need(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	need(bind(server, (struct sockaddr *)&sin, sizeof(sin)));
	need(listen(server, 1));
	need(getsockname(server, (struct sockaddr *)&sin, &len));
	show("listening on port %d", ntohs(sin.sin_port));
	expect_errno(accept(server, NULL, NULL), EAGAIN);
	client = need(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	int r = connect(client, (struct sockaddr *)&sin, sizeof(sin));
	expect(r == 0 || errno == EINPROGRESS, "connect: %d", r);
	struct pollfd pfd[2] = {{client, POLLOUT, 0}, {server, POLLIN, 0}};
	need(poll(&pfd[0], 1, -1));
	need(poll(&pfd[1], 1, -1));
	len = sizeof(err);
	need(getsockopt(client, SOL_SOCKET, SO_ERROR, &err, &len));
	expect_eq_long(err, 0, "SO_ERROR");
	len = sizeof(sin);
	peer = need(accept4(server, (struct sockaddr *)&sin, &len, SOCK_NONBLOCK));
	show("accepted from %s:%d", inet_ntoa(sin.sin_addr), ntohs(sin.sin_port));
}

/* Whichever side poll names first gets its turn: the pattern of reads and writes is printed. */
static void pump(int total)
{
	static unsigned char out[1 << 16], in[1 << 16];
	int sent = 0, received = 0, turns = 0;
	uint64_t hash = 0, pattern = 0;

	memset(out, 'o', sizeof(out));
	while (received < total) {
		struct pollfd pfd[2] = {{client, sent < total ? POLLOUT : 0, 0}, {peer, POLLIN, 0}};
		need(poll(pfd, 2, -1));
		ssize_t n = 0;
		if (pfd[0].revents & POLLOUT) {
			n = need(write(client, out,
				       sizeof(out) < (size_t)(total - sent)
					       ? sizeof(out)
					       : (size_t)(total - sent)));
			sent += n;
		}
		pattern = pattern * 31 + n;
		if (pfd[1].revents & POLLIN) {
			n = need(read(peer, in, sizeof(in)));
			hash ^= hash_bytes(in, n);
			received += n;
			pattern = pattern * 31 + n;
		}
		turns++;
	}
	expect_eq_long(received, total, "received");
	show("in %d turns, hash %016lx, pattern %016lx", turns, (long)hash, (long)pattern);
}

int main(void)
{
	struct linger linger = {1, 0};
	struct tcp_info info;
	socklen_t len = sizeof(info);
	char buf[16];

	establish();
	pump(1 << 20);
	memset(&info, 0, sizeof(info));
	need(getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &len));
	expect_eq_long(info.tcpi_state, TCP_ESTABLISHED, "TCP_INFO state");
	show("rtt %u, mss %u, cwnd %u, length %u", info.tcpi_rtt, info.tcpi_snd_mss,
	     info.tcpi_snd_cwnd, len);
	expect_errno(read(peer, buf, 1), EAGAIN);
	need(shutdown(client, SHUT_WR));
	struct pollfd pfd = {peer, POLLIN | POLLRDHUP, 0};
	need(poll(&pfd, 1, -1));
	expect_eq_long(read(peer, buf, 1), 0, "end after shutdown");
	need(write(peer, "bye", 3));
	need(setsockopt(peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)));
	pfd = (struct pollfd){client, POLLIN, 0};
	need(poll(&pfd, 1, -1));
	expect_eq_long(read(client, buf, sizeof(buf)), 3, "last words");
	need(close(peer));
	pfd = (struct pollfd){client, POLLIN, 0};
	need(poll(&pfd, 1, -1));
	expect_errno(read(client, buf, 1), ECONNRESET);
	return done();
}
