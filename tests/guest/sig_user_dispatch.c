/* Syscall user dispatch: calls from outside a range become SIGSYS while a byte says so; a child and a
 * thread begin without it; wrong settings are refused, a wrong selector kills. */
#include "guest_task.h"
#include <pthread.h>
#include <sys/prctl.h>
#include <ucontext.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#define OFF   0
#define ON    1
#define ALLOW 0
#define BLOCK 1

static volatile unsigned char selector;
static siginfo_t seen;
static volatile int dispatched;

static void on_sys(int signal, siginfo_t *info, void *context)
{
	ucontext_t *at = context;

	selector = ALLOW;
	seen = *info;
	dispatched++;
	at->uc_mcontext.gregs[REG_RAX] = 4200 + at->uc_mcontext.gregs[REG_RAX];
}

static long raw(long number)
{
	long result = number;

	__asm__ volatile("syscall" : "+a"(result) : : "rcx", "r11", "memory");
	return result;
}

extern char allowed_begin[], allowed_end[];
long raw_allowed(long number);
__asm__(".text\nallowed_begin: .skip 16, 0x90\nraw_allowed: mov %rdi, %rax\nsyscall\nret\n"
	".skip 16, 0x90\nallowed_end:\n");

static long dispatch(long mode, void *begin, long length, volatile void *byte)
{
	return prctl(PR_SET_SYSCALL_USER_DISPATCH, mode, begin, length, byte);
}

static void *in_thread(void *result)
{
	*(long *)result = raw(SYS_getpid);
	return NULL;
}

static void check_child_and_thread(void)
{
	pthread_t thread;
	long in = 0;
	int before = dispatched;

	pid_t pid = need(fork());
	if (pid == 0) {
		selector = BLOCK;
		_exit(raw(SYS_getpid) == getpid() ? 0 : 1);
	}
	expect_child(pid, 0);
	need_zero(pthread_create(&thread, NULL, in_thread, &in));
	need_zero(pthread_join(thread, NULL));
	expect(in == getpid() && dispatched == before, "neither in a child nor in a thread");
}

/* A selector that is neither 0 nor 1 kills by SIGSYS whatever its handler is. */
static void check_wrong_selector(void)
{
	int status = 0;
	pid_t pid = need(fork());

	if (pid == 0) {
		need(dispatch(ON, allowed_begin, allowed_end - allowed_begin, &selector));
		selector = 7;
		raw(SYS_getpid);
		_exit(0);
	}
	need(waitpid(pid, &status, 0));
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "wrong selector: %#x",
	       (unsigned)status);
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};

	need(sigaction(SIGSYS, &action, NULL));
	if (dispatch(ON, allowed_begin, allowed_end - allowed_begin, &selector) < 0)
		skip("PR_SET_SYSCALL_USER_DISPATCH: %s", strerror(errno));
	expect(raw(SYS_getpid) == getpid(), "nothing while the byte allows it");
	selector = BLOCK;
	long result = raw(SYS_getppid);
	expect_eq_long(result, 4200 + SYS_getppid, "the handler's result");
	expect(seen.si_code == 2 && seen.si_syscall == SYS_getppid && seen.si_errno == 0,
	       "code %d, call %d, errno %d", seen.si_code, seen.si_syscall, seen.si_errno);
	show("called from %p", seen.si_call_addr);
	selector = BLOCK;
	long own = raw_allowed(SYS_getpid);
	selector = ALLOW;
	expect(own == getpid(), "a call from the allowed range: %ld", own);
	check_child_and_thread();
	check_wrong_selector();
	expect_errno(dispatch(OFF, allowed_begin, 0, NULL), EINVAL);
	expect_errno(dispatch(7, NULL, 0, NULL), EINVAL);
	need(dispatch(OFF, NULL, 0, NULL));
	selector = BLOCK;
	expect(raw(SYS_getpid) == getpid(), "nothing when it is off");
	expect_eq_long(dispatched, 1, "calls dispatched");
	return done();
}
