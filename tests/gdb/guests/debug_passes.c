/* For a debugger: functions that are called very often between two system calls. */
#include <stdio.h>

volatile long sum, rare;

static void pass(long i)
{
	sum += i;
}

static void other(long i)
{
	rare = i;
}

int main(void)
{
	for (long i = 0; i < 200000; i++) {
		pass(i);
		if (i % 1000 == 0)
			other(i);
	}
	printf("%ld %ld\n", sum, rare);
	return 0;
}
