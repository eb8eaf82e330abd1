/* 1 ms timer signals into floating point: double, x87 with its stack, rounding modes and flags; the
 * handler computes in floating point, too. */
#include "torture.h"
#include <fenv.h>

static volatile double handler_sum;

static void on_tick(int signal, siginfo_t *info, void *context)
{
	tick_note(signal, info, context);
	handler_sum = handler_sum * 0.5 + 1 / (1 + (double)progress);
}

static double logistic(uint64_t n)
{
	double x = 0.5, sum = 0;

	for (uint64_t i = 0; i < n; i++) {
		x = x * 3.9 * (1 - x);
		sum += x / (1 + (double)i);
	}
	return sum;
}

static long double continued_fraction(uint64_t n)
{
	long double x = 1;

	for (uint64_t i = 0; i < n; i++)
		x = 1 + 1 / (x + (long double)(i & 7));
	return x;
}

/* The eight registers of the x87 stack all in use. */
static double x87_stack(uint64_t n)
{
	double out = 0;

	for (uint64_t i = 0; i < n; i++)
		__asm__ volatile("fld1; fldpi; fldl2e; fldl2t; fldlg2; fldln2; fld1; fldl %0\n\t"
				 "faddp; fmulp; faddp; fmulp; faddp; fmulp; faddp; fsqrt; fstpl %0"
				 : "+m"(out)::"st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)",
				   "st(6)", "st(7)");
	return out;
}

static double rounded(uint64_t n)
{
	static const int modes[] = {FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO};
	double sum = 0;

	for (uint64_t i = 0; i < n; i++) {
		if (i % 1000 == 0)
			fesetround(modes[i / 1000 % 4]);
		sum += 1.0 / (3.0 + (double)i);
		progress = i;
	}
	fesetround(FE_TONEAREST);
	return sum;
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 15000000);

	tick_handle(SIGALRM, SA_RESTART, on_tick);
	tick_timer(ITIMER_REAL, 1000);
	show("same: logistic %a", logistic(n));
	show("same: fraction %La", continued_fraction(n));
	show("same: stack %a", x87_stack(n / 10));
	show("same: rounded %a", rounded(n));
	show("same: flags %x", (unsigned)fetestexcept(FE_ALL_EXCEPT));
	tick_stop();
	show("handler's sum %a", handler_sum);
	tick_show();
	return done();
}
