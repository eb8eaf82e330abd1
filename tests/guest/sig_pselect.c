/* pselect(), ppoll() and epoll_pwait() open the mask only while they wait: no signal is missed. */
#include "guest_task.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

static volatile int hits;

static void handler(int sig, siginfo_t *si, void *uc)
{
	hits++;
}

static pid_t send_from_child(pid_t to)
{
	pid_t pid = need(fork());
	if (pid == 0) {
		kill(to, SIGUSR1);
		_exit(0);
	}
	return pid;
}

int main(void)
{
	struct gate gate = gate_make();
	struct pollfd pfd = {.fd = gate.rd, .events = POLLIN};
	struct epoll_event ev = {.events = EPOLLIN};
	struct timespec zero = {0}, day = {86400, 0};
	sigset_t none;
	fd_set set;

	sigemptyset(&none);
	handle(SIGUSR1, handler, SA_RESTART);
	mask_signal(SIG_BLOCK, SIGUSR1);
	int ep = need(epoll_create1(EPOLL_CLOEXEC));
	need(epoll_ctl(ep, EPOLL_CTL_ADD, gate.rd, &ev));
	for (int i = 0; i < 5; i++) {
		pid_t pids[3];
		pids[0] = send_from_child(getpid());
		FD_ZERO(&set);
		FD_SET(gate.rd, &set);
		expect_errno(pselect(gate.rd + 1, &set, NULL, NULL, &day, &none), EINTR);
		pids[1] = send_from_child(getpid());
		expect_errno(ppoll(&pfd, 1, &day, &none), EINTR);
		pids[2] = send_from_child(getpid());
		expect_errno(epoll_pwait(ep, &ev, 1, -1, &none), EINTR);
		expect_eq_long(hits, 3 * (i + 1), "handler calls");
		for (int k = 0; k < 3; k++)
			expect_child(pids[k], 0);
	}
	/* Pending, but a descriptor is ready: the signal stays where it is or comes as well. */
	raise(SIGUSR1);
	gate_open(gate);
	int before = hits;
	int ready = ppoll(&pfd, 1, &zero, &none);
	show("ready descriptor and pending signal: %d, %d calls", ready, hits - before);
	expect(ready == 1 || (ready == -1 && hits == before + 1), "one of the two");
	mask_signal(SIG_UNBLOCK, SIGUSR1);
	expect_eq_long(hits, before + 1, "handler calls in the end");
	return done();
}
