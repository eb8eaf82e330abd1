/* setjmp() and longjmp(): out of deep calls, back and forth, keeping callee-saved registers. */
#include "guest_task.h"
#include <setjmp.h>

static jmp_buf outer, inner;
static int trace[32];
static int count;

static __attribute__((noinline)) int dive(int depth)
{
	volatile char pad[100];

	pad[depth % 100] = (char)depth;
	if (depth == 50)
		longjmp(outer, 77);
	if (depth > 50)
		return depth;
	int below = dive(depth + 1);
	return below + pad[depth % 100];
}

static __attribute__((noinline)) void level_two(void)
{
	trace[count++] = 2;
	if (setjmp(inner) == 0) {
		trace[count++] = 3;
		longjmp(outer, 1);
	}
	trace[count++] = 9;
}

static __attribute__((noinline)) long kept(long a, long b, long c, long d)
{
	volatile long seen = 0;
	long sum = a * 3 + b * 5 + c * 7 + d * 11;

	if (setjmp(inner) == 0) {
		seen = sum;
		longjmp(inner, 1);
	}
	return seen;
}

int main(void)
{
	volatile int rounds = 0;

	for (volatile int i = 0; i < 5; i++) {
		int value = setjmp(outer);
		if (value == 0)
			dive(0);
		expect_eq_long(value, 77, "value of the jump out of 50 calls");
	}
	/* longjmp with 0 makes setjmp return 1. */
	int value = setjmp(outer);
	if (value == 0)
		longjmp(outer, 0);
	expect_eq_long(value, 1, "value for 0");

	if (setjmp(outer) == 0)
		level_two();
	trace[count++] = 4;
	expect(count == 3 && trace[0] == 2 && trace[1] == 3 && trace[2] == 4,
	       "order of the places");

	setjmp(outer);
	rounds++;
	if (rounds < 1000)
		longjmp(outer, rounds);
	expect_eq_long(rounds, 1000, "rounds");
	expect_eq_long(kept(1, 2, 3, 4), 78, "arguments after the jump");
	return done();
}
