/* guest: status 3 */
/* exit(): handlers in reverse order, stdio flushed; a child with _exit() runs none of it. */
#include "guest_task.h"

static int next = 3;

static void handler(int status, void *arg)
{
	int number = (int)(intptr_t)arg;
	expect(number == next, "exit handler %d, status %d", number, status);
	next--;
	if (number == 1) {
		fflush(stdout);
		/* The last one decides the status. */
		_exit(guest_failures ? 1 : 3);
	}
}

int main(void)
{
	for (intptr_t i = 1; i <= 3; i++)
		need(on_exit(handler, (void *)i));
	printf("buffered by stdio in the parent\n");
	fflush(stdout);

	pid_t pid = need(fork());
	if (pid == 0)
		_exit(11);
	expect_child(pid, 11);

	pid = need(fork());
	if (pid == 0) {
		printf("buffered by stdio in child %d\n", getpid());
		/* Runs inherited handlers, whose last one ends with 3. */
		exit(12);
	}
	expect_child(pid, 3);
	exit(42);
}
