/* Unmasked SSE and x87 exceptions: SIGFPE with its codes. */
#include "guest_task.h"
#include <setjmp.h>

static sigjmp_buf back;
static siginfo_t seen;

static void handler(int sig, siginfo_t *si, void *uc)
{
	seen = *si;
	siglongjmp(back, 1);
}

static void check(const char *what, int code)
{
	unsigned normal = 0x1f80;

	/* A handler starts with the exceptions masked or not, as the kernel likes: reset. */
	__asm__ volatile("fninit; ldmxcsr %0" : : "m"(normal));
	show("%s: signo %d code %d addr %p", what, seen.si_signo, seen.si_code, seen.si_addr);
	expect(seen.si_signo == SIGFPE && seen.si_code == code, "%s", what);
	memset(&seen, 0, sizeof(seen));
}

/* Divide with these exceptions of the SSE unit unmasked (bits of MXCSR cleared). */
static void sse(const char *what, unsigned unmask, double a, double b, bool multiply, int code)
{
	unsigned mxcsr = 0x1f80 & ~unmask;

	if (sigsetjmp(back, 1) == 0) {
		__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
		if (multiply)
			__asm__ volatile("mulsd %1, %0" : "+x"(a) : "x"(b));
		else
			__asm__ volatile("divsd %1, %0" : "+x"(a) : "x"(b));
	}
	check(what, code);
}

static void x87(const char *what, unsigned unmask, long double a, long double b, int code)
{
	unsigned short cw = (unsigned short)(0x037f & ~unmask);

	if (sigsetjmp(back, 1) == 0) {
		__asm__ volatile("fninit; fldcw %0" : : "m"(cw));
		__asm__ volatile("fldt %0; fldt %1; fdivp; fwait"
				 :
				 : "m"(b), "m"(a)
				 : "st", "st(1)");
	}
	check(what, code);
}

int main(void)
{
	handle(SIGFPE, handler, 0);
	sse("SSE: division by zero", 0x200, 1.0, 0.0, false, FPE_FLTDIV);
	sse("SSE: invalid", 0x080, 0.0, 0.0, false, FPE_FLTINV);
	sse("SSE: overflow", 0x400, 1e300, 1e300, true, FPE_FLTOVF);
	sse("SSE: underflow", 0x800, 1e-300, 1e-300, true, FPE_FLTUND);
	sse("SSE: inexact", 0x1000, 1.0, 3.0, false, FPE_FLTRES);
	x87("x87: division by zero", 0x04, 1.0L, 0.0L, FPE_FLTDIV);
	x87("x87: invalid", 0x01, 0.0L, 0.0L, FPE_FLTINV);
	x87("x87: inexact", 0x20, 1.0L, 3.0L, FPE_FLTRES);

	/* Masked, the results are special values. */
	volatile double zero = 0.0;
	volatile double infinite = 1.0 / zero;
	volatile double nan = zero / zero;
	expect(infinite > 1e308 && nan != nan, "infinity and not-a-number: %a %a", infinite, nan);
	return done();
}
