/* guest: signal SIGTERM */
/* A child ends its parent with SIGTERM, while it waits for the child. */
#include "guest_task.h"

int main(void)
{
	signal(SIGTERM, SIG_DFL);
	mask_signal(SIG_UNBLOCK, SIGTERM);
	pid_t parent = getpid();
	pid_t pid = need(fork());
	if (pid == 0) {
		show("child %d ends its parent %d", getpid(), parent);
		need(kill(parent, SIGTERM));
		/* Stays out of the way of the parent's end. */
		_exit(0);
	}
	for (;;)
		pause();
}
