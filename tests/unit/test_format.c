/* Printing of system calls: a fixed set of calls with the lines that strace 6.1 prints for them.
 * The memory behind them is this process's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "syscalls/format.h"
#include "util/cleanup.h"
#include "util/vec.h"

#define A(pointer) ((uint64_t)(uintptr_t)(pointer))
/* No memory is ever there. */
#define NOWHERE 0x10ul

static size_t read_process(void *context, taddr addr, void *to, size_t length)
{
	struct iovec local = {to, length}, remote = {(void *)(uintptr_t)addr, length};
	ssize_t got = process_vm_readv(*(pid_t *)context, &local, 1, &remote, 1, 0);

	/* at the end of a mapping: what is left of the page */
	if (got < 0 && errno == EFAULT && length > 4096 - addr % 4096) {
		local.iov_len = remote.iov_len = 4096 - addr % 4096;
		got = process_vm_readv(*(pid_t *)context, &local, 1, &remote, 1, 0);
	}
	return got < 0 ? 0 : got;
}

static char *format(const struct sc_call *call, const struct sc_memory *entry)
{
	pid_t self = getpid();
	struct sc_memory memory = {read_process, &self};
	char *line = NULL;
	size_t length;
	FILE *out = open_memstream(&line, &length);

	assert_non_null(out);
	assert_non_null(sc_row(call->nr));
	sc_format_from(out, sc_row(call->nr), call, entry, &memory);
	fclose(out);
	return line;
}

#define CALL(number, value, ...) \
	(&(struct sc_call){.nr = (number), .args = {__VA_ARGS__}, .result = (value), .ended = true})

#define expect(text, call)                                       \
	do {                                                     \
		char *line_ _cleanup_free_ = format(call, NULL); \
		assert_string_equal(line_, text);                \
	} while (0)

static void test_plain(void **state)
{
	expect("getpid()                                = 42", CALL(SYS_getpid, 42));
	expect("close(3)                                = -1 EBADF (Bad file descriptor)",
	       CALL(SYS_close, -EBADF, 3));
	expect("mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = "
	       "0x7ffff7fc0000",
	       CALL(SYS_mmap, 0x7ffff7fc0000, 0, 8192, 3, 0x22, (uint32_t)-1, 0));
	expect("brk(NULL)                               = 0x55555557a000",
	       CALL(SYS_brk, 0x55555557a000, 0));
	expect("mprotect(0x7f0000000000, 4096, PROT_NONE) = 0",
	       CALL(SYS_mprotect, 0, 0x7f0000000000, 4096, 0));
	expect("umask(022)                              = 077", CALL(SYS_umask, 077, 022));
	expect("lseek(3, -1, SEEK_CUR)                  = 7", CALL(SYS_lseek, 7, 3, -1, 1));
	expect("mremap(0x1000, 4096, 8192, MREMAP_MAYMOVE) = 0x2000",
	       CALL(SYS_mremap, 0x2000, 0x1000, 4096, 8192, 1, 0x99));
}

static void test_restarts(void **state)
{
	expect("pause()                                 = ? ERESTARTNOHAND (To be restarted if no "
	       "handler)",
	       CALL(SYS_pause, -514));
	expect("read(0, 0x10, 10)                       = ? ERESTARTSYS (To be restarted if "
	       "SA_RESTART is set)",
	       CALL(SYS_read, -512, 0, NOWHERE, 10));
	expect("close(3)                                = ? ERESTARTNOINTR (To be restarted)",
	       CALL(SYS_close, -513, 3));
}

static void test_unfinished(void **state)
{
	struct sc_call call = {.nr = SYS_read, .args = {3, NOWHERE, 10}};
	struct sc_call end = {.nr = SYS_exit_group, .args = {3}};

	expect("read(3, ", &call);
	expect("exit_group(3)                           = ?", &end);
}

static void test_strings(void **state)
{
	char long_text[] = "0123456789012345678901234567890123456789";
	char exact[] = "01234567890123456789012345678901";

	expect("write(1, \"a\\\"\\\\\\n\\t\\0\\0001\\3\\377\\177ELF\", 14) = 14",
	       CALL(SYS_write, 14, 1, A("a\"\\\n\t\0\0001\3\377\177ELF"), 14));
	expect("write(1, \"01234567890123456789012345678901\"..., 40) = 40",
	       CALL(SYS_write, 40, 1, A(long_text), 40));
	expect("write(1, \"01234567890123456789012345678901\", 32) = 32",
	       CALL(SYS_write, 32, 1, A(exact), 32));
	expect("write(1, 0x10, 4)                       = -1 EFAULT (Bad address)",
	       CALL(SYS_write, -EFAULT, 1, NOWHERE, 4));
	expect("read(0, \"01\", 40)                       = 2",
	       CALL(SYS_read, 2, 0, A(long_text), 40));
	expect("read(0, \"\", 40)                         = 0",
	       CALL(SYS_read, 0, 0, A(long_text), 40));
	expect("getrandom(\"\\x30\\x31\", 2, GRND_NONBLOCK) = 2",
	       CALL(SYS_getrandom, 2, A(exact), 2, 1));
	expect("unlink(\"0123456789012345678901234567890123456789\") = 0",
	       CALL(SYS_unlink, 0, A(long_text)));
	expect("unlink(NULL)                            = -1 EFAULT (Bad address)",
	       CALL(SYS_unlink, -EFAULT, 0));
}

static void test_files(void **state)
{
	struct stat file = {.st_mode = S_IFREG | 0644, .st_size = 1234};
	struct stat tty = {.st_mode = S_IFCHR | 0620, .st_rdev = 0x8801};
	struct stat tmp = {.st_mode = S_IFDIR | S_ISVTX | 0777, .st_size = 4096};

	expect("openat(AT_FDCWD, \"/a\", O_RDONLY|O_CLOEXEC) = 3",
	       CALL(SYS_openat, 3, (uint32_t)AT_FDCWD, A("/a"), O_CLOEXEC, 0777));
	expect("openat(5, \"a\", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3",
	       CALL(SYS_openat, 3, 5, A("a"), O_WRONLY | O_CREAT | O_TRUNC, 0666));
	expect("openat(5, \"a\", O_RDWR|O_EXCL|O_TMPFILE, 000) = 3",
	       CALL(SYS_openat, 3, 5, A("a"), O_RDWR | O_EXCL | O_TMPFILE, 0));
	expect("newfstatat(3, \"\", {st_mode=S_IFREG|0644, st_size=1234, ...}, AT_EMPTY_PATH) = 0",
	       CALL(SYS_newfstatat, 0, 3, A(""), A(&file), AT_EMPTY_PATH));
	expect("fstat(0, {st_mode=S_IFCHR|0620, st_rdev=makedev(0x88, 0x1), ...}) = 0",
	       CALL(SYS_fstat, 0, 0, A(&tty)));
	expect("stat(\"/tmp\", {st_mode=S_IFDIR|S_ISVTX|0777, st_size=4096, ...}) = 0",
	       CALL(SYS_stat, 0, A("/tmp"), A(&tmp)));
	expect("stat(\"x\", 0x10)                         = -1 ENOENT (No such file or directory)",
	       CALL(SYS_stat, -ENOENT, A("x"), NOWHERE));
	expect("access(\"x\", R_OK|X_OK)                  = 0",
	       CALL(SYS_access, 0, A("x"), R_OK | X_OK));
	expect("mkdir(\"x\", 0755)                        = 0", CALL(SYS_mkdir, 0, A("x"), 0755));
	expect("mknod(\"x\", S_IFIFO|0600)                = 0",
	       CALL(SYS_mknod, 0, A("x"), S_IFIFO | 0600, 77));
	expect("fcntl(3, F_GETFL)                       = 0x8002 (flags O_RDWR|O_LARGEFILE)",
	       CALL(SYS_fcntl, 0x8002, 3, F_GETFL, 0));
	expect("fcntl(3, F_GETFD)                       = 0x1 (flags FD_CLOEXEC)",
	       CALL(SYS_fcntl, 1, 3, F_GETFD, 0));
	expect("fcntl(3, F_SETFD, FD_CLOEXEC)           = 0",
	       CALL(SYS_fcntl, 0, 3, F_SETFD, FD_CLOEXEC));
	expect("fcntl(3, F_SETFL, O_RDONLY|O_NONBLOCK)  = 0",
	       CALL(SYS_fcntl, 0, 3, F_SETFL, O_NONBLOCK));
}

static void test_vectors(void **state)
{
	struct iovec out[] = {{"hello", 5}, {"world", 2}};
	struct iovec in[] = {{"abcd", 3}, {"efgh", 4}};
	int ends[] = {3, 4};

	expect("writev(1, [{iov_base=\"hello\", iov_len=5}, {iov_base=\"wo\", iov_len=2}], 2) = 7",
	       CALL(SYS_writev, 7, 1, A(out), 2));
	expect("readv(0, [{iov_base=\"abc\", iov_len=3}, {iov_base=\"e\", iov_len=4}], 2) = 4",
	       CALL(SYS_readv, 4, 0, A(in), 2));
	expect("pipe2([3, 4], O_CLOEXEC)                = 0",
	       CALL(SYS_pipe2, 0, A(ends), O_CLOEXEC));
}

static void test_poll(void **state)
{
	struct pollfd fds[] = {{3, POLLIN, POLLIN}, {-1, 0, 0}, {4, POLLOUT, 0}};
	struct epoll_event event = {EPOLLIN, {.u64 = 7}};

	expect("poll([{fd=3, events=POLLIN}, {fd=-1}, {fd=4, events=POLLOUT}], 3, -1) = 1 "
	       "([{fd=3, revents=POLLIN}])",
	       CALL(SYS_poll, 1, A(fds), 3, (uint32_t)-1));
	expect("poll([{fd=3, events=POLLIN}], 1, 0)     = 0 (Timeout)",
	       CALL(SYS_poll, 0, A(fds), 1, 0));
	expect("epoll_ctl(5, EPOLL_CTL_ADD, 3, {events=EPOLLIN, data={u32=7, u64=7}}) = 0",
	       CALL(SYS_epoll_ctl, 0, 5, EPOLL_CTL_ADD, 3, A(&event)));
	expect("epoll_wait(5, [{events=EPOLLIN, data={u32=7, u64=7}}], 16, -1) = 1",
	       CALL(SYS_epoll_wait, 1, 5, A(&event), 16, (uint32_t)-1));
	expect("epoll_wait(5, [], 16, 0)                = 0",
	       CALL(SYS_epoll_wait, 0, 5, A(&event), 16, 0));
}

/* The sets before the call are not where they were: only the entry state has them. */
static size_t read_both_ready(void *context, taddr addr, void *to, size_t length)
{
	memset(to, 0, length);
	*(uint8_t *)to = 0x18;
	return length;
}

static void test_entry_state(void **state)
{
	struct sc_memory entry = {read_both_ready, NULL};
	fd_set ready;
	char *line _cleanup_free_ = NULL;

	FD_ZERO(&ready);
	FD_SET(3, &ready);
	line = format(CALL(SYS_select, 1, 5, A(&ready), 0, 0, 0), &entry);
	assert_string_equal(line, "select(5, [3 4], NULL, NULL, NULL)      = 1 (in [3])");
}

static void test_signals(void **state)
{
	uint64_t action[] = {0x401000, 0x04000000 | SA_RESTART, 0x402000, 1 << (SIGTERM - 1)};
	uint64_t old[] = {0, 0, 0, 0};
	uint64_t usr1 = 1 << (SIGUSR1 - 1), most = ~(UINT64_C(3) << 31);

	expect("rt_sigaction(SIGINT, {sa_handler=0x401000, sa_mask=[TERM], "
	       "sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x402000}, {sa_handler=SIG_DFL, "
	       "sa_mask=[], sa_flags=0}, 8) = 0",
	       CALL(SYS_rt_sigaction, 0, SIGINT, A(action), A(old), 8));
	expect("rt_sigprocmask(SIG_BLOCK, [USR1], NULL, 8) = 0",
	       CALL(SYS_rt_sigprocmask, 0, SIG_BLOCK, A(&usr1), 0, 8));
	expect("rt_sigprocmask(SIG_SETMASK, ~[RTMIN RT_1], [], 8) = 0",
	       CALL(SYS_rt_sigprocmask, 0, SIG_SETMASK, A(&most), A(&old), 8));
	expect("kill(7, SIGKILL)                        = 0", CALL(SYS_kill, 0, 7, SIGKILL));
	expect("kill(7, 0)                              = 0", CALL(SYS_kill, 0, 7, 0));
}

static void test_processes(void **state)
{
	char *argv[] = {"ls", "-l", NULL}, *envp[] = {"A=b", NULL};
	int status = 3 << 8, killed = SIGKILL;
	struct rlimit limit = {8 << 20, RLIM_INFINITY};
	char line[200];

	snprintf(line, sizeof(line), "execve(\"/bin/ls\", [\"ls\", \"-l\"], %p /* 1 var */) = 0",
		 (void *)envp);
	expect(line, CALL(SYS_execve, 0, A("/bin/ls"), A(argv), A(envp)));
	expect("clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, "
	       "child_tidptr=0x7000) = 9",
	       CALL(SYS_clone, 9, CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID | SIGCHLD, 0, 0,
		    0x7000));
	expect("wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL) = 9",
	       CALL(SYS_wait4, 9, (uint32_t)-1, A(&status), 0, 0));
	expect("wait4(9, [{WIFSIGNALED(s) && WTERMSIG(s) == SIGKILL}], WNOHANG|WSTOPPED, NULL) = 9",
	       CALL(SYS_wait4, 9, 9, A(&killed), WNOHANG | WUNTRACED, 0));
	expect("prlimit64(0, RLIMIT_STACK, NULL, {rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}) = "
	       "0",
	       CALL(SYS_prlimit64, 0, 0, RLIMIT_STACK, 0, A(&limit)));
	expect("prctl(PR_SET_NAME, \"thread\")            = 0",
	       CALL(SYS_prctl, 0, PR_SET_NAME, A("thread"), 1, 2, 3));
	expect("prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)  = 0",
	       CALL(SYS_prctl, 0, PR_SET_NO_NEW_PRIVS, 1));
}

static void test_futex(void **state)
{
	struct timespec second = {1, 0};

	expect("futex(0x1000, FUTEX_WAKE_PRIVATE, 1)    = 0",
	       CALL(SYS_futex, 0, 0x1000, FUTEX_WAKE_PRIVATE, 1));
	expect("futex(0x1000, FUTEX_WAIT_PRIVATE, 2, NULL) = -1 EAGAIN (Resource temporarily "
	       "unavailable)",
	       CALL(SYS_futex, -EAGAIN, 0x1000, FUTEX_WAIT_PRIVATE, 2, 0));
	expect("futex(0x1000, FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME, 0, {tv_sec=1, "
	       "tv_nsec=0}, FUTEX_BITSET_MATCH_ANY) = -1 ETIMEDOUT (Connection timed out)",
	       CALL(SYS_futex, -ETIMEDOUT, 0x1000, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME,
		    0, A(&second), 0, UINT32_MAX));
}

static void test_sockets(void **state)
{
	struct sockaddr_in in = {AF_INET, htons(80), {htonl(INADDR_LOOPBACK)}, {0}};
	struct sockaddr_un un = {AF_UNIX, "/run/x"};
	int one = 1, length = sizeof(in);
	struct iovec part = {"x", 1};
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.room = {0}};
	struct msghdr msg = {.msg_iov = &part,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};

	control.header = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(&control.header), &one, sizeof(one));
	expect("socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_IP) = 3",
	       CALL(SYS_socket, 3, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	expect("socket(AF_UNIX, SOCK_DGRAM, 0)          = 3",
	       CALL(SYS_socket, 3, AF_UNIX, SOCK_DGRAM, 0));
	expect("connect(3, {sa_family=AF_INET, sin_port=htons(80), "
	       "sin_addr=inet_addr(\"127.0.0.1\")}, 16) = 0",
	       CALL(SYS_connect, 0, 3, A(&in), 16));
	expect("bind(3, {sa_family=AF_UNIX, sun_path=\"/run/x\"}, 110) = 0",
	       CALL(SYS_bind, 0, 3, A(&un), sizeof(un)));
	expect("getsockname(3, {sa_family=AF_INET, sin_port=htons(80), "
	       "sin_addr=inet_addr(\"127.0.0.1\")}, [16]) = 0",
	       CALL(SYS_getsockname, 0, 3, A(&in), A(&length)));
	expect("setsockopt(3, SOL_SOCKET, SO_REUSEADDR, [1], 4) = 0",
	       CALL(SYS_setsockopt, 0, 3, SOL_SOCKET, SO_REUSEADDR, A(&one), 4));
	expect("sendmsg(3, {msg_name=NULL, msg_namelen=0, msg_iov=[{iov_base=\"x\", iov_len=1}], "
	       "msg_iovlen=1, msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, "
	       "cmsg_type=SCM_RIGHTS, cmsg_data=[1]}], msg_controllen=24, msg_flags=0}, "
	       "MSG_NOSIGNAL) = 1",
	       CALL(SYS_sendmsg, 1, 3, A(&msg), MSG_NOSIGNAL));
}

static void test_ioctl(void **state)
{
	struct winsize size = {24, 80, 0, 0};
	struct termios t = {.c_iflag = ICRNL | IXON,
			    .c_oflag = OPOST | ONLCR,
			    .c_cflag = B38400 | CS8 | CREAD,
			    .c_lflag = ISIG | ICANON | ECHO};

	expect("ioctl(1, TCGETS, {c_iflag=ICRNL|IXON, "
	       "c_oflag=NL0|CR0|TAB0|BS0|VT0|FF0|OPOST|ONLCR, "
	       "c_cflag=B38400|CS8|CREAD, c_lflag=ISIG|ICANON|ECHO, ...}) = 0",
	       CALL(SYS_ioctl, 0, 1, 0x5401, A(&t)));
	expect("ioctl(1, TIOCGWINSZ, {ws_row=24, ws_col=80, ws_xpixel=0, ws_ypixel=0}) = 0",
	       CALL(SYS_ioctl, 0, 1, TIOCGWINSZ, A(&size)));
	expect("ioctl(1, TCGETS, 0x10)                  = -1 ENOTTY (Inappropriate ioctl for "
	       "device)",
	       CALL(SYS_ioctl, -ENOTTY, 1, 0x5401, NOWHERE));
	expect("ioctl(1, _IOC(_IOC_READ|_IOC_WRITE, 0x77, 0x1, 0x8), 0x10) = -1 EINVAL (Invalid "
	       "argument)",
	       CALL(SYS_ioctl, -EINVAL, 1, _IOWR('w', 1, uint64_t), NOWHERE));
	expect("ioctl(1, FIOCLEX)                       = 0", CALL(SYS_ioctl, 0, 1, FIOCLEX, 5));
}

static void test_names(void **state)
{
	assert_string_equal(sc_errno_name(2), "ENOENT");
	assert_string_equal(sc_errno_name(11), "EAGAIN");
	assert_string_equal(sc_errno_name(524), "ENOTSUPP");
	assert_null(sc_errno_name(0));
	assert_null(sc_errno_name(-1));
	assert_null(sc_errno_name(4000));
	assert_string_equal(sc_signal_name(1), "SIGHUP");
	assert_string_equal(sc_signal_name(31), "SIGSYS");
	assert_string_equal(sc_signal_name(33), "SIGRT_1");
	assert_string_equal(sc_signal_name(64), "SIGRT_32");
	assert_null(sc_signal_name(0));
	assert_null(sc_signal_name(65));
}

/* Whatever the arguments are, every row prints and no address is followed that cannot be read. */
static void test_hostile(void **state)
{
	static const uint64_t values[] = {0, NOWHERE, 0xffffffffffffff00, 1, UINT64_MAX};

	for (size_t r = 0; r < sc_row_count(); r++)
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
			struct sc_call call = {.nr = sc_row_at(r)->nr, .ended = true};

			for (unsigned i = 0; i < SC_ARGS; i++)
				call.args[i] = values[(v + i) % 5];
			for (call.result = -3; call.result < 3; call.result++) {
				char *line _cleanup_free_ = format(&call, NULL);
				const char *name = sc_row_at(r)->name;

				assert_memory_equal(line, name, strlen(name));
				assert_non_null(strstr(line, "= "));
			}
		}
}

/* ---- lines in two halves ---- */

static size_t path_of(void *context, int fd, char *path, size_t room, bool *deleted)
{
	static const char *const paths[] = {"/dev/null", "/a<b>\n", "pipe:[5]"};
	const char *found = fd == AT_FDCWD ? "/home" : fd < 3 ? paths[fd] : "";

	*deleted = fd == 1;
	memcpy(path, found, strlen(found));
	return strlen(found);
}

/* Both halves, with a bar between them. `change` is done in between. */
static char *halves(const struct sc_call *call, const struct sc_style *style, void (*change)(void),
		    bool *complete)
{
	pid_t self = getpid();
	struct sc_memory memory = {read_process, &self};
	struct sc_call made = *call;
	struct bytes line = {0};
	struct sc_half half = {0};
	size_t column;

	made.ended = false;
	sc_format_entry(&line, sc_row(call->nr), &made, &memory, style, &half);
	*complete = half.complete;
	column = line.count;
	vec_push(&line, '|');
	if (change)
		change();
	sc_format_exit(&line, column, sc_row(call->nr), call, &memory, style, &half);
	vec_push(&line, 0);
	return (char *)line.items;
}

#define expect_halves(text, done, call, style, change)                                \
	do {                                                                          \
		bool complete_;                                                       \
		char *line_ _cleanup_free_ = halves(call, style, change, &complete_); \
		assert_string_equal(line_, text);                                     \
		assert_int_equal(complete_, done);                                    \
	} while (0)

static socklen_t peer_length;
static struct sockaddr_in peer = {.sin_family = AF_INET};
static off_t file_offset;
static char buffer[8];

static void after_accept(void)
{
	peer_length = sizeof(peer);
}

static void after_sendfile(void)
{
	file_offset = 12;
}

static void after_read(void)
{
	memcpy(buffer, "new", 3);
}

static void test_halves(void **state)
{
	const struct sc_style *style = &sc_style_default;
	struct pollfd fd = {0, POLLIN, POLLIN};

	expect_halves("getpid(|)                                = 42", true, CALL(SYS_getpid, 42),
		      style, NULL);
	expect_halves("read(3, |\"new\", 8)                       = 3", false,
		      CALL(SYS_read, 3, 3, A(buffer), 8), style, after_read);
	expect_halves("poll([{fd=0, events=POLLIN}], 1, -1|)    = 1 ([{fd=0, revents=POLLIN}])",
		      false, CALL(SYS_poll, 1, A(&fd), 1, (uint32_t)-1), style, NULL);
	peer_length = 128;
	expect_halves("accept(3, |{sa_family=AF_INET, sin_port=htons(0), "
		      "sin_addr=inet_addr(\"0.0.0.0\")}, "
		      "[128 => 16]) = 4",
		      false, CALL(SYS_accept, 4, 3, A(&peer), A(&peer_length)), style,
		      after_accept);
	file_offset = 10;
	expect_halves("sendfile(1, 3, [10]| => [12], 2)         = 2", false,
		      CALL(SYS_sendfile, 2, 1, 3, A(&file_offset), 2), style, after_sendfile);
	expect_halves("clone(child_stack=NULL, flags=SIGCHLD|)  = 5", true,
		      CALL(SYS_clone, 5, SIGCHLD, 0, 0, 0), style, NULL);
	expect_halves("close(-1|)                               = -1 EBADF (Bad file descriptor)",
		      true, CALL(SYS_close, -EBADF, (uint32_t)-1), style, NULL);
}

static void test_unknown_call(void **state)
{
	expect_halves(
		"syscall_0x7fff(0x1, 0, 0, 0, 0, 0x6|)    = -1 ENOSYS (Function not implemented)",
		true, CALL(0x7fff, -ENOSYS, 1, 0, 0, 0, 0, 6), &sc_style_default, NULL);
}

static void test_paths(void **state)
{
	const struct sc_style style = {.string_max = 3, .fd_path = path_of};
	int pair[2] = {0, 2};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(2, &set);
	expect_halves("close(0</dev/null>|)                     = 0", true, CALL(SYS_close, 0, 0),
		      &style, NULL);
	expect_halves("dup(1</a\\74b\\76\\n>(deleted)|)            = 2<pipe:[5]>", true,
		      CALL(SYS_dup, 2, 1), &style, NULL);
	expect_halves("openat(AT_FDCWD</home>, \"/etc/passwd\", O_RDONLY|) = 7", true,
		      CALL(SYS_openat, 7, (uint32_t)AT_FDCWD, A("/etc/passwd"), 0), &style, NULL);
	expect_halves("pipe2(|[0</dev/null>, 2<pipe:[5]>], 0)   = 0", false,
		      CALL(SYS_pipe2, 0, A(pair), 0), &style, NULL);
	expect_halves("write(2<pipe:[5]>, \"abc\"..., 5|)         = 5", true,
		      CALL(SYS_write, 5, 2, A("abcde"), 5), &style, NULL);
	expect_halves("select(3, [2<pipe:[5]>], NULL, NULL, NULL|) = 1 (in [2])", false,
		      CALL(SYS_select, 1, 3, A(&set), 0, 0, 0), &style, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),	     cmocka_unit_test(test_restarts),
		cmocka_unit_test(test_unfinished),   cmocka_unit_test(test_strings),
		cmocka_unit_test(test_files),	     cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_poll),	     cmocka_unit_test(test_entry_state),
		cmocka_unit_test(test_signals),	     cmocka_unit_test(test_processes),
		cmocka_unit_test(test_futex),	     cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_ioctl),	     cmocka_unit_test(test_names),
		cmocka_unit_test(test_hostile),	     cmocka_unit_test(test_halves),
		cmocka_unit_test(test_unknown_call), cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
