/* What wakes a thread that sleeps in waitpid(2).
 *
 * Nothing but a child's report does, without the races that signals have, and signals belong to the
 * program that we may be a library of. So there is a child for the purpose, the bell: a traced
 * process that does nothing. Sending it SIGSTOP makes it stop, and that is reported. It is not a
 * copy of us but shares our memory (CLONE_VM), so that it costs nothing to make; it uses no memory
 * but its stack, and dies with us (EXITKILL). It also waits for a timer, and for descriptors of the
 * tool's, and then stops by itself.
 *
 * Invariant: all signals are blocked in the bell, so that only SIGSTOP, which cannot be, stops
 * it. */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "live/state.h"

#define STACK_SIZE 16384
#define SECOND	   1000000000ull

uint64_t engine_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* The C library's clone(2) by its other name: ThreadSanitizer takes calls of clone for forks, and
 * its state, which the bell shares with us, for the child's. */
int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...);

/* The bell's whole life. It shares thread-local storage with us, errno and what sanitizers keep
 * there: only calls that succeed, and nothing that is instrumented. */
__attribute__((no_sanitize("address", "thread", "undefined"))) static int ring(void *argument)
{
	const struct bell *bell = argument;
	int poll = bell->poll;
	long self = syscall(SYS_getpid);

	/* Not PTRACE_SEIZE, which is not allowed for us if we have changed our user. */
	syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
	struct pollfd ready = {.fd = poll, .events = POLLIN};
	struct epoll_event event;

	if (poll > 0)
		syscall(SYS_close_range, 0, poll - 1, 0);
	syscall(SYS_close_range, poll + 1, ~0u, 0);
	syscall(SYS_prctl, PR_SET_NAME, "warp-bell", 0, 0, 0);
	syscall(SYS_kill, self, SIGSTOP); /* for make() */
	/* epoll_wait(2) ends with EINTR when the signal was taken away; poll(2) goes on. */
	while (syscall(SYS_poll, &ready, 1, -1) >= 0) {
		syscall(SYS_epoll_wait, poll, &event, 1, 0);
		syscall(SYS_kill, self, SIGSTOP);
	}
	syscall(SYS_exit, 0);
	return 0;
}

/* Each time that something new is there counts once: what it is, the tool finds out. */
static bool watch(struct bell *bell, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};

	return epoll_ctl(bell->poll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static struct error *start_failed(struct bell *bell, const char *what)
{
	int errnum = errno;

	if (bell->pid > 0) {
		kill(bell->pid, SIGKILL);
		waitpid(bell->pid, NULL, __WALL);
	}
	bell->pid = 0;
	return error_os(errnum,
			"cannot start tracing: %s failed; a container's rules may forbid it", what);
}

/* What it waits for. Made once; a new bell waits for the same. */
static struct error *make_waits(struct bell *bell)
{
	void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (stack == MAP_FAILED)
		alloc_failed(STACK_SIZE);
	bell->stack = stack;
	bell->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (bell->timer < 0)
		return start_failed(bell, "timerfd_create(2)");
	bell->poll = epoll_create1(EPOLL_CLOEXEC);
	if (bell->poll < 0)
		return start_failed(bell, "epoll_create1(2)");
	return watch(bell, bell->timer) ? NULL : start_failed(bell, "epoll_ctl(2)");
}

static struct error *make(struct bell *bell)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bell->pid = __clone(ring, (char *)bell->stack + STACK_SIZE, CLONE_VM, bell);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (bell->pid < 0)
		return start_failed(bell, "clone(2)");
	/* Untraced it would stop for good, and the request fail. */
	if (waitpid(bell->pid, NULL, __WALL | WUNTRACED) < 0 ||
	    ptrace(PTRACE_SETOPTIONS, bell->pid, NULL, (void *)PTRACE_O_EXITKILL) < 0 ||
	    ptrace(PTRACE_CONT, bell->pid, NULL, NULL) < 0)
		return start_failed(bell, "ptrace(2)");
	bell->pidfd = (int)syscall(SYS_pidfd_open, bell->pid, 0);
	return bell->pidfd < 0 ? start_failed(bell, "pidfd_open(2)") : NULL;
}

struct error *bell_start(struct engine *e)
{
	struct bell *bell = &e->bell;

	if (bell->pid > 0)
		return NULL;
	if (!bell->stack)
		try(make_waits(bell));
	try(make(bell));
	atomic_store(&e->bell_fd, bell->pidfd);
	bell_set(e, 0);
	return NULL;
}

static void forget(struct engine *e)
{
	atomic_store(&e->bell_fd, -1);
	close(e->bell.pidfd);
	e->bell.pid = 0;
}

void bell_stop(struct engine *e)
{
	struct bell *bell = &e->bell;

	if (bell->pid > 0) {
		kill(bell->pid, SIGKILL);
		waitpid(bell->pid, NULL, __WALL);
		forget(e);
	}
	if (bell->stack)
		munmap(bell->stack, STACK_SIZE);
	if (bell->timer >= 0)
		close(bell->timer);
	if (bell->poll >= 0)
		close(bell->poll);
}

struct error *engine_watch(struct engine *e, int fd)
{
	try(bell_start(e));
	return watch(&e->bell, fd) ? NULL : start_failed(&e->bell, "epoll_ctl(2)");
}

void bell_rang(struct engine *e, int status)
{
	if (WIFSTOPPED(status)) {
		ptrace(PTRACE_CONT, e->bell.pid, NULL, NULL);
		atomic_store(&e->woken, true);
		return;
	}
	/* Somebody has killed it. A wake-up may have been lost. */
	forget(e);
	error_free(bell_start(e));
	atomic_store(&e->woken, true);
}

void engine_wake(struct engine *engine)
{
	int errnum = errno;

	atomic_store(&engine->woken, true);
	int fd = atomic_load(&engine->bell_fd);

	if (fd >= 0)
		syscall(SYS_pidfd_send_signal, fd, SIGSTOP, NULL, 0);
	errno = errnum;
}

void bell_set(struct engine *e, uint64_t deadline_ns)
{
	struct itimerspec when = {0};
	uint64_t earliest = deadline_ns;

	vec_foreach (&e->timers, timer)
		if (!earliest || timer->at_ns < earliest)
			earliest = timer->at_ns;
	when.it_value.tv_sec = (time_t)(earliest / SECOND);
	when.it_value.tv_nsec = (long)(earliest % SECOND);
	if (e->bell.pid > 0)
		timerfd_settime(e->bell.timer, TFD_TIMER_ABSTIME, &when, NULL);
}

void engine_timer(struct engine *e, uint64_t after_ns,
		  void (*function)(void *context, void *argument), void *argument)
{
	struct timer timer = {engine_now() + after_ns, function, argument};

	vec_push(&e->timers, timer);
	bell_set(e, 0);
}

void engine_run_timers(struct engine *e)
{
	uint64_t now = engine_now();
	bool any = false;

	for (size_t i = 0; i < e->timers.count;) {
		struct timer timer = e->timers.items[i];

		if (timer.at_ns > now) {
			i++;
			continue;
		}
		vec_remove(&e->timers, i);
		any = true;
		timer.function(e->context, timer.argument);
		i = 0; /* it may have set another one */
	}
	if (any)
		bell_set(e, 0);
}
