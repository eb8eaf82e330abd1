/* loop ITERATIONS [USEC [SIGNALS]]: computes; with a timer signal every USEC; at most SIGNALS of them, and then
 * it ends with the last one. Prints how many came and how many iterations were made. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

static volatile sig_atomic_t signals;

static void on_signal(int signal)
{
	signals++;
}

static void start_timer(long usec)
{
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	struct itimerval timer = {{0, usec}, {0, usec}};

	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

int main(int argc, char **argv)
{
	uint64_t iterations = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000000, i;
	int most = argc > 3 ? atoi(argv[3]) : 0;
	uint64_t x = 88172645463325252;

	if (argc > 2)
		start_timer(atol(argv[2]));
	for (i = 0; i < iterations && (!most || signals < most); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
	}
	printf("%d signals, %lu iterations, %lx\n", (int)signals, (unsigned long)i,
	       (unsigned long)x);
	return 0;
}
