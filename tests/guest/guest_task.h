/*
 * More helpers, for guests about tasks, signals and threads.
 *
 * None of them waits by time: a gate is a pipe that one side opens and the other waits at, and
 * tick() is for calls that must be interrupted: its signals repeat, so one that comes before the
 * call blocks does no harm.
 */
#ifndef GUEST_TASK_H
#define GUEST_TASK_H

#include "guest.h"
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#define STACK_SIZE (256 * 1024)

struct gate {
	int rd;
	int wr;
};

GUEST_UNUSED static struct gate gate_make(void)
{
	int fds[2];
	need(pipe2(fds, O_CLOEXEC));
	return (struct gate){.rd = fds[0], .wr = fds[1]};
}

/* As need(), for the functions of pthreads, which return 0 or an error number. */
#define need_zero(call) guest_need_zero((call), #call, __FILE__, __LINE__)

GUEST_UNUSED static void guest_need_zero(int err, const char *text, const char *file, int line)
{
	errno = err;
	guest_need(err == 0 ? 0 : -1, text, file, line);
}

/* Let one waiter pass. */
GUEST_UNUSED static void gate_open(struct gate gate)
{
	need(write(gate.wr, "g", 1));
}

/* Wait until somebody opens the gate; false when nobody can any more. */
GUEST_UNUSED static bool gate_wait(struct gate gate)
{
	char byte;
	ssize_t n;

	do
		n = read(gate.rd, &byte, 1);
	while (n == -1 && errno == EINTR);
	return n == 1;
}

/* Install a handler; flags besides SA_SIGINFO, no further signals in its mask. */
GUEST_UNUSED static void handle(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};
	sigemptyset(&sa.sa_mask);
	need(sigaction(sig, &sa, NULL));
}

/* These end the process again, also where nohup or a shell's background has set them to be ignored. */
GUEST_UNUSED static void heed_terminal_signals(void)
{
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
}

/* Block or unblock (how: SIG_BLOCK, SIG_UNBLOCK) one signal in the calling thread. */
GUEST_UNUSED static void mask_signal(int how, int sig)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, sig);
	need(sigprocmask(how, &set, NULL));
}

/* SIGALRM every so many milliseconds; 0 stops it. */
GUEST_UNUSED static void tick(int ms)
{
	struct itimerval it = {.it_interval.tv_usec = ms * 1000, .it_value.tv_usec = ms * 1000};
	need(setitimer(ITIMER_REAL, &it, NULL));
}

/* Lowest address of a new stack of STACK_SIZE bytes. */
GUEST_UNUSED static char *map_stack(void)
{
	void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	need((long)stack);
	return stack;
}

GUEST_UNUSED static long futex(void *addr, int op, unsigned val, const struct timespec *timeout)
{
	return syscall(SYS_futex, addr, op, val, timeout, NULL, 0);
}

/* Wait until the word, which another task clears or sets with a wake-up, has this value. */
GUEST_UNUSED static void futex_await(int *word, int value)
{
	int seen;
	while ((seen = __atomic_load_n(word, __ATOMIC_ACQUIRE)) != value)
		futex(word, FUTEX_WAIT, (unsigned)seen, NULL);
}

GUEST_UNUSED static void futex_post(int *word, int value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	futex(word, FUTEX_WAKE, INT_MAX, NULL);
}

/* Wait for a child with these options of waitpid(2); returns its wait status. */
GUEST_UNUSED static int wait_status(pid_t pid, int options)
{
	int status = 0;
	pid_t got;

	do
		got = waitpid(pid, &status, options);
	while (got == -1 && errno == EINTR);
	expect(got == pid, "waited for %d: status 0x%x", (int)pid, (unsigned)status);
	return status;
}

/* The letter of the process's state in /proc, or '?'. */
GUEST_UNUSED static char proc_state(pid_t pid)
{
	char path[64];
	char text[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return '?';
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	char *paren = strrchr(text, ')');
	return paren ? paren[2] : '?';
}

#endif
