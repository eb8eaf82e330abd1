/* What the table says the kernel writes, against what it writes (live_fixture.c): sockets. */
#include "live_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- sockets ---- */

static void p_socketpair(void)
{
	set_args(AF_UNIX, SOCK_STREAM, 0, A(block(8)));
}

static void c_socketpair(void)
{
	close_at(3);
}

static void p_socketpair_failing(void)
{
	set_args(AF_INET, SOCK_STREAM, 0, A(block(8)));
}

/* fds[0] is bound to a free port of 127.0.0.1; fds[1] sends to it. */
static void make_udp(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t length = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fds[0] = socket(AF_INET, SOCK_DGRAM, 0);
	fds[1] = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(fds[0], (struct sockaddr *)&addr, sizeof(addr)), 0);
	getsockname(fds[0], (struct sockaddr *)&addr, &length);
	assert_int_equal(connect(fds[1], (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(send(fds[1], "datagram", 8, 0), 8);
}

static void p_recvfrom(void)
{
	make_udp();
	set_args(fds[0], A(block(100)), 100, 0, A(block(64)), A(copy32(64)));
}

static void p_recvfrom_short(void)
{
	make_udp();
	set_args(fds[0], A(block(100)), 5, MSG_TRUNC, A(block(64)), A(copy32(3)));
}

/* The data arrives before the kernel finds that it cannot say from whom. */
static void p_recvfrom_fault(void)
{
	make_udp();
	set_args(fds[0], A(block(8)), 8, 0, A(block(64)), 8);
}

static void p_getsockname(void)
{
	make_udp();
	set_args(fds[0], A(block(64)), A(copy32(5)));
}

static int accepted;

static void p_accept(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t length = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	bind(fds[0], (struct sockaddr *)&addr, sizeof(addr));
	listen(fds[0], 1);
	getsockname(fds[0], (struct sockaddr *)&addr, &length);
	assert_int_equal(connect(fds[1], (struct sockaddr *)&addr, sizeof(addr)), 0);
	accepted = fds[1] + 1;
	set_args(fds[0], A(block(64)), A(copy32(64)));
}

static void c_accept(void)
{
	close(accepted);
}

/* A struct msghdr with room for a name, two buffers and control data. */
static void *message(size_t control)
{
	struct msghdr msg = {0};

	msg.msg_name = block(64);
	msg.msg_namelen = 64;
	msg.msg_iov = iovec_of(2, 5);
	msg.msg_iovlen = 2;
	msg.msg_control = control ? block(control) : NULL;
	msg.msg_controllen = control;
	msg.msg_flags = 0x5555;
	return copy(&msg, sizeof(msg));
}

static void send_fd(void)
{
	char room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {(void *)"payload", 7};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room};
	struct cmsghdr *cmsg;

	msg.msg_controllen = sizeof(room);
	cmsg = CMSG_FIRSTHDR(&msg);
	*cmsg = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(cmsg), &fds[0], sizeof(int));
	assert_int_equal(sendmsg(fds[1], &msg, 0), 7);
}

static void p_recvmsg_rights(void)
{
	int on = 1;

	make_pair(SOCK_STREAM);
	setsockopt(fds[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	send_fd();
	accepted = fds[1] + 1;
	set_args(fds[0], A(message(256)), 0);
}

static void p_recvmsg_cut(void)
{
	int on = 1;

	make_pair(SOCK_STREAM);
	setsockopt(fds[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	send_fd();
	accepted = fds[1] + 1;
	set_args(fds[0], A(message(21)), 0);
}

static void p_recvmsg_udp(void)
{
	make_udp();
	set_args(fds[0], A(message(0)), 0);
}

static void p_recvmsg_again(void)
{
	make_pair(SOCK_STREAM);
	set_args(fds[0], A(message(64)), MSG_DONTWAIT);
}

static void *messages(int count)
{
	struct mmsghdr all[4];

	for (int i = 0; i < count; i++) {
		memcpy(&all[i].msg_hdr, message(32), sizeof(struct msghdr));
		all[i].msg_len = 0x5555;
	}
	return copy(all, count * sizeof(all[0]));
}

static void p_recvmmsg(void)
{
	make_udp();
	assert_int_equal(send(fds[1], "more", 4, 0), 4);
	set_args(fds[0], A(messages(4)), 4, MSG_DONTWAIT, A(copy(&(struct timespec){5, 0}, 16)));
}

static void p_sendmmsg(void)
{
	struct mmsghdr *all;

	make_pair(SOCK_DGRAM);
	all = messages(2);
	for (int i = 0; i < 2; i++) {
		all[i].msg_hdr.msg_namelen = 0;
		all[i].msg_hdr.msg_controllen = 0;
	}
	set_args(fds[0], A(all), 2, 0);
}

static void p_sockopt(void)
{
	make_udp();
	set_args(fds[0], SOL_SOCKET, SO_RCVBUF, A(block(64)), A(copy32(64)));
}

static void p_sockopt_short(void)
{
	make_udp();
	set_args(fds[0], SOL_SOCKET, SO_TYPE, A(block(64)), A(copy32(2)));
}

static void p_tcp_info(void)
{
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	set_args(fds[0], IPPROTO_TCP, 11, A(block(512)), A(copy32(512)));
}

static void p_peercred(void)
{
	make_pair(SOCK_STREAM);
	set_args(fds[0], SOL_SOCKET, SO_PEERCRED, A(block(64)), A(copy32(64)));
}

static void p_ifconf(void)
{
	struct ifconf conf;

	make_udp();
	conf.ifc_len = 200;
	conf.ifc_buf = block(200);
	set_args(fds[0], SIOCGIFCONF, A(copy(&conf, sizeof(conf))));
}

static void p_ifflags(void)
{
	struct ifreq req = {.ifr_name = "lo"};

	make_udp();
	set_args(fds[0], SIOCGIFFLAGS, A(copy(&req, sizeof(req))));
}

static const struct live cases[] = {
	{"socketpair", p_socketpair, 0, c_socketpair},
	{"socketpair", p_socketpair_failing, -EOPNOTSUPP},
	{"recvfrom", p_recvfrom, 8},
	{"recvfrom", p_recvfrom_short, 8},
	{"recvfrom", p_recvfrom_fault, -EFAULT, .padded = true},
	{"getsockname", p_getsockname, 0},
	{"accept", p_accept, OK, c_accept},
	{"recvmsg", p_recvmsg_rights, 7, c_accept},
	{"recvmsg", p_recvmsg_cut, 7, c_accept},
	{"recvmsg", p_recvmsg_udp, 8},
	{"recvmsg", p_recvmsg_again, -EAGAIN},
	{"recvmmsg", p_recvmmsg, 2},
	{"sendmmsg", p_sendmmsg, 2},
	{"getsockopt", p_sockopt, 0},
	{"getsockopt", p_sockopt_short, 0},
	{"getsockopt", p_tcp_info, 0},
	{"getsockopt", p_peercred, 0},
	{"ioctl", p_ifconf, 0},
	{"ioctl", p_ifflags, 0},
};

int main(void)
{
	return run_live("regions_live_sockets", cases, sizeof(cases) / sizeof(cases[0]), NULL, 0);
}
