/* One number, two tables of descriptors: a regular file in one is a pipe in the other, whose reader
 * has to wait for another thread. */
#include "guest_task.h"
#include <pthread.h>
#include <stdatomic.h>

#define OFTEN 40

static int file, ends[2];
static pthread_barrier_t begun, meet;
static atomic_int ready;

/* From a regular file, with the instruction that reads the pipe, too. */
static void read_often(void)
{
	char byte;

	for (int i = 0; i < OFTEN; i++) {
		need(lseek(file, i % 4, SEEK_SET));
		expect(read(file, &byte, 1) == 1 && byte == "abcd"[i % 4], "read '%c'", byte);
	}
}

/* The other is at the barrier already: who comes last goes on, and reads before it can write. */
static void read_pipe(const char *who)
{
	char byte = 0;

	while (!ready)
		sched_yield();
	pthread_barrier_wait(&meet);
	need(read(file, &byte, 1));
	expect(byte == 'x', "%s read %d", who, byte);
	show("%s has read the pipe", who);
}

static void write_pipe(void)
{
	ready = 1;
	pthread_barrier_wait(&meet);
	expect(write(ends[1], "x", 1) == 1, "write");
	ready = 0;
}

static void *with_own_table(void *unused)
{
	need(unshare(CLONE_FILES));
	need(dup2(ends[0], file));
	pthread_barrier_wait(&begun);
	read_pipe("the thread");
	return unused;
}

static void *writer(void *unused)
{
	write_pipe();
	return unused;
}

static int change_table(void *unused)
{
	(void)unused;
	return dup2(ends[0], file) == file ? 7 : 1;
}

static void open_file(void)
{
	file = need(open("abcd", O_RDWR | O_CREAT | O_TRUNC, 0600));
	expect(write(file, "abcd", 4) == 4, "write");
}

int main(void)
{
	pthread_t thread;

	need(pipe(ends));
	open_file();
	pthread_barrier_init(&begun, NULL, 2);
	pthread_barrier_init(&meet, NULL, 2);
	pthread_create(&thread, NULL, with_own_table, NULL);
	pthread_barrier_wait(&begun);
	read_often();
	write_pipe();
	pthread_join(thread, NULL);

	char *stack = map_stack();

	read_often();
	expect_child(need(clone(change_table, stack + STACK_SIZE, CLONE_FILES | SIGCHLD, NULL)), 7);
	pthread_create(&thread, NULL, writer, NULL);
	read_pipe("the process");
	pthread_join(thread, NULL);
	unlink("abcd");
	return done();
}
