/* waitpid() options: WNOHANG, WUNTRACED, WCONTINUED, on a child stopped and continued. */
#include "guest_task.h"

int main(void)
{
	struct gate gate = gate_make();
	int status = 0x5555;

	heed_terminal_signals();
	pid_t pid = need(fork());
	if (pid == 0) {
		gate_wait(gate);
		_exit(15);
	}
	expect_eq_long(waitpid(pid, &status, WNOHANG), 0, "WNOHANG on a running child");
	expect_eq_long(status, 0x5555, "status left alone");

	need(kill(pid, SIGSTOP));
	status = wait_status(pid, WUNTRACED);
	expect(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "stopped by %d",
	       WSTOPSIG(status));
	/* Small when somebody traces it. */
	char state = proc_state(pid);
	expect(state == 'T' || state == 't', "state %c", state);
	expect_eq_long(waitpid(pid, &status, WUNTRACED | WNOHANG), 0, "reported only once");

	need(kill(pid, SIGCONT));
	status = wait_status(pid, WCONTINUED);
	expect(WIFCONTINUED(status), "continued, status %#x", (unsigned)status);
	expect_eq_long(waitpid(pid, &status, WCONTINUED | WNOHANG), 0, "reported only once");

	/* A stop by another signal shows its number. */
	need(kill(pid, SIGTSTP));
	status = wait_status(pid, WUNTRACED);
	expect(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTSTP, "stopped by %d",
	       WSTOPSIG(status));
	/* A waiting call that does not ask for stops does not see one. */
	expect_eq_long(waitpid(pid, &status, WNOHANG), 0, "without WUNTRACED");
	need(kill(pid, SIGCONT));
	gate_open(gate);
	expect_child(pid, 15);
	expect_errno(waitpid(pid, &status, WNOHANG), ECHILD);
	expect_errno(waitpid(-1, &status, 0x100), EINVAL);
	return done();
}
