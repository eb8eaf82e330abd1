/* A hundred children alive at once, released together and reaped in whatever order they end. */
#include "guest_task.h"

#define CHILDREN 100

int main(void)
{
	struct gate start = gate_make();
	pid_t pids[CHILDREN];
	bool reaped[CHILDREN] = {false};
	char order[CHILDREN * 5] = "";

	for (int i = 0; i < CHILDREN; i++) {
		pids[i] = need(fork());
		if (pids[i] == 0) {
			close(start.wr);
			/* Nobody writes: the end of the pipe is the signal to go. */
			_exit(gate_wait(start) ? 255 : i);
		}
	}
	show("first pid %d, last pid %d", pids[0], pids[CHILDREN - 1]);
	close(start.wr);
	for (int n = 0; n < CHILDREN; n++) {
		int status;
		pid_t pid = need(wait(&status));
		int i = WEXITSTATUS(status);
		if (!WIFEXITED(status) || i >= CHILDREN || pids[i] != pid || reaped[i]) {
			expect(false, "pid %d, status 0x%x", pid, (unsigned)status);
			continue;
		}
		reaped[i] = true;
		sprintf(order + strlen(order), " %d", i);
	}
	show("order:%s", order);
	expect_errno(wait(NULL), ECHILD);
	return done();
}
