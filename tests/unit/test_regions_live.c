/* What the table says the kernel writes, against what it writes.
 *
 * Each case makes one real call on an arena filled with a pattern, and compares the arena with what
 * it was. Every byte that changed must lie in a region that is SC_OUT or SC_INOUT, within its
 * length. Each case runs with two patterns: a byte that keeps the pattern both times was not
 * written, and an SC_OUT region must not have one within its length, because a recorder that
 * redirects the region into scratch memory copies that length back. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "syscalls/syscalls.h"

#define ARENA 65536
#define GAP   64 /* bytes of pattern between any two blocks */
#define ANY   INT64_MIN
#define OK    (INT64_MIN + 1) /* any result that is not an error */

static unsigned char arena[ARENA] __attribute__((aligned(4096)));
static size_t used;
static unsigned char pattern;
static uint64_t args[SC_ARGS];
static int fds[8]; /* closed after each run; -1 where unused */

/* A block of the arena, still full of the pattern. */
static void *block(size_t size)
{
	void *at = arena + used;

	used += (size + GAP + 15) & ~(size_t)15;
	assert_true(used <= ARENA);
	return at;
}

/* A block that holds a copy of these bytes. */
static void *copy(const void *bytes, size_t size)
{
	return memcpy(block(size), bytes, size);
}

static void *copy32(uint32_t value)
{
	return copy(&value, sizeof(value));
}

static void *copy64(uint64_t value)
{
	return copy(&value, sizeof(value));
}

#define A(pointer)    ((uint64_t)(uintptr_t)(pointer))
#define set_args(...) memcpy(args, (uint64_t[SC_ARGS]){__VA_ARGS__}, sizeof(args))

static size_t own_read(void *context, taddr addr, void *to, size_t length)
{
	struct iovec local = {to, length}, remote = {(void *)(uintptr_t)addr, length};
	ssize_t got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);

	return got < 0 ? 0 : got;
}

static const struct sc_memory memory = {own_read, NULL};

struct live {
	const char *name; /* of the call */
	void (*prepare)(void);
	int64_t expect; /* the result, ANY or OK */
	void (*clean)(void);
	bool padded; /* gaps in what the kernel writes: only the bounds are checked */
};

struct run {
	unsigned char before[ARENA], after[ARENA];
	struct sc_regions regions;
};

static bool covered(const struct sc_regions *regions, const unsigned char *at)
{
	vec_foreach (regions, r)
		if ((r->dir == SC_OUT || r->dir == SC_INOUT) && A(at) >= r->addr &&
		    A(at) < r->addr + r->length)
			return true;
	return false;
}

static void run(const struct live *live, unsigned char fill, struct run *r)
{
	const struct sc_row *row = sc_row_by_name(live->name);
	struct sc_call call = {.nr = row->nr};

	pattern = fill;
	memset(arena, fill, sizeof(arena));
	memset(args, 0, sizeof(args));
	memset(fds, -1, sizeof(fds));
	used = GAP;
	live->prepare();
	memcpy(call.args, args, sizeof(args));
	row = sc_row_refine(row, &call);
	assert_true(sc_regions_begin(row, &call, &memory, &r->regions));
	memcpy(r->before, arena, ARENA);
	call.result = syscall(row->nr, args[0], args[1], args[2], args[3], args[4], args[5]);
	if (call.result == -1)
		call.result = -errno;
	call.ended = true;
	memcpy(r->after, arena, ARENA);
	sc_regions_end(row, &call, &memory, &r->regions);
	if (live->clean)
		live->clean();
	for (int i = 0; i < 8; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (live->expect == OK)
		assert_true(call.result >= 0);
	else if (live->expect != ANY)
		assert_int_equal(call.result, live->expect);
}

static void check_covered(const struct live *live, const struct run *r)
{
	for (size_t i = 0; i < ARENA; i++)
		if (r->before[i] != r->after[i] && !covered(&r->regions, arena + i))
			fail_msg("%s wrote byte %zu of the arena, which no region has", live->name,
				 i);
}

/* The bytes of SC_OUT regions that no run wrote. */
static void check_exact(const struct live *live, const struct run *one, const struct run *two)
{
	vec_foreach (&one->regions, r) {
		for (uint64_t i = 0; r->dir == SC_OUT && i < r->length; i++) {
			size_t at = r->addr + i - A(arena);

			if (at < ARENA && one->after[at] == 0x5a && two->after[at] == 0xa5)
				fail_msg("%s did not write byte %zu of argument %d", live->name,
					 (size_t)i, r->arg);
		}
	}
}

static struct run one, two;

static void test_live(void **state)
{
	const struct live *live = *state;

	vec_clear(&one.regions);
	vec_clear(&two.regions);
	run(live, 0x5a, &one);
	check_covered(live, &one);
	run(live, 0xa5, &two);
	check_covered(live, &two);
	if (!live->padded)
		check_exact(live, &one, &two);
}

/* ---- helpers of several cases ---- */

static void make_pipe(const char *text)
{
	assert_int_equal(pipe(fds), 0);
	if (text)
		assert_int_equal(write(fds[1], text, strlen(text)), strlen(text));
}

static void make_pair(int type)
{
	assert_int_equal(socketpair(AF_UNIX, type, 0, fds), 0);
}

static void make_file(const char *text)
{
	fds[0] = memfd_create("live", 0);
	assert_true(fds[0] >= 0);
	assert_int_equal(write(fds[0], text, strlen(text)), strlen(text));
	lseek(fds[0], 0, SEEK_SET);
}

static void on_alarm(int sig)
{
}

/* Interrupts the call with signals that do not restart it. */
static void start_alarm(void)
{
	struct sigaction act = {.sa_handler = on_alarm};
	struct itimerval every = {{0, 2000}, {0, 2000}};

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
}

static void stop_alarm(void)
{
	struct itimerval none = {0};

	setitimer(ITIMER_REAL, &none, NULL);
	signal(SIGALRM, SIG_DFL);
}

static pid_t ended_child(void)
{
	pid_t pid = fork();
	siginfo_t info;

	if (pid == 0)
		_exit(3);
	assert_true(pid > 0);
	waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
	return pid;
}

static void *iovec_of(int count, size_t each)
{
	struct iovec iov[4];

	for (int i = 0; i < count; i++)
		iov[i] = (struct iovec){block(each), each};
	return copy(iov, count * sizeof(iov[0]));
}

/* ---- reading and writing ---- */

static void p_read(void)
{
	make_pipe("hello");
	set_args(fds[0], A(block(100)), 100);
}

static void p_read_nothing(void)
{
	make_pipe(NULL);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	set_args(fds[0], A(block(100)), 100);
}

static void p_readv(void)
{
	make_pipe("hello, vectors");
	set_args(fds[0], A(iovec_of(3, 6)), 3);
}

static void p_preadv2(void)
{
	make_file("hello, vectors");
	set_args(fds[0], A(iovec_of(3, 4)), 3, 2, 0, 0);
}

static void p_process_vm_readv(void)
{
	struct iovec remote = {(void *)"0123456789", 10};

	set_args(getpid(), A(iovec_of(3, 4)), 3, A(copy(&remote, sizeof(remote))), 1, 0);
}

static void p_writev(void)
{
	make_pipe(NULL);
	set_args(fds[1], A(iovec_of(2, 6)), 2);
}

static void p_pipe2(void)
{
	set_args(A(block(8)), O_CLOEXEC);
}

/* Closes the descriptors that the call put at argument `a`. */
static void close_at(int a)
{
	memcpy(fds, (void *)(uintptr_t)args[a], 2 * sizeof(int));
}

static void c_pipe2(void)
{
	close_at(0);
}

static void p_getdents64(void)
{
	fds[0] = open("/", O_RDONLY | O_DIRECTORY);
	set_args(fds[0], A(block(4096)), 4096);
}

static void p_getcwd(void)
{
	set_args(A(block(4096)), 4096);
}

static void p_readlink(void)
{
	set_args(A("/proc/self/exe"), A(block(100)), 100);
}

static void p_statx(void)
{
	set_args(AT_FDCWD, A("/"), 0, 0xfff, A(block(256)));
}

static void p_stat(void)
{
	set_args(A("/"), A(block(144)));
}

static void p_stat_missing(void)
{
	set_args(A("/no/such/file"), A(block(144)));
}

static void p_statfs(void)
{
	set_args(A("/"), A(block(120)));
}

static void p_sendfile(void)
{
	make_file("0123456789");
	fds[2] = memfd_create("to", 0);
	set_args(fds[2], fds[0], A(copy64(2)), 5);
}

static void p_copy_file_range(void)
{
	make_file("0123456789");
	fds[2] = memfd_create("to", 0);
	set_args(fds[0], A(copy64(2)), fds[2], A(copy64(0)), 5, 0);
}

static void p_splice(void)
{
	make_pipe("0123456789");
	fds[2] = memfd_create("to", 0);
	set_args(fds[0], 0, fds[2], A(copy64(3)), 5, 0);
}

static void p_vmsplice(void)
{
	make_pipe("0123456789");
	set_args(fds[0], A(iovec_of(2, 6)), 2, 0);
}

static void p_handle(void)
{
	set_args(AT_FDCWD, A("/proc/self/exe"), A(copy32(0)), A(block(8)), 0x400);
}

static void p_handle_room(void)
{
	unsigned char *handle = block(8 + 128);

	memcpy(handle, &(uint32_t){128}, 4);
	set_args(AT_FDCWD, A("/tmp"), A(handle), A(block(8)), 0);
}

static void p_getxattr(void)
{
	set_args(A("/tmp"), A("system.posix_acl_access"), A(block(64)), 64);
}

static void p_listxattr(void)
{
	set_args(A("/tmp"), A(block(64)), 64);
}

static void p_cachestat(void)
{
	uint64_t range[2] = {0, 0};

	make_file("0123456789");
	set_args(fds[0], A(copy(range, sizeof(range))), A(block(40)), 0);
}

static void p_ustat(void)
{
	set_args(1, A(block(32)));
}

static void p_sysfs(void)
{
	set_args(2, 0, A(block(256)));
}

static void p_listmount(void)
{
	uint64_t req[3] = {24, UINT64_MAX, 0};

	set_args(A(copy(req, sizeof(req))), A(block(80)), 10, 0);
}

/* ---- waiting for descriptors ---- */

static void p_poll(void)
{
	struct pollfd poll_fds[2];

	make_pipe("x");
	poll_fds[0] = (struct pollfd){fds[0], POLLIN, 0x5555};
	poll_fds[1] = (struct pollfd){fds[1], POLLIN, 0x5555};
	set_args(A(copy(poll_fds, sizeof(poll_fds))), 2, 0);
}

static void p_ppoll(void)
{
	p_poll();
	set_args(args[0], 2, A(copy(&(struct timespec){5, 5}, 16)), A(copy64(0)), 8);
}

static void p_ppoll_interrupted(void)
{
	struct pollfd poll_fd;

	make_pipe(NULL);
	poll_fd = (struct pollfd){fds[0], POLLIN, 0x5555};
	start_alarm();
	set_args(A(copy(&poll_fd, sizeof(poll_fd))), 1, A(copy(&(struct timespec){50, 5}, 16)));
}

static void *fd_set_of(int fd)
{
	uint64_t bits[2] = {UINT64_MAX << fd, UINT64_MAX}; /* what is beyond counts not */

	return copy(bits, sizeof(bits));
}

static void p_select(void)
{
	make_pipe("x");
	set_args(fds[1] + 1, A(fd_set_of(fds[0])), A(fd_set_of(fds[1])), A(fd_set_of(fds[1])),
		 A(copy(&(struct timeval){5, 5}, 16)));
}

static void p_pselect6(void)
{
	uint64_t mask[2] = {A(copy64(0)), 8};

	p_select();
	memcpy((void *)(uintptr_t)args[4], &(struct timespec){5, 5}, 16);
	args[5] = A(copy(mask, sizeof(mask)));
}

static void p_epoll(void)
{
	struct epoll_event event = {EPOLLIN | EPOLLOUT, {.u64 = 77}};

	make_pipe("x");
	fds[2] = epoll_create1(0);
	epoll_ctl(fds[2], EPOLL_CTL_ADD, fds[0], &event);
	epoll_ctl(fds[2], EPOLL_CTL_ADD, fds[1], &event);
	set_args(fds[2], A(block(120)), 10, 0);
}

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

/* ---- processes, signals ---- */

static pid_t child;

static void c_child(void)
{
	waitpid(child, NULL, 0);
}

static void p_wait4(void)
{
	child = ended_child();
	set_args(child, A(block(4)), 0, A(block(144)));
}

static pid_t sleeping_child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	assert_true(pid > 0);
	return pid;
}

static void c_kill_child(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void p_wait4_nothing(void)
{
	child = sleeping_child();
	set_args(child, A(block(4)), WNOHANG, A(block(144)));
}

static void p_waitid(void)
{
	child = ended_child();
	set_args(P_PID, child, A(block(128)), WEXITED | WNOWAIT, A(block(144)));
}

static void p_waitid_nothing(void)
{
	child = sleeping_child();
	set_args(P_PID, child, A(block(128)), WEXITED | WNOHANG, A(block(144)));
}

static void p_waitid_failing(void)
{
	set_args(P_PID, 1, A(block(128)), WEXITED, A(block(144)));
}

static void p_sigaction(void)
{
	set_args(SIGUSR1, 0, A(block(32)), 8);
}

static void p_sigprocmask(void)
{
	set_args(SIG_BLOCK, A(copy64(0)), A(block(8)), 8);
}

static void p_sigpending(void)
{
	set_args(A(block(8)), 5);
}

static void p_sigaltstack(void)
{
	set_args(0, A(block(24)));
}

static void p_sigtimedwait(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR1);
	set_args(A(copy(&set, 8)), A(block(128)), A(copy(&(struct timespec){5, 0}, 16)), 8);
}

static void p_sigtimedwait_nothing(void)
{
	set_args(A(copy64(1u << (SIGUSR2 - 1))), A(block(128)), A(copy(&(struct timespec){0}, 16)),
		 8);
}

static void p_capget(void)
{
	uint32_t header[2] = {0x20080522, 0};

	set_args(A(copy(header, sizeof(header))), A(block(24)));
}

static void p_capget_version(void)
{
	uint32_t header[2] = {5, 0};

	set_args(A(copy(header, sizeof(header))), A(block(24)));
}

static void p_one_block(void)
{
	set_args(A(block(512)));
}

static void p_two_blocks(void)
{
	set_args(A(block(64)), A(block(64)), 0);
}

static void p_three_blocks(void)
{
	set_args(A(block(64)), A(block(64)), A(block(64)));
}

static void p_getrusage(void)
{
	set_args(0, A(block(144)));
}

static void p_prlimit(void)
{
	set_args(0, 7, 0, A(block(16)));
}

static void p_getgroups(void)
{
	set_args(100, A(block(400)));
}

static void p_sched_getaffinity(void)
{
	set_args(0, 1024, A(block(1024)));
}

static void p_sched_getattr(void)
{
	set_args(0, A(block(128)), 128, 0);
}

static void p_sched_setattr(void)
{
	unsigned char *attr = block(128);

	memset(attr, 0xff, 128);
	memcpy(attr, &(uint32_t){128}, 4);
	set_args(0, A(attr), 0);
}

static void p_prctl_name(void)
{
	set_args(16, A(block(32)));
}

static void p_prctl_auxv(void)
{
	set_args(0x41555856, A(block(64)), 64);
}

static void p_prctl_int(void)
{
	set_args(2, A(block(32)));
}

static void p_prctl_tid_address(void)
{
	set_args(40, A(block(32)));
}

static void p_arch_prctl(void)
{
	set_args(0x1003, A(block(32)));
}

static void p_modify_ldt(void)
{
	set_args(0, A(block(64)), 64);
}

static void p_modify_ldt_failing(void)
{
	set_args(77, A(block(64)), 64);
}

static void p_futex_lock_pi(void)
{
	set_args(A(copy32(0)), FUTEX_LOCK_PI_PRIVATE);
}

static void p_futex_wake_op(void)
{
	set_args(A(copy32(0)), FUTEX_WAKE_OP_PRIVATE, 1, 1, A(copy32(0)),
		 FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_EQ, 0));
}

static void p_robust_list(void)
{
	set_args(0, A(block(8)), A(block(8)));
}

/* ---- clocks ---- */

static void p_nanosleep_interrupted(void)
{
	start_alarm();
	set_args(A(copy(&(struct timespec){50, 0}, 16)), A(block(16)));
}

static void p_clock_nanosleep_interrupted(void)
{
	start_alarm();
	set_args(CLOCK_MONOTONIC, 0, A(copy(&(struct timespec){50, 0}, 16)), A(block(16)));
}

static void p_clock_nanosleep_absolute(void)
{
	start_alarm();
	set_args(CLOCK_MONOTONIC, TIMER_ABSTIME, A(copy(&(struct timespec){1ll << 40, 0}, 16)),
		 A(block(16)));
}

static void p_clock_gettime(void)
{
	set_args(CLOCK_MONOTONIC, A(block(16)));
}

static void p_timer_create(void)
{
	set_args(CLOCK_MONOTONIC, 0, A(block(8)));
}

static void c_timer_create(void)
{
	int id;

	memcpy(&id, (void *)(uintptr_t)args[2], 4);
	syscall(SYS_timer_delete, id);
}

static void p_timer_create_failing(void)
{
	set_args(8 /* CLOCK_REALTIME_ALARM: refused after the id was written */, 0, A(block(8)));
}

static void p_timerfd_settime(void)
{
	struct itimerspec when = {{1, 0}, {1, 0}};

	fds[0] = syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0);
	set_args(fds[0], 0, A(copy(&when, sizeof(when))), A(block(32)));
}

static void p_getitimer(void)
{
	set_args(ITIMER_REAL, A(block(32)));
}

static void p_adjtimex(void)
{
	unsigned char *timex = block(208);

	memset(timex, 0, 208);
	set_args(A(timex));
}

/* ---- memory ---- */

static void p_mincore(void)
{
	set_args(A(arena), 3 * 4096, A(block(16)));
}

static void p_mempolicy(void)
{
	set_args(A(block(4)), A(block(256)), 1025, 0, 0);
}

static void p_move_pages(void)
{
	void *pages[2] = {arena, (void *)4096};

	set_args(0, 2, A(copy(pages, sizeof(pages))), 0, A(block(16)), 0);
}

static void p_getrandom(void)
{
	set_args(A(block(2)), 2, 0);
}

/* ---- fcntl, ioctl ---- */

static void p_getlk(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	make_file("x");
	set_args(fds[0], F_GETLK, A(copy(&lock, sizeof(lock))));
}

static void p_getown(void)
{
	make_pipe(NULL);
	set_args(fds[0], 16, A(block(32)));
}

static void p_rw_hint(void)
{
	make_file("x");
	set_args(fds[0], 1035, A(block(32)));
}

static unsigned long tty_command;

static void p_tty(void)
{
	assert_int_equal(openpty(&fds[0], &fds[1], NULL, NULL, NULL), 0);
	set_args(fds[0], tty_command, A(block(128)));
}

static void p_fionread(void)
{
	make_pipe("four");
	set_args(fds[0], FIONREAD, A(block(32)));
}

static void p_file_flags(void)
{
	fds[0] = open("/tmp", O_RDONLY);
	set_args(fds[0], FS_IOC_GETFLAGS, A(block(32)));
}

static void p_fiemap(void)
{
	uint64_t map[4] = {0, UINT64_MAX, 0, 5};
	unsigned char *at = block(32 + 5 * 56);

	memcpy(at, map, sizeof(map));
	fds[0] = open("/proc/self/exe", O_RDONLY);
	set_args(fds[0], 0xc020660b, A(at));
}

/* ---- IPC ---- */

static int ipc;

static void c_sem(void)
{
	semctl(ipc, 0, IPC_RMID);
}

static void sem_case(int command)
{
	ipc = semget(IPC_PRIVATE, 5, 0600);
	set_args(ipc, 0, command, A(block(256)));
}

static void p_sem_stat(void)
{
	sem_case(IPC_STAT);
}

static void p_sem_all(void)
{
	sem_case(GETALL);
}

static void p_sem_info(void)
{
	sem_case(SEM_INFO);
}

static void c_shm(void)
{
	shmctl(ipc, IPC_RMID, NULL);
}

static void shm_case(int command)
{
	ipc = shmget(IPC_PRIVATE, 4096, 0600);
	set_args(ipc, command, A(block(256)));
}

static void p_shm_stat(void)
{
	shm_case(IPC_STAT);
}

static void p_shm_limits(void)
{
	shm_case(IPC_INFO);
}

static void p_shm_info(void)
{
	shm_case(SHM_INFO);
}

static void c_msg(void)
{
	msgctl(ipc, IPC_RMID, NULL);
}

static void p_msg_stat(void)
{
	ipc = msgget(IPC_PRIVATE, 0600);
	set_args(ipc, IPC_STAT, A(block(256)));
}

static void p_msg_info(void)
{
	ipc = msgget(IPC_PRIVATE, 0600);
	set_args(ipc, MSG_INFO, A(block(256)));
}

static void p_msgrcv(void)
{
	struct {
		long type;
		char text[5];
	} msg = {3, "text"};

	ipc = msgget(IPC_PRIVATE, 0600);
	assert_int_equal(msgsnd(ipc, &msg, 5, 0), 0);
	set_args(ipc, A(block(64)), 50, 0, 0);
}

static void p_keyctl_capabilities(void)
{
	set_args(31, A(block(32)), 32);
}

static const struct live cases[] = {
	{"read", p_read, 5},
	{"read", p_read_nothing, -EAGAIN},
	{"readv", p_readv, 14},
	{"preadv2", p_preadv2, 12},
	{"process_vm_readv", p_process_vm_readv, 10},
	{"writev", p_writev, 12},
	{"pipe2", p_pipe2, 0, c_pipe2},
	{"getdents64", p_getdents64, OK, .padded = true},
	{"getdents", p_getdents64, OK, .padded = true},
	{"getcwd", p_getcwd, OK},
	{"readlink", p_readlink, OK},
	{"statx", p_statx, 0},
	{"stat", p_stat, 0},
	{"lstat", p_stat, 0},
	{"stat", p_stat_missing, -ENOENT},
	{"statfs", p_statfs, 0},
	{"sendfile", p_sendfile, 5},
	{"copy_file_range", p_copy_file_range, OK},
	{"splice", p_splice, 5},
	{"vmsplice", p_vmsplice, 10},
	{"name_to_handle_at", p_handle, ANY},
	{"name_to_handle_at", p_handle_room, ANY},
	{"getxattr", p_getxattr, ANY},
	{"listxattr", p_listxattr, ANY},
	{"cachestat", p_cachestat, ANY},
	{"ustat", p_ustat, ANY},
	{"sysfs", p_sysfs, ANY},
	{"listmount", p_listmount, ANY},
	{"poll", p_poll, 1},
	{"ppoll", p_ppoll, 1},
	{"ppoll", p_ppoll_interrupted, -EINTR, stop_alarm},
	{"select", p_select, 2},
	{"pselect6", p_pselect6, 2},
	{"epoll_wait", p_epoll, 2},
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
	{"wait4", p_wait4, OK},
	{"wait4", p_wait4_nothing, 0, c_kill_child},
	{"waitid", p_waitid, 0, c_child},
	{"waitid", p_waitid_nothing, 0, c_kill_child},
	{"waitid", p_waitid_failing, -ECHILD},
	{"rt_sigaction", p_sigaction, 0},
	{"rt_sigprocmask", p_sigprocmask, 0},
	{"rt_sigpending", p_sigpending, 0},
	{"sigaltstack", p_sigaltstack, 0},
	{"rt_sigtimedwait", p_sigtimedwait, SIGUSR1},
	{"rt_sigtimedwait", p_sigtimedwait_nothing, -EAGAIN},
	{"capget", p_capget, 0},
	{"capget", p_capget_version, -EINVAL},
	{"uname", p_one_block, 0},
	{"sysinfo", p_one_block, 0},
	{"times", p_one_block, OK},
	{"time", p_one_block, OK},
	{"gettimeofday", p_two_blocks, 0},
	{"getcpu", p_two_blocks, 0},
	{"getresuid", p_three_blocks, 0},
	{"getresgid", p_three_blocks, 0},
	{"getrusage", p_getrusage, 0},
	{"getrlimit", p_getrusage, 0},
	{"sched_getparam", p_getrusage, 0},
	{"sched_rr_get_interval", p_getrusage, 0},
	{"prlimit64", p_prlimit, 0},
	{"getgroups", p_getgroups, OK},
	{"sched_getaffinity", p_sched_getaffinity, OK},
	{"sched_getattr", p_sched_getattr, ANY},
	{"sched_setattr", p_sched_setattr, -E2BIG},
	{"prctl", p_prctl_name, 0},
	{"prctl", p_prctl_auxv, ANY},
	{"prctl", p_prctl_int, 0},
	{"prctl", p_prctl_tid_address, ANY},
	{"arch_prctl", p_arch_prctl, 0},
	{"modify_ldt", p_modify_ldt, ANY},
	{"modify_ldt", p_modify_ldt_failing, ANY},
	{"futex", p_futex_lock_pi, 0},
	{"futex", p_futex_wake_op, OK},
	{"get_robust_list", p_robust_list, 0},
	{"nanosleep", p_nanosleep_interrupted, -EINTR, stop_alarm},
	{"clock_nanosleep", p_clock_nanosleep_interrupted, -EINTR, stop_alarm},
	{"clock_nanosleep", p_clock_nanosleep_absolute, -EINTR, stop_alarm},
	{"clock_gettime", p_clock_gettime, 0},
	{"clock_getres", p_clock_gettime, 0},
	{"timer_create", p_timer_create, 0, c_timer_create},
	{"timer_create", p_timer_create_failing, ANY},
	{"timerfd_settime", p_timerfd_settime, 0},
	{"getitimer", p_getitimer, 0},
	{"adjtimex", p_adjtimex, OK},
	{"mincore", p_mincore, 0},
	{"get_mempolicy", p_mempolicy, ANY},
	{"move_pages", p_move_pages, ANY},
	{"getrandom", p_getrandom, 2},
	{"fcntl", p_getlk, 0},
	{"fcntl", p_getown, 0},
	{"fcntl", p_rw_hint, ANY},
	{"ioctl", p_fionread, 0},
	{"ioctl", p_file_flags, ANY},
	{"ioctl", p_fiemap, ANY},
	{"semctl", p_sem_stat, 0, c_sem},
	{"semctl", p_sem_all, 0, c_sem},
	{"semctl", p_sem_info, OK, c_sem},
	{"shmctl", p_shm_stat, 0, c_shm},
	{"shmctl", p_shm_limits, OK, c_shm},
	{"shmctl", p_shm_info, OK, c_shm},
	{"msgctl", p_msg_stat, 0, c_msg},
	{"msgctl", p_msg_info, OK, c_msg},
	{"msgrcv", p_msgrcv, 5, c_msg},
	{"keyctl", p_keyctl_capabilities, ANY},
};

#define CASES (sizeof(cases) / sizeof(cases[0]))

/* Every command of a pseudo-terminal that writes something. */
static void test_tty(void **state)
{
	static const unsigned long commands[] = {
		0x5401,	    /* TCGETS */
		0x5405,	    /* TCGETA */
		0x5411,	    /* TIOCOUTQ */
		0x5413,	    /* TIOCGWINSZ */
		0x5424,	    /* TIOCGETD */
		0x541b,	    /* FIONREAD */
		0x5456,	    /* TIOCGLCKTRMIOS */
		0x802c542a, /* TCGETS2 */
		0x80045430, /* TIOCGPTN */
		0x80045432, /* TIOCGDEV */
		0x80045438, /* TIOCGPKT */
		0x80045439, /* TIOCGPTLCK */
		0x80045440, /* TIOCGEXCL */
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct live live = {"ioctl", p_tty, ANY};
		void *pointer = &live;

		tty_command = commands[i];
		test_live(&pointer);
	}
}

/* A structure that begins in the last bytes of a page, before one that is not mapped. */
static void test_partial(void **state)
{
	const struct sc_row *row = sc_row_by_name("stat");
	unsigned char *page =
		mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sc_call call = {.nr = row->nr, .args = {A("/"), A(page + 4096 - 50)}};
	struct sc_regions regions = {0};

	assert_ptr_not_equal(page, MAP_FAILED);
	munmap(page + 4096, 4096);
	memset(page, 0x5a, 4096);
	assert_true(sc_regions_begin(row, &call, &memory, &regions));
	assert_int_equal(syscall(row->nr, call.args[0], call.args[1]), -1);
	call.result = -errno;
	sc_regions_end(row, &call, &memory, &regions);
	assert_int_equal(call.result, -EFAULT);
	for (int i = 0; i < 4096; i++)
		if (page[i] != 0x5a)
			assert_true(covered(&regions, page + i));
	vec_deinit(&regions);
	munmap(page, 4096);
}

int main(void)
{
	static struct CMUnitTest tests[CASES + 2];
	static char names[CASES][40];
	int failed;

	for (size_t i = 0; i < CASES; i++) {
		snprintf(names[i], sizeof(names[i]), "%zu %s", i, cases[i].name);
		tests[i] = (struct CMUnitTest){names[i], test_live, NULL, NULL,
					       (void *)(uintptr_t)&cases[i]};
	}
	tests[CASES] = (struct CMUnitTest)cmocka_unit_test(test_tty);
	tests[CASES + 1] = (struct CMUnitTest)cmocka_unit_test(test_partial);
	failed = _cmocka_run_group_tests("regions_live", tests, CASES + 2, NULL, NULL);
	vec_deinit(&one.regions);
	vec_deinit(&two.regions);
	return failed;
}
