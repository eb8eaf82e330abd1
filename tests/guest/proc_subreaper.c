/* PR_SET_CHILD_SUBREAPER: orphans among our descendants become our children. */
#include "guest_task.h"
#include <sys/prctl.h>

int main(void)
{
	int is = -1;
	struct gate go = gate_make();

	need(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
	need(prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0));
	expect_eq_long(is, 1, "PR_GET_CHILD_SUBREAPER");
	pid_t me = getpid();
	pid_t middle = need(fork());
	if (middle == 0) {
		for (int i = 0; i < 3; i++) {
			if (need(fork()) == 0) {
				gate_wait(go);
				pid_t parent = getppid();
				_exit(parent == me ? 50 + i : 1);
			}
		}
		_exit(3);
	}
	expect_child(middle, 3);
	unsigned seen = 0;
	for (int i = 0; i < 3; i++)
		gate_open(go);
	for (int i = 0; i < 3; i++) {
		int status;
		pid_t pid = need(wait(&status));
		show("grandchild %d ended with 0x%x", pid, (unsigned)status);
		if (WIFEXITED(status) && WEXITSTATUS(status) >= 50)
			seen |= 1u << (WEXITSTATUS(status) - 50);
	}
	expect_eq_long(seen, 7, "set of grandchildren");
	expect_errno(wait(NULL), ECHILD);
	need(prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0));
	return done();
}
