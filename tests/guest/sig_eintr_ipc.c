/*
 * System V messages and semaphores, and waiting for children: EINTR, even with SA_RESTART for
 * some.
 */
#include "guest_task.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>

static volatile int ticks;

static void handler(int sig, siginfo_t *si, void *uc)
{
	ticks++;
}

static void run(int flags, int queue, int sems)
{
	struct {
		long type;
		char text[64];
	} msg = {.type = 1};
	struct sembuf down = {.sem_op = -1};
	struct timespec day = {86400, 0};

	/* signal(7): these return EINTR whether SA_RESTART is set or not. */
	handle(SIGALRM, handler, flags);
	tick(3);
	expect_errno(msgrcv(queue, &msg, sizeof(msg.text), 0, 0), EINTR);
	expect_errno(semop(sems, &down, 1), EINTR);
	expect_errno(semtimedop(sems, &down, 1, &day), EINTR);
	tick(0);
	show("sa_flags %#x: %d signals", flags, ticks);
}

int main(void)
{
	struct gate gate = gate_make();
	siginfo_t si;
	int status;
	int queue = msgget(IPC_PRIVATE, 0600);
	int sems = semget(IPC_PRIVATE, 1, 0600);

	if (queue == -1 || sems == -1)
		skip("System V queues and semaphores");
	run(0, queue, sems);
	run(SA_RESTART, queue, sems);
	need(msgctl(queue, IPC_RMID, NULL));
	need(semctl(sems, 0, IPC_RMID));

	pid_t pid = need(fork());
	if (pid == 0) {
		close(gate.wr);
		gate_wait(gate);
		_exit(17);
	}
	handle(SIGALRM, handler, 0);
	tick(3);
	expect_errno(waitpid(pid, &status, 0), EINTR);
	expect_errno(waitid(P_PID, (id_t)pid, &si, WEXITED), EINTR);
	expect_errno(wait4(-1, &status, 0, NULL), EINTR);
	tick(0);
	gate_open(gate);
	expect_child(pid, 17);
	return done();
}
