/* Stacks of threads: given by the program, of a chosen size, their place and guard pages. */
#include "guest_task.h"
#include <pthread.h>
#include <setjmp.h>

static sigjmp_buf back;
static void *fault_address;

static void handler(int sig, siginfo_t *si, void *uc)
{
	fault_address = si->si_addr;
	siglongjmp(back, 1);
}

static void *body(void *arg)
{
	pthread_attr_t attr;
	void *base, *local = &base;
	size_t size, guard;

	need_zero(pthread_getattr_np(pthread_self(), &attr));
	pthread_attr_getstack(&attr, &base, &size);
	pthread_attr_getguardsize(&attr, &guard);
	show("stack %p, %zu bytes, guard %zu, a variable at %p", base, size, guard, local);
	expect((char *)local > (char *)base && (char *)local < (char *)base + size,
	       "the variable is on it");
	if (arg != NULL)
		expect(base == arg, "the program's own stack");
	pthread_attr_destroy(&attr);
	return base;
}

static void run(pthread_attr_t *attr, void *own)
{
	pthread_t thread;
	void *base;

	need_zero(pthread_create(&thread, attr, body, own));
	pthread_join(thread, &base);
}

static void *touch_guard(void *arg)
{
	pthread_attr_t attr;
	void *base;
	size_t size;

	need_zero(pthread_getattr_np(pthread_self(), &attr));
	pthread_attr_getstack(&attr, &base, &size);
	if (sigsetjmp(back, 1) == 0) {
		*((volatile char *)base - 1) = 1;
		expect(false, "the guard page can be written");
	}
	expect(fault_address == (char *)base - 1, "fault at %p", fault_address);
	pthread_attr_destroy(&attr);
	return NULL;
}

int main(void)
{
	pthread_attr_t attr;
	pthread_t thread;
	char *own = map_stack();

	run(NULL, NULL);
	pthread_attr_init(&attr);
	need_zero(pthread_attr_setstack(&attr, own, STACK_SIZE));
	run(&attr, own);
	pthread_attr_destroy(&attr);
	pthread_attr_init(&attr);
	need_zero(pthread_attr_setstacksize(&attr, 3 << 20));
	need_zero(pthread_attr_setguardsize(&attr, 65536));
	run(&attr, NULL);
	expect_eq_long(pthread_attr_setstacksize(&attr, 100), EINVAL, "a stack of 100 bytes");
	handle(SIGSEGV, handler, 0);
	need_zero(pthread_create(&thread, &attr, touch_guard, NULL));
	pthread_join(thread, NULL);
	body(NULL);
	munmap(own, STACK_SIZE);
	return done();
}
