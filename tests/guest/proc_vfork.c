/* vfork(): the child runs on the parent's memory, and the parent waits until it has ended. */
#include "guest_task.h"

static volatile int shared;
static volatile pid_t child_pid;

int main(void)
{
	int fds[2];

	need(pipe(fds));
	for (int i = 1; i <= 3; i++) {
		pid_t pid = vfork();
		if (pid == 0) {
			shared += i;
			child_pid = getpid();
			(void)!write(fds[1], "child", 5);
			close(fds[1]);
			_exit(i);
		}
		need(pid);
		expect(child_pid == pid, "child %d wrote its pid into the parent's memory", pid);
		char text[8] = "";
		expect_eq_long(read(fds[0], text, sizeof(text) - 1), 5, "bytes from the child");
		expect(strcmp(text, "child") == 0, "the descriptor closed by the child is open");
		expect_child(pid, i);
	}
	expect_eq_long(shared, 6, "variable changed by three children");
	return done();
}
