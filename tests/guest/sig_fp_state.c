/* Floating-point state over handlers: xmm and x87 registers, MXCSR, x87 control word, flags. */
#include "guest_task.h"

static volatile int hits;
static unsigned seen_mxcsr;
static unsigned short seen_cw;

static void handler(int sig, siginfo_t *si, void *uc)
{
	unsigned mxcsr = 0x1f80;
	unsigned short cw = 0x037f;

	__asm__ volatile("stmxcsr %0" : "=m"(seen_mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(seen_cw));
	/* Spoil all of it. */
	__asm__ volatile("fninit; fldcw %0; ldmxcsr %1" : : "m"(cw), "m"(mxcsr));
	__asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n\tmovdqa %%xmm0, %%xmm1\n\t"
			 "movdqa %%xmm0, %%xmm7\n\tmovdqa %%xmm0, %%xmm15\n\t"
			 "fldpi; fldpi; fldpi; fstp %%st(0)"
			 :
			 :
			 : "xmm0", "xmm1", "xmm7", "xmm15", "st", "st(1)", "st(2)");
	hits++;
}

int main(void)
{
	unsigned mxcsr = 0x1f80 | 0x6000, mxcsr_after;
	unsigned short cw = 0x0c7f, cw_after;
	double in[4] = {1.5, -2.25, 3.125e100, 4.0e-300}, out[4];
	long double x87 = 0.1L, x87_after;
	long ret;

	handle(SIGUSR1, handler, 0);
	long pid = getpid(), tid = syscall(SYS_gettid);
	/* Round towards zero in both units; then a signal to ourselves with everything loaded. */
	__asm__ volatile(
		"ldmxcsr %[mx]\n\t"
		"fldcw %[cw]\n\t"
		"fldt %[x]\n\t"
		"movsd 0(%[in]), %%xmm0\n\t"
		"movsd 8(%[in]), %%xmm1\n\t"
		"movsd 16(%[in]), %%xmm7\n\t"
		"movsd 24(%[in]), %%xmm15\n\t"
		"syscall\n\t"
		"movsd %%xmm0, 0(%[out])\n\t"
		"movsd %%xmm1, 8(%[out])\n\t"
		"movsd %%xmm7, 16(%[out])\n\t"
		"movsd %%xmm15, 24(%[out])\n\t"
		"fstpt %[y]\n\t"
		"fnstcw %[cwa]\n\t"
		"stmxcsr %[mxa]\n\t"
		: "=a"(ret), [y] "=m"(x87_after), [cwa] "=m"(cw_after), [mxa] "=m"(mxcsr_after)
		: "a"(SYS_tgkill), "D"(pid), "S"(tid), "d"((long)SIGUSR1), [in] "r"(in),
		  [out] "r"(out), [mx] "m"(mxcsr), [cw] "m"(cw), [x] "m"(x87)
		: "rcx", "r11", "memory", "xmm0", "xmm1", "xmm7", "xmm15");
	expect_eq_long(ret, 0, "tgkill");
	expect_eq_long(hits, 1, "handler calls");
	expect(memcmp(in, out, sizeof(in)) == 0, "xmm: %a %a %a %a", out[0], out[1], out[2],
	       out[3]);
	expect(x87_after == x87, "x87: %La", x87_after);
	expect_eq_long(cw_after, 0x0c7f, "x87 control word");
	expect_eq_long(mxcsr_after & 0x6000, 0x6000, "MXCSR rounding");
	/* The kernel starts handlers with the state as it was; 64-bit handlers see the caller's. */
	show("in the handler: MXCSR %#x, control word %#x", seen_mxcsr, seen_cw);
	unsigned normal = 0x1f80;
	__asm__ volatile("ldmxcsr %0; fninit" : : "m"(normal));
	return done();
}
