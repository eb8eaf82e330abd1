/* Processes that are killed while they fork: a child that was made lives on, whatever its parent saw. */
#include "guest_task.h"
#include <pthread.h>

#define ROUNDS 150

/* Forks until it is killed; each child says that it lives, by a byte and by closing the pipe. */
static void fork_on(int pipe)
{
	for (;;) {
		pid_t pid = fork();

		if (pid == 0) {
			write(pipe, "c", 1);
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}

static int thread_pipe;

static void *in_thread(void *unused)
{
	write(thread_pipe, "t", 1);
	return unused;
}

/* The same with threads, which die with their maker. */
static void make_threads(int pipe)
{
	pthread_t thread;

	thread_pipe = pipe;
	for (;;)
		if (!pthread_create(&thread, NULL, in_thread, NULL))
			pthread_join(thread, NULL);
}

/* So long after its first child, in steps of the loop. */
static void pause_for(int round)
{
	for (volatile int i = 0; i < (round * 7919) % 1500000; i++)
		;
}

int main(void)
{
	long children = 0;

	for (int round = 0; round < ROUNDS; round++) {
		char byte;
		int fds[2];
		ssize_t got;

		need(pipe(fds));
		pid_t pid = need(fork());
		if (pid == 0) {
			close(fds[0]);
			if (round % 3 == 2)
				make_threads(fds[1]);
			fork_on(fds[1]);
		}
		close(fds[1]);
		need(read(fds[0], &byte, 1));
		pause_for(round);
		need(kill(pid, SIGKILL));
		int status = 0;
		need(waitpid(pid, &status, 0));
		if (!WIFSIGNALED(status))
			expect(false, "killed: %#x", (unsigned)status);
		/* The end comes only when no child has the pipe any more. */
		for (children++; (got = read(fds[0], &byte, 1)) > 0; children++)
			;
		need(got);
		close(fds[0]);
	}
	show("%ld children", children);
	return done();
}
