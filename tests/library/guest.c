/* What the tests of the live engine and library trace: one program with many roles. Each checks by itself that
 * it sees nothing of being traced and then ends with status 7; 1 and a line on stderr mean that it does.
 * `guest ROLE`. Natively every role ends with 7. */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DONE 7

#define need(what)                                                                              \
	do {                                                                                    \
		if (!(what)) {                                                                  \
			fprintf(stderr, "guest: line %d: not true: %s (%s)\n", __LINE__, #what, \
				strerror(errno));                                               \
			exit(1);                                                                \
		}                                                                               \
	} while (0)

static char *self;

/* ---- tasks ---- */

static void *exec_self(void *unused)
{
	execl(self, self, "done", NULL);
	need(!"exec");
	return NULL;
}

static void *sleep_for_ever(void *unused)
{
	for (;;)
		pause();
	return NULL;
}

static void start(void *(*function)(void *), void *argument)
{
	pthread_t thread;

	need(pthread_create(&thread, NULL, function, argument) == 0);
}

static int role_done(void)
{
	return DONE;
}

static int role_exec_thread(void)
{
	for (int i = 0; i < 4; i++)
		start(sleep_for_ever, NULL);
	start(exec_self, NULL);
	sleep_for_ever(NULL);
	return 1;
}

static void *end_later(void *main_thread)
{
	need(pthread_join(*(pthread_t *)main_thread, NULL) == 0);
	exit(DONE);
}

static int role_leader_exits(void)
{
	static pthread_t main_thread;

	main_thread = pthread_self();
	start(end_later, &main_thread);
	pthread_exit(NULL);
}

static int wait_for(pid_t pid)
{
	int status;

	need(waitpid(pid, &status, 0) == pid);
	return status;
}

static int role_children(void)
{
	char *const argv[] = {self, "done", NULL};
	pid_t pid;

	for (int i = 0; i < 3; i++) {
		need(posix_spawn(&pid, self, NULL, NULL, argv, NULL) == 0);
		need(WEXITSTATUS(wait_for(pid)) == DONE);
		pid = vfork();
		if (pid == 0)
			_exit(DONE);
		need(WEXITSTATUS(wait_for(pid)) == DONE);
		pid = fork();
		if (pid == 0)
			_exit(DONE);
		need(WEXITSTATUS(wait_for(pid)) == DONE);
	}
	return DONE;
}

static void *nothing(void *unused)
{
	return NULL;
}

static int role_many_threads(void)
{
	pthread_t threads[16];

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < 16; i++)
			need(pthread_create(&threads[i], NULL, nothing, NULL) == 0);
		for (int i = 0; i < 16; i++)
			need(pthread_join(threads[i], NULL) == 0);
	}
	return DONE;
}

/* ---- signals ---- */

static int role_stops(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		for (int i = 0; i < 5; i++)
			raise(SIGSTOP);
		_exit(DONE);
	}
	for (int i = 0; i < 5; i++) {
		need(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
		kill(pid, SIGCONT);
	}
	need(WEXITSTATUS(wait_for(pid)) == DONE);
	return DONE;
}

static volatile int queued;

static void on_queued(int signal, siginfo_t *info, void *context)
{
	need(info->si_code == SI_QUEUE && info->si_pid == getpid() &&
	     info->si_value.sival_int == queued);
	queued++;
}

static int role_queue(void)
{
	struct sigaction action = {.sa_sigaction = on_queued, .sa_flags = SA_SIGINFO};
	sigset_t mask;

	sigaction(SIGRTMIN, &action, NULL);
	sigemptyset(&mask);
	sigaddset(&mask, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	for (int i = 0; i < 50; i++)
		need(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}) == 0);
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
	need(queued == 50);
	return DONE;
}

/* ---- calls that block: no EINTR may be seen ---- */

static int pipe_ends[2], queue_id, semaphores;
static uint32_t futex_word;
static pthread_barrier_t ready;

static void ring(void)
{
	pthread_barrier_wait(&ready);
}

static void *block_read(void *unused)
{
	char byte;

	ring();
	need(read(pipe_ends[0], &byte, 1) == 1);
	return NULL;
}

static void *block_epoll(void *unused)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = epoll_create1(0);

	need(epoll_ctl(fd, EPOLL_CTL_ADD, pipe_ends[0], &event) == 0);
	ring();
	need(epoll_wait(fd, &event, 1, -1) == 1);
	return NULL;
}

static void *block_poll(void *unused)
{
	struct pollfd fd = {.fd = pipe_ends[0], .events = POLLIN};

	ring();
	need(poll(&fd, 1, -1) == 1);
	return NULL;
}

static void *block_semaphore(void *unused)
{
	struct sembuf down = {.sem_op = -1};

	ring();
	need(semop(semaphores, &down, 1) == 0);
	return NULL;
}

static void *block_message(void *unused)
{
	struct {
		long type;
		char text[8];
	} message;

	ring();
	need(msgrcv(queue_id, &message, 8, 0, 0) == 8);
	return NULL;
}

static void *block_futex(void *unused)
{
	ring();
	need(syscall(SYS_futex, &futex_word, FUTEX_WAIT, 0, NULL) == 0);
	return NULL;
}

static void *block_signal(void *unused)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	ring();
	need(sigwaitinfo(&set, NULL) == SIGUSR1);
	return NULL;
}

static void *block_sleep(void *unused)
{
	struct timespec time = {.tv_nsec = 300000000}, begin, end;

	ring();
	clock_gettime(CLOCK_MONOTONIC, &begin);
	need(nanosleep(&time, NULL) == 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	need((end.tv_sec - begin.tv_sec) * 1000000000ll + end.tv_nsec - begin.tv_nsec >= 300000000);
	return NULL;
}

/* Says `ready` on stdout, waits for a byte from stdin, wakes all. */
static int role_block(void)
{
	void *(*const all[])(void *) = {block_read,    block_epoll, block_poll,	  block_semaphore,
					block_message, block_futex, block_signal, block_sleep};
	enum {
		COUNT = sizeof(all) / sizeof(*all)
	};
	struct {
		long type;
		char text[8];
	} message = {.type = 1};
	struct sembuf up = {.sem_op = 1};
	pthread_t threads[COUNT];
	sigset_t set;
	char byte;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	need(pipe(pipe_ends) == 0);
	need((queue_id = msgget(IPC_PRIVATE, 0600)) >= 0);
	need((semaphores = semget(IPC_PRIVATE, 1, 0600)) >= 0);
	pthread_barrier_init(&ready, NULL, COUNT + 1);
	for (int i = 0; i < COUNT; i++)
		need(pthread_create(&threads[i], NULL, all[i], NULL) == 0);
	ring();
	need(write(1, "ready\n", 6) == 6);
	need(read(0, &byte, 1) == 1);
	/* Each takes its own byte or leaves it to the others. */
	need(write(pipe_ends[1], "xx", 2) == 2);
	need(semop(semaphores, &up, 1) == 0);
	need(msgsnd(queue_id, &message, 8, 0) == 0);
	while (syscall(SYS_futex, &futex_word, FUTEX_WAKE, 1) == 0)
		sched_yield();
	kill(getpid(), SIGUSR1);
	for (int i = 0; i < COUNT; i++)
		need(pthread_join(threads[i], NULL) == 0);
	msgctl(queue_id, IPC_RMID, NULL);
	semctl(semaphores, 0, IPC_RMID);
	return DONE;
}

/* ---- places for breakpoints ---- */

static uint64_t passed;

__attribute__((noinline)) void marker(uint64_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

static void *pass_marker(void *times)
{
	for (long i = 0; i < (long)times; i++)
		marker(&passed);
	return NULL;
}

/* The address of marker() first, then waits for a byte. */
static void tell_marker(void)
{
	char byte;

	printf("%p %p\n", (void *)marker, (void *)&passed);
	fflush(stdout);
	need(read(0, &byte, 1) == 1);
}

static int role_marker(void)
{
	pthread_t threads[4];

	tell_marker();
	for (int i = 0; i < 4; i++)
		need(pthread_create(&threads[i], NULL, pass_marker, (void *)50) == 0);
	for (int i = 0; i < 4; i++)
		need(pthread_join(threads[i], NULL) == 0);
	need(passed == 200);
	need(*(unsigned char *)marker != 0xcc);
	return DONE;
}

static int role_marker_spin(void)
{
	tell_marker();
	for (;;)
		marker(&passed);
	return 1;
}

static int role_marker_fork(void)
{
	tell_marker();
	marker(&passed);
	pid_t pid = fork();

	if (pid == 0) {
		marker(&passed);
		_exit(passed == 2 ? DONE : 1);
	}
	need(WEXITSTATUS(wait_for(pid)) == DONE);
	marker(&passed);
	need(passed == 2);
	return DONE;
}

/* Instructions that show the trap flag, and repeated ones. */
static int role_steps(void)
{
	char from[300], to[300] = "";
	uint64_t flags;

	memset(from, 'a', sizeof(from));
	for (int i = 0; i < 100; i++) {
		__asm__ volatile("pushfq; pop %0" : "=r"(flags));
		need(!(flags & 0x100));
		__asm__ volatile("syscall; mov %%r11, %0"
				 : "=&r"(flags)
				 : "a"(SYS_getppid)
				 : "rcx", "r11", "memory");
		need(!(flags & 0x100));
	}
	void *di = to, *si = from;
	uint64_t count = sizeof(to);

	__asm__ volatile("rep movsb" : "+D"(di), "+S"(si), "+c"(count) : : "memory");
	need(!memcmp(from, to, sizeof(to)));
	return DONE;
}

/* ---- events in a known order ---- */

static void on_usr1(int signal)
{
}

/* A call, a signal, a thread, an exec, the end. */
static int role_tour(void)
{
	pthread_t thread;

	signal(SIGUSR1, on_usr1);
	syscall(SYS_getppid);
	raise(SIGUSR1);
	need(pthread_create(&thread, NULL, nothing, NULL) == 0);
	need(pthread_join(thread, NULL) == 0);
	execl(self, self, "done", NULL);
	return 1;
}

/* What a tracer decides: getppid() is to return 4321, a write of "secret" not to be made, SIGUSR2 not to
 * come, and getpgid's argument to be another. */
static int role_decisions(void)
{
	need(syscall(SYS_getppid) == 4321);
	need(syscall(SYS_write, 1, "secret", 6) == 3);
	need(syscall(SYS_write, 1, "secret", 6) == -1 && errno == EXDEV);
	kill(getpid(), SIGUSR2);
	need(syscall(SYS_getpgid, 77777777) == getpgid(0));
	return DONE;
}

/* ---- registers ---- */

/* Spins until r12 is changed from outside, then says what xmm7 holds. */
static int role_registers(void)
{
	uint64_t low[2] = {0};

	need(write(1, "ready\n", 6) == 6);
	__asm__ volatile("pxor %%xmm7, %%xmm7\n"
			 "mov $0x7e577e57, %%r12\n" /* what is set from here on stays */
			 "1: pause\n"
			 "cmp %1, %%r12\n"
			 "jne 1b\n"
			 "movdqu %%xmm7, %0\n"
			 : "=m"(low)
			 : "r"(0x1122334455667788ull)
			 : "r12", "xmm7", "cc");
	need(low[0] == 0x0123456789abcdefull && low[1] == 0xfedcba9876543210ull);
	return DONE;
}

static void *spin_with(void *value)
{
	if ((long)value < 0x2000)
		pthread_barrier_wait(&ready);
	__asm__ volatile("mov %0, %%r12\n1: pause\ntest %%r12, %%r12\njne 1b\n"
			 :
			 : "r"(value)
			 : "r12");
	return NULL;
}

static int role_spin_threads(void)
{
	pthread_barrier_init(&ready, NULL, 6);
	for (long i = 0; i < 5; i++)
		start(spin_with, (void *)(0x1000 + i));
	pthread_barrier_wait(&ready);
	need(write(1, "ready\n", 6) == 6);
	spin_with((void *)0x2000);
	return 1;
}

static int role_wait(void)
{
	char byte;

	need(write(1, "ready\n", 6) == 6);
	need(read(0, &byte, 1) == 1);
	return DONE;
}

static const struct {
	const char *name;
	int (*run)(void);
} roles[] = {
	{"done", role_done},
	{"exec-thread", role_exec_thread},
	{"leader-exits", role_leader_exits},
	{"children", role_children},
	{"many-threads", role_many_threads},
	{"stops", role_stops},
	{"queue", role_queue},
	{"block", role_block},
	{"marker", role_marker},
	{"marker-spin", role_marker_spin},
	{"marker-fork", role_marker_fork},
	{"steps", role_steps},
	{"tour", role_tour},
	{"decisions", role_decisions},
	{"registers", role_registers},
	{"spin-threads", role_spin_threads},
	{"wait", role_wait},
};

int main(int argc, char **argv)
{
	self = argv[0];
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
		if (argc > 1 && !strcmp(argv[1], roles[i].name))
			return roles[i].run();
	fprintf(stderr, "guest: no such role\n");
	return 1;
}
