/*
 * POSIX message queues: priorities, attributes, timeouts, notification by signal, poll, errors.
 */
#include "guest.h"
#include <mqueue.h>
#include <poll.h>
#include <time.h>

int main(void)
{
	struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 64}, seen;
	struct timespec past = {1, 0};
	char name[64], buf[64] = "";
	siginfo_t info;
	sigset_t set;
	unsigned prio = 99;

	snprintf(name, sizeof(name), "/guest-%d", getpid());
	mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (q == (mqd_t)-1)
		skip("message queues: %s", strerror(errno));
	expect_errno(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr), EEXIST);
	need(mq_send(q, "low", 3, 1));
	need(mq_send(q, "high", 4, 9));
	need(mq_send(q, "low too", 7, 1));
	expect_eq_long(mq_getattr(q, &seen), 0, "mq_getattr");
	expect_eq_long(seen.mq_curmsgs, 3, "messages");
	expect_eq_long(mq_receive(q, buf, sizeof(buf), &prio), 4, "mq_receive");
	expect(prio == 9 && memcmp(buf, "high", 4) == 0, "the highest first: %s", buf);
	expect_errno(mq_receive(q, buf, 10, &prio), EMSGSIZE);
	expect_eq_long(mq_receive(q, buf, sizeof(buf), &prio), 3, "the first of the low ones");
	expect_eq_long(mq_receive(q, buf, sizeof(buf), NULL), 7, "the second");
	expect_errno(mq_timedreceive(q, buf, sizeof(buf), NULL, &past), ETIMEDOUT);

	seen.mq_flags = O_NONBLOCK;
	expect_eq_long(mq_setattr(q, &seen, &attr), 0, "mq_setattr");
	expect_errno(mq_receive(q, buf, sizeof(buf), NULL), EAGAIN);
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	ev.sigev_value.sival_int = 77;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	need(sigprocmask(SIG_BLOCK, &set, NULL));
	expect_eq_long(mq_notify(q, &ev), 0, "mq_notify");
	expect_errno(mq_notify(q, &ev), EBUSY);
	pid_t pid = need(fork());
	if (pid == 0) {
		need(mq_send(q, "from the child", 14, 3));
		_exit(0);
	}
	expect_eq_long(sigwaitinfo(&set, &info), SIGUSR1, "notified");
	expect(info.si_code == SI_MESGQ && info.si_value.sival_int == 77 && info.si_pid == pid,
	       "by pid %d uid %u", info.si_pid, info.si_uid);
	expect_child(pid, 0);
	struct pollfd pfd = {q, POLLIN | POLLOUT, 0};
	expect_eq_long(poll(&pfd, 1, -1), 1, "poll");
	expect_eq_long(pfd.revents, POLLIN | POLLOUT, "events");
	for (int i = 0; i < 3; i++)
		need(mq_send(q, "fill", 4, 0));
	expect_errno(mq_send(q, "too many", 8, 0), EAGAIN);
	int n = read(q, buf, sizeof(buf) - 1);
	show("read of the queue's descriptor: %d, %.*s", n, n > 0 ? n : 0, buf);
	expect_eq_long(mq_close(q), 0, "mq_close");
	expect_eq_long(mq_unlink(name), 0, "mq_unlink");
	expect_errno(mq_unlink(name), ENOENT);
	return done();
}
