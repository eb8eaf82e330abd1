/* Endless recursion: caught on the alternate stack and left by a jump, in main and in a thread. */
#include "guest_task.h"
#include <pthread.h>
#include <setjmp.h>

static __thread sigjmp_buf back;
static __thread siginfo_t seen;
static __thread uintptr_t lowest;

static void handler(int sig, siginfo_t *si, void *uc)
{
	seen = *si;
	siglongjmp(back, 1);
}

/* Not a tail call, and each level uses some of its memory. */
static __attribute__((noinline)) int recurse(int depth)
{
	volatile char frame[512];

	frame[depth % 512] = (char)depth;
	lowest = (uintptr_t)frame;
	if (depth < 0)
		return 0;
	int below = recurse(depth + 1);
	return below + frame[depth % 512];
}

static void *overflow(void *arg)
{
	stack_t ss = {.ss_sp = malloc(65536), .ss_size = 65536};
	int local;

	need(sigaltstack(&ss, NULL));
	if (sigsetjmp(back, 1) == 0)
		recurse(0);
	expect(seen.si_signo == SIGSEGV, "%s: signal %d, code %d", (char *)arg, seen.si_signo,
	       seen.si_code);
	expect((uintptr_t)seen.si_addr < (uintptr_t)&local &&
		       lowest - (uintptr_t)seen.si_addr < 8192,
	       "fault at %p, near the last frame", seen.si_addr);
	ss.ss_flags = SS_DISABLE;
	need(sigaltstack(&ss, NULL));
	return NULL;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	handle(SIGSEGV, handler, SA_ONSTACK);
	/* On a small stack: what main has is 8 MB, or without any limit. */
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 * 1024);
	pthread_attr_setguardsize(&attr, 16384);
	need_zero(pthread_create(&thread, &attr, overflow, "thread"));
	pthread_join(thread, NULL);
	overflow("main");
	return done();
}
