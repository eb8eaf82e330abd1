/* For a debugger: signals in the middle of a computation. */
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>

static volatile int ticks;
static volatile unsigned long x;

static void tick(int signal)
{
	(void)signal;
	ticks++;
}

int main(void)
{
	const struct itimerval timer = {{0, 1000}, {0, 1000}};
	unsigned long z = 1;

	signal(SIGALRM, tick);
	setitimer(ITIMER_REAL, &timer, NULL);
	while (ticks < 150) {
		x++;
		z = z * 6364136223846793005ul + x;
		if (z % 7 == 0)
			z ^= x;
	}
	printf("%lu\n", z);
	return 0;
}
