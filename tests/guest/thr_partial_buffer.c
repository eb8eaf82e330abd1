/*
 * With several threads: reads into buffers of which only the beginning can be written.
 */
#include "guest_task.h"
#include <pthread.h>

#define PAGE 4096
#define SIZE 1000
#define ROOM 100

static struct gate gate;

static void *waiter(void *arg)
{
	gate_wait(gate);
	return NULL;
}

static char *page_before_nothing(int prot)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need((long)p);
	if (prot < 0)
		need(munmap(p + PAGE, PAGE));
	else
		need(mprotect(p + PAGE, PAGE, prot));
	return p + PAGE - ROOM;
}

static void test(int prot, const char *what)
{
	char *buffer = page_before_nothing(prot), bytes[SIZE];
	struct gate pipe = gate_make();
	int zero = need(open("/dev/zero", O_RDONLY));

	memset(bytes, 'x', sizeof(bytes));
	memset(buffer, 'b', ROOM);
	need(write(pipe.wr, bytes, SIZE));
	show("%s", what);
	expect_errno(read(pipe.rd, buffer, SIZE), EFAULT);
	need(fcntl(pipe.rd, F_SETFL, O_NONBLOCK));
	expect_eq_long(read(pipe.rd, bytes, SIZE), SIZE, "all is left in the pipe");
	ssize_t n = read(zero, buffer, SIZE);
	expect_eq_long(n, ROOM, "zeroes up to the end");
	expect(buffer[0] == 0 && buffer[ROOM - 1] == 0, "are there");
	need(close(zero));
	need(close(pipe.rd));
	need(close(pipe.wr));
}

int main(void)
{
	pthread_t thread;

	gate = gate_make();
	need_zero(pthread_create(&thread, NULL, waiter, NULL));
	test(-1, "before a hole");
	test(PROT_READ, "before a page that is read-only");
	test(PROT_NONE, "before a guard page");
	gate_open(gate);
	pthread_join(thread, NULL);
	return done();
}
