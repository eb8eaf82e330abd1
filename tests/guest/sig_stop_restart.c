/*
 * Stopped and continued during nanosleep, poll, futex and read: the calls go on as if nothing
 * was.
 */
#include "guest_task.h"
#include <poll.h>

struct shared {
	int word;
};

static struct shared *sh;

static void sleeper(int which, struct gate ready, struct gate go)
{
	struct timespec ms = {0, 30000000}, before, after, left = {7, 7};
	struct pollfd pfd = {.fd = go.rd, .events = POLLIN};
	long ret;

	need(clock_gettime(CLOCK_MONOTONIC, &before));
	gate_open(ready);
	switch (which) {
	case 0:
		ret = nanosleep(&ms, &left);
		expect(ret == 0, "nanosleep: %ld", ret);
		/* The kernel stores it at each interruption, although the call goes on. */
		show("left: %ld.%09ld s", left.tv_sec, left.tv_nsec);
		break;
	case 1:
		ret = poll(&pfd, 1, 30);
		expect(ret == 0, "poll: %ld", ret);
		break;
	case 2:
		ret = futex(&sh->word, FUTEX_WAIT, 0, &ms);
		expect(ret == -1 && errno == ETIMEDOUT, "futex: %ld, %s", ret, strerror(errno));
		break;
	default:
		expect(gate_wait(go), "read");
		_exit(done());
	}
	need(clock_gettime(CLOCK_MONOTONIC, &after));
	long ns = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
	expect(ns >= 29000000, "%ld ns passed", ns);
	_exit(done());
}

int main(void)
{
	sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need((long)sh);
	for (int which = 0; which < 4; which++) {
		struct gate ready = gate_make(), go = gate_make();
		pid_t pid = need(fork());
		if (pid == 0)
			sleeper(which, ready, go);
		gate_wait(ready);
		for (int i = 0; i < 3; i++) {
			int status;
			need(kill(pid, SIGSTOP));
			need(waitpid(pid, &status, WUNTRACED));
			expect(WIFSTOPPED(status), "child %d stopped, status %#x", pid,
			       (unsigned)status);
			need(kill(pid, SIGCONT));
			need(waitpid(pid, &status, WCONTINUED));
			expect(WIFCONTINUED(status), "continued");
		}
		if (which == 3)
			gate_open(go);
		expect_child(pid, 0);
		close(ready.rd);
		close(ready.wr);
	}
	return done();
}
