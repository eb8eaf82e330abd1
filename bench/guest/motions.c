/* For bench/debugger: about a second of computing between two functions, without a system call. */
#include <stdio.h>

volatile unsigned long early, state = 1;

__attribute__((noinline)) void the_beginning(void)
{
	early = state;
}

__attribute__((noinline)) static void work(unsigned long i)
{
	state = state * 6364136223846793005ul + i;
}

__attribute__((noinline)) void the_end(void)
{
	printf("%lu %lu\n", early, state);
}

int main(void)
{
	the_beginning();
	for (unsigned long i = 0; i < 400000000; i++)
		work(i);
	the_end();
	return 0;
}
