/* A thread in each call that blocks, none of which may be seen to have been interrupted.
 *
 * Prints "blocked TID NAME" for each and "ready"; at a line on standard input all are let go, and each
 * prints "NAME ok", or the error that its call ended with. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct case_ {
	const char *name;
	long (*block)(struct case_ *self); /* negative: failed, errno is set */
	void (*release)(struct case_ *self);
	void (*prepare)(struct case_ *self);
	int in, out, id;
	pid_t tid;
	pthread_t thread;
	uint32_t word;
	long result;
	int error;
};

static void *check(void *pointer)
{
	if (!pointer)
		abort();
	return pointer;
}

static void make_pipe(struct case_ *self)
{
	int fds[2];

	if (pipe(fds))
		abort();
	self->in = fds[0];
	self->out = fds[1];
}

static void write_byte(struct case_ *self)
{
	if (write(self->out, "x", 1) != 1)
		abort();
}

static long do_read(struct case_ *self)
{
	char byte;

	return read(self->in, &byte, 1);
}

static long do_poll(struct case_ *self)
{
	struct pollfd fd = {self->in, POLLIN, 0};

	return poll(&fd, 1, -1);
}

static long do_ppoll(struct case_ *self)
{
	struct timespec time = {1000, 0};
	struct pollfd fd = {self->in, POLLIN, 0};
	sigset_t none;

	sigemptyset(&none);
	return ppoll(&fd, 1, &time, &none);
}

static long do_select(struct case_ *self)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(self->in, &set);
	return select(self->in + 1, &set, NULL, NULL, NULL);
}

static long do_epoll(struct case_ *self)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = epoll_create1(0);

	epoll_ctl(fd, EPOLL_CTL_ADD, self->in, &event);
	return epoll_wait(fd, &event, 1, -1);
}

static long do_epoll_mask(struct case_ *self)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = epoll_create1(0);
	sigset_t some;

	sigemptyset(&some);
	sigaddset(&some, SIGUSR2);
	epoll_ctl(fd, EPOLL_CTL_ADD, self->in, &event);
	return epoll_pwait(fd, &event, 1, 1000000, &some);
}

static long do_futex(struct case_ *self)
{
	return syscall(SYS_futex, &self->word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static long do_futex_timeout(struct case_ *self)
{
	struct timespec time = {1000, 0};

	return syscall(SYS_futex, &self->word, FUTEX_WAIT_PRIVATE, 0, &time, NULL, 0);
}

static void wake_futex(struct case_ *self)
{
	__atomic_store_n(&self->word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &self->word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static long do_sigwait(struct case_ *self)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return sigwaitinfo(&set, NULL);
}

static void send_signal(struct case_ *self)
{
	pthread_kill(self->thread, SIGUSR1);
}

static void make_semaphore(struct case_ *self)
{
	self->id = semget(IPC_PRIVATE, 1, 0600);
}

static long do_semop(struct case_ *self)
{
	struct sembuf down = {0, -1, 0};
	long result = semop(self->id, &down, 1);

	semctl(self->id, 0, IPC_RMID);
	return result;
}

static void up(struct case_ *self)
{
	struct sembuf up = {0, 1, 0};

	semop(self->id, &up, 1);
}

static void make_queue(struct case_ *self)
{
	self->id = msgget(IPC_PRIVATE, 0600);
}

static long do_msgrcv(struct case_ *self)
{
	struct {
		long type;
		char text[8];
	} message;
	long result = msgrcv(self->id, &message, sizeof(message.text), 0, 0);

	msgctl(self->id, IPC_RMID, NULL);
	return result;
}

static void send_message(struct case_ *self)
{
	struct {
		long type;
		char text[8];
	} message = {1, "x"};

	msgsnd(self->id, &message, 1, 0);
}

static void make_sockets(struct case_ *self)
{
	int fds[2];
	struct timeval timeout = {1000, 0};

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
		abort();
	self->in = fds[0];
	self->out = fds[1];
	setsockopt(self->in, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
}

static void make_listener(struct case_ *self)
{
	struct sockaddr_un any = {.sun_family = AF_UNIX};

	self->in = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(self->in, (struct sockaddr *)&any, sizeof(sa_family_t)) || listen(self->in, 1))
		abort();
}

static long do_accept(struct case_ *self)
{
	return accept(self->in, NULL, NULL);
}

static void connect_to(struct case_ *self)
{
	struct sockaddr_un name;
	socklen_t length = sizeof(name);

	getsockname(self->in, (struct sockaddr *)&name, &length);
	connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, length);
}

static void fill_pipe(struct case_ *self)
{
	static const char bytes[4096];

	make_pipe(self);
	fcntl(self->out, F_SETFL, O_NONBLOCK);
	while (write(self->out, bytes, sizeof(bytes)) > 0)
		;
	fcntl(self->out, F_SETFL, 0);
}

static long do_write(struct case_ *self)
{
	return write(self->out, "x", 1);
}

static void drain(struct case_ *self)
{
	char bytes[4096];

	if (read(self->in, bytes, sizeof(bytes)) < 0)
		abort();
}

static void make_eventfd(struct case_ *self)
{
	self->in = self->out = eventfd(0, 0);
}

static long do_read8(struct case_ *self)
{
	uint64_t value;

	return read(self->in, &value, sizeof(value));
}

static void write8(struct case_ *self)
{
	uint64_t one = 1;

	if (write(self->out, &one, sizeof(one)) != sizeof(one))
		abort();
}

static void make_lock(struct case_ *self)
{
	char name[] = "/tmp/regs-lock-XXXXXX", path[64];

	self->out = mkstemp(name);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->out);
	self->in = open(path, O_RDWR); /* a description of its own */
	unlink(name);
	flock(self->out, LOCK_EX);
}

static long do_flock(struct case_ *self)
{
	return flock(self->in, LOCK_EX);
}

static void unlock(struct case_ *self)
{
	flock(self->out, LOCK_UN);
}

/* The child ends when our end of the pipe is closed. */
static void make_child(struct case_ *self)
{
	char byte;

	make_pipe(self);
	self->id = fork();
	if (self->id)
		return;
	close(self->out);
	_exit(read(self->in, &byte, 1) < 0);
}

static long do_wait(struct case_ *self)
{
	return waitpid(self->id, NULL, 0);
}

static void end_child(struct case_ *self)
{
	close(self->out);
}

static struct case_ cases[] = {
	{"read", do_read, write_byte, make_pipe},
	{"write", do_write, drain, fill_pipe},
	{"poll", do_poll, write_byte, make_pipe},
	{"ppoll", do_ppoll, write_byte, make_pipe},
	{"select", do_select, write_byte, make_pipe},
	{"epoll_wait", do_epoll, write_byte, make_pipe},
	{"epoll_pwait", do_epoll_mask, write_byte, make_pipe},
	{"futex", do_futex, wake_futex, NULL},
	{"futex-timeout", do_futex_timeout, wake_futex, NULL},
	{"sigwaitinfo", do_sigwait, send_signal, NULL},
	{"semop", do_semop, up, make_semaphore},
	{"msgrcv", do_msgrcv, send_message, make_queue},
	{"recv-timeout", do_read, write_byte, make_sockets},
	{"accept", do_accept, connect_to, make_listener},
	{"eventfd", do_read8, write8, make_eventfd},
	{"flock", do_flock, unlock, make_lock},
	{"wait4", do_wait, end_child, make_child},
};

#define CASES (sizeof(cases) / sizeof(*cases))

static void *run(void *context)
{
	struct case_ *self = check(context);

	printf("blocked %d %s\n", gettid(), self->name);
	fflush(stdout);
	self->result = self->block(self);
	self->error = errno;
	return NULL;
}

int main(void)
{
	bool failed = false;
	char line[16];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (size_t i = 0; i < CASES; i++)
		if (cases[i].prepare)
			cases[i].prepare(&cases[i]);
	for (size_t i = 0; i < CASES; i++)
		if (pthread_create(&cases[i].thread, NULL, run, &cases[i]))
			abort();
	printf("ready\n");
	fflush(stdout);
	if (read(0, line, sizeof(line)) < 0)
		return 1;
	for (size_t i = 0; i < CASES; i++) {
		cases[i].release(&cases[i]);
		pthread_join(cases[i].thread, NULL);
		printf("%s %s\n", cases[i].name,
		       cases[i].result >= 0 ? "ok" : strerror(cases[i].error));
		failed |= cases[i].result < 0;
	}
	return failed;
}
