/*
 * Timeouts of calls that are never restarted come on time, whatever ignored signals come before.
 */
#include "guest_task.h"
#include <linux/aio_abi.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/sem.h>

#define TIMEOUT_MS 400
#define BRIEF_MS   10

static const struct timespec timeout = {0, TIMEOUT_MS * 1000000};
static struct timespec began;
static int epoll, sems, epoll_ms = TIMEOUT_MS;
static aio_context_t aio;

static int do_epoll(void)
{
	struct epoll_event event;

	return epoll_wait(epoll, &event, 1, epoll_ms);
}

static int do_epoll_mask(void)
{
	struct epoll_event event;
	sigset_t none;

	sigemptyset(&none);
	return epoll_pwait(epoll, &event, 1, TIMEOUT_MS, &none);
}

static int do_sigwait(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return sigtimedwait(&set, NULL, &timeout) < 0 && errno == EAGAIN ? 0 : -1;
}

static int do_semop(void)
{
	struct sembuf down = {0, -1, 0};

	return semtimedop(sems, &down, 1, &timeout) < 0 && errno == EAGAIN ? 0 : -1;
}

static int do_aio(void)
{
	struct io_event event;

	return (int)syscall(SYS_io_pgetevents, aio, 1, 1, &event, &timeout, NULL);
}

/* The signals come for longer than any of the calls may take. */
static void test(const char *name, int (*call)(void), int signal)
{
	struct timespec end;

	if (call == do_epoll) { /* a call from the same place that is over does not count */
		epoll_ms = BRIEF_MS;
		expect_eq_long(call(), 0, "a brief call");
		epoll_ms = TIMEOUT_MS;
		need(nanosleep(&timeout, NULL));
	}
	pid_t pid = need(fork());

	if (pid == 0) {
		pid_t parent = getppid();

		for (int i = 0; i < 40 && kill(parent, signal) == 0; i++)
			nanosleep(&(struct timespec){0, TIMEOUT_MS * 1000000 / 8}, NULL);
		_exit(0);
	}
	need(clock_gettime(CLOCK_MONOTONIC, &began));
	int result = call();

	need(clock_gettime(CLOCK_MONOTONIC, &end));
	long took = (end.tv_sec - began.tv_sec) * 1000 + (end.tv_nsec - began.tv_nsec) / 1000000;

	show("%s took %ld ms", name, took);
	expect_eq_long(result, 0, name);
	expect(took >= TIMEOUT_MS - 10 && took < 3 * TIMEOUT_MS, "on time");
	need(kill(pid, SIGKILL));
	need(waitpid(pid, NULL, 0));
}

static void *waiter(void *arg)
{
	gate_wait(*(struct gate *)arg);
	return NULL;
}

int main(void)
{
	struct gate gate = gate_make();
	pthread_t thread;

	epoll = need(epoll_create1(0));
	sems = semget(IPC_PRIVATE, 1, 0600);
	signal(SIGALRM, SIG_IGN);
	test("epoll_wait", do_epoll, SIGALRM);
	test("epoll_pwait", do_epoll_mask, SIGWINCH);
	test("rt_sigtimedwait", do_sigwait, SIGCHLD);
	if (sems != -1)
		test("semtimedop", do_semop, SIGALRM);
	if (syscall(SYS_io_setup, 1, &aio) == 0) /* not while recording */
		test("io_pgetevents", do_aio, SIGALRM);
	need_zero(pthread_create(&thread, NULL, waiter, &gate));
	test("epoll_wait beside a thread", do_epoll, SIGALRM);
	test("rt_sigtimedwait beside a thread", do_sigwait, SIGALRM);
	gate_open(gate);
	pthread_join(thread, NULL);
	if (sems != -1)
		need(semctl(sems, 0, IPC_RMID));
	return done();
}
