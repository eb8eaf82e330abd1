/* signalfd(): signals read as records, together with epoll and with children that end. */
#include "guest_task.h"
#include <poll.h>
#include <sys/signalfd.h>

static void next(int fd, struct signalfd_siginfo *info)
{
	memset(info, 0, sizeof(*info));
	expect_eq_long(read(fd, info, sizeof(*info)), sizeof(*info), "bytes read");
	show("signo %u code %d pid %u uid %u int %d status %d", info->ssi_signo, info->ssi_code,
	     info->ssi_pid, info->ssi_uid, info->ssi_int, info->ssi_status);
}

int main(void)
{
	struct signalfd_siginfo info, many[4];
	sigset_t set;
	union sigval value = {.sival_int = 31337};

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGRTMIN);
	need(sigprocmask(SIG_BLOCK, &set, NULL));
	int fd = need(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
	expect_errno(read(fd, &info, sizeof(info)), EAGAIN);
	expect_errno(read(fd, &info, 10), EINVAL);
	need(fcntl(fd, F_SETFL, 0));

	raise(SIGUSR1);
	next(fd, &info);
	expect(info.ssi_signo == SIGUSR1 && info.ssi_pid == (unsigned)getpid(), "SIGUSR1");
	need(sigqueue(getpid(), SIGRTMIN, value));
	next(fd, &info);
	expect(info.ssi_int == 31337 && info.ssi_code == SI_QUEUE, "queued value");

	pid_t pid = need(fork());
	if (pid == 0)
		_exit(19);
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	expect_eq_long(poll(&pfd, 1, -1), 1, "poll");
	next(fd, &info);
	expect(info.ssi_signo == SIGCHLD && info.ssi_pid == (unsigned)pid, "SIGCHLD of %d", pid);
	expect_eq_long(info.ssi_status, 19, "status");
	expect_child(pid, 19);

	for (int i = 0; i < 3; i++) {
		value.sival_int = i;
		need(sigqueue(getpid(), SIGRTMIN, value));
	}
	expect_eq_long(read(fd, many, sizeof(many)), 3 * sizeof(info), "bytes of three records");
	for (int i = 0; i < 3; i++)
		expect_eq_long(many[i].ssi_int, i, "value in order");

	sigdelset(&set, SIGUSR1);
	expect_eq_long(signalfd(fd, &set, 0), fd, "change of the set");
	raise(SIGUSR1);
	expect_eq_long(poll(&pfd, 1, 0), 0, "SIGUSR1 is not for it any more");
	return done();
}
