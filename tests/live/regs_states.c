/* Threads in unusual states: `exited`: the main thread has ended and another lives; `vfork`: a thread
 * waits, uninterruptibly, for its vfork child. Ends when standard input does. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *wait_for_end(void *unused)
{
	char byte;

	printf("ready\n");
	fflush(stdout);
	_exit(read(0, &byte, 1) != 0);
}

/* The child shares our memory until it ends, and must not return. */
static void *wait_for_child(void *unused)
{
	char byte;
	pid_t child = vfork();

	if (child == 0) {
		if (write(1, "ready\n", 6) != 6)
			_exit(1);
		_exit(read(0, &byte, 1) != 0);
	}
	_exit(child < 0);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc == 2 && !strcmp(argv[1], "vfork")) {
		pthread_create(&thread, NULL, wait_for_child, NULL);
		pause();
	}
	pthread_create(&thread, NULL, wait_for_end, NULL);
	pthread_exit(NULL);
}
