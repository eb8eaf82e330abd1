/*
 * UDP over loopback: sendto/recvfrom, connected sockets, ECONNREFUSED from ICMP, MSG_TRUNC,
 * sendmmsg/recvmmsg, IP_PKTINFO, timestamps.
 */
#include "guest.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

static int udp(struct sockaddr_in *sin)
{
	socklen_t len = sizeof(*sin);
	int s = need(socket(AF_INET, SOCK_DGRAM, 0));

	*sin = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	need(bind(s, (struct sockaddr *)sin, sizeof(*sin)));
	need(getsockname(s, (struct sockaddr *)sin, &len));
	return s;
}

static void ancillary(int a, int b, struct sockaddr_in *to)
{
	char buf[64], control[256];
	int on = 1;
	struct iovec iov[2] = {{buf, 4}, {buf + 32, 32}};
	struct sockaddr_in from;
	struct msghdr msg = {&from, sizeof(from), iov, 2, control, sizeof(control), 0};
	int seen = 0;

	need(setsockopt(b, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)));
	need(setsockopt(b, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)));
	need(sendto(a, "ancillary", 9, 0, (struct sockaddr *)to, sizeof(*to)));
	expect_eq_long(recvmsg(b, &msg, 0), 9, "recvmsg into two vectors");
	expect(memcmp(buf, "anci", 4) == 0 && memcmp(buf + 32, "llary", 5) == 0, "scattered");
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&msg); h; h = CMSG_NXTHDR(&msg, h)) {
		if (h->cmsg_level == IPPROTO_IP && h->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(h), sizeof(info));
			show("interface %d, to %s", info.ipi_ifindex, inet_ntoa(info.ipi_addr));
			seen |= 1;
		} else if (h->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec ts;
			memcpy(&ts, CMSG_DATA(h), sizeof(ts));
			show("received at %ld.%09ld", ts.tv_sec, ts.tv_nsec);
			seen |= 2;
		}
	}
	expect_eq_long(seen, 3, "both kinds of control message");
}

int main(void)
{
	struct sockaddr_in at, bt, ct, from;
	int a = udp(&at), b = udp(&bt), c = udp(&ct);
	socklen_t len = sizeof(from);
	char buf[64] = "", more[4][16];

	show("ports %d %d %d", ntohs(at.sin_port), ntohs(bt.sin_port), ntohs(ct.sin_port));
	need(sendto(a, "datagram", 8, 0, (struct sockaddr *)&bt, sizeof(bt)));
	expect_eq_long(recvfrom(b, buf, 4, MSG_PEEK | MSG_TRUNC, (struct sockaddr *)&from, &len), 8,
		       "MSG_PEEK|MSG_TRUNC");
	expect_eq_long(from.sin_port, at.sin_port, "from port (network order)");
	expect_eq_long(recv(b, buf, sizeof(buf), 0), 8, "recv");
	expect_errno(recv(b, buf, sizeof(buf), MSG_DONTWAIT), EAGAIN);
	ancillary(a, b, &bt);

	struct mmsghdr out[4] = {0}, in[4] = {0};
	struct iovec ov[4], iv[4];
	for (int i = 0; i < 4; i++) {
		ov[i] = (struct iovec){"0123456789", 2 * i};
		iv[i] = (struct iovec){more[i], 5};
		out[i].msg_hdr = (struct msghdr){&bt, sizeof(bt), &ov[i], 1};
		in[i].msg_hdr = (struct msghdr){.msg_iov = &iv[i], .msg_iovlen = 1};
	}
	expect_eq_long(sendmmsg(a, out, 4, 0), 4, "sendmmsg");
	expect_eq_long(out[3].msg_len, 6, "bytes of the last");
	struct timespec timeout = {5, 0};
	expect_eq_long(recvmmsg(b, in, 4, 0, &timeout), 4, "recvmmsg");
	for (int i = 0; i < 4; i++)
		show("%u bytes, flags 0x%x", in[i].msg_len, in[i].msg_hdr.msg_flags);
	expect_eq_long(in[3].msg_hdr.msg_flags & MSG_TRUNC, MSG_TRUNC, "the last is cut");
	expect_errno(recvmmsg(b, in, 4, MSG_DONTWAIT, NULL), EAGAIN);

	need(connect(a, (struct sockaddr *)&ct, sizeof(ct)));
	expect_eq_long(send(a, "", 0, 0), 0, "an empty datagram");
	expect_eq_long(recv(c, buf, sizeof(buf), 0), 0, "received");
	close(c);
	need(send(a, "x", 1, 0));
	expect_errno(recv(a, buf, sizeof(buf), 0), ECONNREFUSED);
	char *big = calloc(1, 70000);
	expect_errno(send(a, big, 70000, 0), EMSGSIZE);
	return done();
}
