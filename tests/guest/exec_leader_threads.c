/* execve() by the leader while its threads block in read, futex, nanosleep, poll, or yield. */
#include "guest_task.h"
#include <poll.h>
#include <pthread.h>

static struct gate never, ready;
static int word;

static void *body(void *arg)
{
	struct timespec hour = {3600, 0};
	struct pollfd pfd = {.fd = never.rd, .events = POLLIN};

	gate_open(ready);
	switch ((intptr_t)arg) {
	case 0:
		gate_wait(never);
		break;
	case 1:
		futex_await(&word, 1);
		break;
	case 2:
		nanosleep(&hour, NULL);
		break;
	case 3:
		poll(&pfd, 1, -1);
		break;
	default:
		for (;;)
			sched_yield();
	}
	return NULL;
}

int main(int argc, char **argv)
{
	int round = argc > 1 ? atoi(argv[1]) : 0;
	char next[16];
	pthread_t thread;

	if (round == 3) {
		show("last image, pid %d", getpid());
		return done();
	}
	never = gate_make();
	ready = gate_make();
	for (intptr_t i = 0; i < 5; i++)
		need_zero(pthread_create(&thread, NULL, body, (void *)i));
	for (int i = 0; i < 5; i++)
		gate_wait(ready);
	show("image %d, descriptors %d to %d", round, never.rd, ready.wr);
	expect(never.rd < 100, "the pipes of the image before are closed");
	if (done() != 0)
		return 1;
	snprintf(next, sizeof(next), "%d", round + 1);
	need(execl("/proc/self/exe", "exec_leader_threads", next, NULL));
	return 1;
}
