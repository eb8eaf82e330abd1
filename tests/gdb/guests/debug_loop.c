/* For a debugger: computes for a while without any system call. */
#include <stdio.h>

volatile unsigned long state = 1;

static void round_of_work(void)
{
	for (int i = 0; i < 1000; i++)
		state = state * 6364136223846793005ul + 1442695040888963407ul;
}

int main(void)
{
	for (int i = 0; i < 300000; i++)
		round_of_work();
	printf("%lu\n", state);
	return 0;
}
