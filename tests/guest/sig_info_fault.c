/* siginfo of faults: SIGSEGV (no mapping, no right), SIGBUS, SIGFPE, SIGILL, SIGTRAP. */
#include "guest_task.h"
#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf back;
static siginfo_t seen;

static void handler(int sig, siginfo_t *si, void *uc)
{
	seen = *si;
	siglongjmp(back, 1);
}

#define FAULT(what, sig, code, ...)                                                     \
	do {                                                                            \
		memset(&seen, 0, sizeof(seen));                                         \
		if (sigsetjmp(back, 1) == 0)                                            \
			__VA_ARGS__;                                                    \
		show("%s: signo %d code %d addr %p", what, seen.si_signo, seen.si_code, \
		     seen.si_addr);                                                     \
		expect(seen.si_signo == (sig) && seen.si_code == (code), "%s", what);   \
	} while (0)

int main(void)
{
	volatile int zero = 0, sink;
	volatile int *volatile null = NULL;
	char *nothing = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *readonly = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need((long)nothing);
	need((long)readonly);
	int fd = need(memfd_create("short", 0));
	char *beyond = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need((long)beyond);

	handle(SIGSEGV, handler, 0);
	handle(SIGBUS, handler, 0);
	handle(SIGFPE, handler, 0);
	handle(SIGILL, handler, 0);
	handle(SIGTRAP, handler, 0);

	FAULT("null pointer", SIGSEGV, SEGV_MAPERR, *null = 1);
	expect(seen.si_addr == NULL, "address");
	FAULT("read of PROT_NONE", SIGSEGV, SEGV_ACCERR, sink = *(volatile char *)(nothing + 17));
	expect(seen.si_addr == nothing + 17, "address");
	FAULT("write of PROT_READ", SIGSEGV, SEGV_ACCERR, *(volatile char *)(readonly + 5) = 1);
	expect(seen.si_addr == readonly + 5, "address");
	FAULT("non-canonical", SIGSEGV, SI_KERNEL, *(volatile char *)0x8000000000000000 = 1);
	FAULT("execution of data", SIGSEGV, SEGV_ACCERR, ((void (*)(void))readonly)());
	expect(seen.si_addr == readonly, "address");
	FAULT("beyond the end of a file", SIGBUS, BUS_ADRERR, *(volatile char *)beyond = 1);
	expect(seen.si_addr == beyond, "address");
	FAULT("integer division", SIGFPE, FPE_INTDIV, {
		int a = 1, d = 0;
		__asm__ volatile("cltd; idivl %2" : "+a"(a), "+d"(d) : "r"(zero));
	});
	FAULT("ud2", SIGILL, ILL_ILLOPN, __asm__ volatile("ud2"));
	FAULT("int3", SIGTRAP, SI_KERNEL, __asm__ volatile("int3"));
	FAULT("hlt", SIGSEGV, SI_KERNEL, __asm__ volatile("hlt"));
	sink = 0;
	return done() + sink;
}
