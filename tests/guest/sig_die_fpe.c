/* guest: signal SIGFPE */
/* Death by an integer division, in a thread, with SIGFPE blocked: the kernel forces it. */
#include "guest_task.h"
#include <pthread.h>
#include <sys/resource.h>

static void handler(int sig, siginfo_t *si, void *uc)
{
	show("UNEXPECTED: the handler of a blocked signal ran");
	_exit(1);
}

static void *body(void *arg)
{
	int a = 1, d = 0, zero = 0;

	mask_signal(SIG_BLOCK, SIGFPE);
	show("thread %ld divides", syscall(SYS_gettid));
	__asm__ volatile("cltd; idivl %2" : "+a"(a), "+d"(d) : "r"(zero));
	return (void *)(intptr_t)a;
}

int main(void)
{
	struct rlimit none = {0, 0};
	pthread_t thread;

	need(setrlimit(RLIMIT_CORE, &none));
	/* A forced signal that is blocked or ignored gets its default action. */
	handle(SIGFPE, handler, 0);
	need_zero(pthread_create(&thread, NULL, body, NULL));
	pthread_join(thread, NULL);
	expect(false, "the division came back");
	return 1;
}
