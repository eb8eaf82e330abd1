/* A handler on a signal stack that is not there: the process gets SIGSEGV instead, which kills it, or
 * enters a handler of its own on the normal stack. */
#include "guest_task.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile int ran;
static siginfo_t seen;

static void on_usr1(int signal)
{
	ran++;
}

static void on_segv(int signal, siginfo_t *info, void *context)
{
	seen = *info;
	siglongjmp(back, 1);
}

static void bad_stack(void *at, size_t size)
{
	stack_t stack = {.ss_sp = at, .ss_size = size};
	struct sigaction action = {.sa_handler = on_usr1, .sa_flags = SA_ONSTACK};

	need(sigaltstack(&stack, NULL));
	need(sigaction(SIGUSR1, &action, NULL));
}

static int status_of(void (*signal_it)(void), void *at)
{
	int status = 0;
	pid_t pid = need(fork());

	if (pid == 0) {
		bad_stack(at, 65536);
		signal_it();
		_exit(ran ? 2 : 3);
	}
	need(waitpid(pid, &status, 0));
	return status;
}

static void by_call(void)
{
	raise(SIGUSR1);
}

/* Somewhere in a loop. */
static void by_timer(void)
{
	struct sigaction action = {.sa_handler = on_usr1, .sa_flags = SA_ONSTACK};
	struct itimerval soon = {{0, 0}, {0, 2000}};

	need(sigaction(SIGALRM, &action, NULL));
	need(setitimer(ITIMER_REAL, &soon, NULL));
	while (!ran)
		;
}

int main(void)
{
	void *none = mmap(NULL, 65536, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *read_only = mmap(NULL, 65536, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct sigaction action = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO};

	void (*const ways[])(void) = {by_call, by_timer};

	for (int way = 0; way < 2; way++) {
		int status = status_of(ways[way], none);
		expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "no memory: %#x",
		       (unsigned)status & 0x7f);
		status = status_of(ways[way], read_only);
		expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "read-only: %#x",
		       (unsigned)status & 0x7f);
	}

	bad_stack(none, 65536);
	need(sigaction(SIGSEGV, &action, NULL));
	if (sigsetjmp(back, 1) == 0)
		raise(SIGUSR1);
	expect(seen.si_signo == SIGSEGV && seen.si_code == SI_KERNEL, "signal %d, code %d",
	       seen.si_signo, seen.si_code);
	expect_eq_long(ran, 0, "entries of the other handler");
	/* With a good one it is entered. */
	char *good = malloc(65536);
	bad_stack(good, 65536);
	need(raise(SIGUSR1));
	expect_eq_long(ran, 1, "entries of the other handler");
	return done();
}
