/* A process whose threads and children come and go all the time, each of which checks what it gets. Until
 * standard input ends: then it says whether all was well. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREADS 8
#define CALLS	20

static void *call_often(void *process)
{
	for (int i = 0; i < CALLS; i++)
		if (getpid() != *(pid_t *)process)
			_exit(1);
	return NULL;
}

static int run_threads(pid_t self)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, call_often, &self))
			return 0;
	for (int i = 0; i < THREADS; i++)
		if (pthread_join(threads[i], NULL))
			return 0;
	return 1;
}

static int run_child(int round)
{
	int status, expected = round % 100;
	pid_t child = fork(), self;

	if (child == 0) {
		self = getpid();
		call_often(&self);
		_exit(expected);
	}
	return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == expected;
}

int main(void)
{
	int rounds = 0;
	char byte;

	fcntl(0, F_SETFL, O_NONBLOCK);
	printf("ready\n");
	fflush(stdout);
	while (read(0, &byte, 1) < 0) {
		if (!run_threads(getpid()) || !run_child(rounds)) {
			printf("round %d went wrong\n", rounds);
			return 1;
		}
		rounds++;
	}
	printf("%s\n", rounds ? "ok" : "nothing was done");
	return 7;
}
