/* Calls that the agent makes, in a loop (record --agent): with the number right before the call, and
 * not. */
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile long sum;

static void step(int round, long result)
{
	sum += round * result;
}

int main(void)
{
	for (int round = 0; round < 60; round++)
		step(round, getppid() + syscall(SYS_gettid));
	printf("%ld\n", sum);
	return 0;
}
