/*
 * Stack growth by 4 MB of recursion, alloca, a guard page hit on an alternate stack, and a thread
 * stack of the program's own.
 */
#include "guest.h"
#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/resource.h>

static sigjmp_buf jump;
static siginfo_t info;

static void handler(int sig, siginfo_t *si, void *ctx)
{
	info = *si;
	siglongjmp(jump, 1);
}

static __attribute__((noinline)) unsigned long dig(int depth)
{
	volatile unsigned char frame[4000];

	frame[0] = depth;
	frame[3999] = depth >> 8;
	return depth == 0 ? 0 : dig(depth - 1) + frame[0] + frame[3999];
}

static void *thread(void *arg)
{
	char here;
	expect(&here > (char *)arg && &here < (char *)arg + 262144, "on its own stack");
	return (void *)dig(30);
}

int main(void)
{
	struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	stack_t alt = {.ss_sp = malloc(65536), .ss_size = 65536}, old;
	struct rlimit limit;

	need(getrlimit(RLIMIT_STACK, &limit));
	if (limit.rlim_cur < 8 << 20)
		skip("a stack of 8 MB");
	show("%lx from dig(1000), stack near %p", dig(1000), (void *)&limit);
	volatile char *block = alloca(1 << 20);
	block[0] = block[(1 << 20) - 1] = 1;

	need(sigaltstack(&alt, &old));
	expect_eq_long(old.ss_flags & SS_DISABLE, SS_DISABLE, "no alternate stack before");
	need(sigaction(SIGSEGV, &act, NULL));
	limit.rlim_cur = 3 << 20;
	need(setrlimit(RLIMIT_STACK, &limit));
	pid_t pid = need(fork());
	if (pid == 0) {
		if (sigsetjmp(jump, 1) == 0)
			expect(false, "%lu from endless recursion", dig(1 << 20));
		expect(info.si_signo == SIGSEGV, "stack overflow caught, code %d", info.si_code);
		show("at %p", info.si_addr);
		_exit(done());
	}
	expect_child(pid, 0);

	char *stack = mmap(NULL, 262144, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	need((long)stack);
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	need(pthread_attr_setstack(&attr, stack, 262144));
	pthread_t t;
	void *result;
	expect_eq_long(pthread_create(&t, &attr, thread, stack), 0, "pthread_create");
	pthread_join(t, &result);
	expect_eq_long((long)result, 465, "from the thread");

	/* A mapping that grows downwards by faults below it. */
	char *grows =
		mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(munmap(grows, 8 << 20));
	char *top = mmap(grows + (8 << 20) - 8192, 8192, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	need((long)top);
	top[-100] = 'g';
	expect_eq_long(top[-100], 'g', "grown below its start");
	return done();
}
