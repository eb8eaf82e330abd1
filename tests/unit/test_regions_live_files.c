/* What the table says the kernel writes, against what it writes (live_fixture.c): reading, writing, waiting, descriptors. */
#include "live_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

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
	{"fcntl", p_getlk, 0},
	{"fcntl", p_getown, 0},
	{"fcntl", p_rw_hint, ANY},
	{"ioctl", p_fionread, 0},
	{"ioctl", p_file_flags, ANY},
	{"ioctl", p_fiemap, ANY},
};

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
	static const struct CMUnitTest more[] = {
		cmocka_unit_test(test_tty),
		cmocka_unit_test(test_partial),
	};

	return run_live("regions_live_files", cases, sizeof(cases) / sizeof(cases[0]), more,
			sizeof(more) / sizeof(more[0]));
}
