/* Processes that know themselves by other numbers than their recorder does: in a pid namespace of their
 * own. A robust mutex whose owner dies there, real-time signals in computing code, affinities. */
#include "guest_task.h"
#include <pthread.h>

struct shared {
	pthread_mutex_t mutex;
	volatile int ready;
};

static struct shared *board;
static volatile int handled, pids_seen;

static void on_rt(int signal, siginfo_t *info, void *context)
{
	handled++;
	pids_seen += info->si_pid == 1;
}

static void check_mutex(void)
{
	pid_t pid = need(fork());

	if (pid == 0) {
		pthread_mutex_lock(&board->mutex);
		_exit(0); /* with the mutex held */
	}
	expect_child(pid, 0);
	show("the mutex's word: %#x", *(unsigned *)&board->mutex);
	expect_eq_long(pthread_mutex_lock(&board->mutex), EOWNERDEAD, "pthread_mutex_lock");
	expect_eq_long(pthread_mutex_consistent(&board->mutex), 0, "consistent");
	expect_eq_long(pthread_mutex_unlock(&board->mutex), 0, "unlock");
}

/* Three signals of each kind for one that computes; real-time ones queue. */
static void check_signals(void)
{
	struct sigaction action = {.sa_sigaction = on_rt, .sa_flags = SA_SIGINFO};

	need(sigaction(SIGRTMIN, &action, NULL));
	board->ready = 0;
	pid_t pid = need(fork());
	if (pid == 0) {
		board->ready = 1;
		while (handled < 3)
			;
		expect_eq_long(pids_seen, 3, "of them from process 1");
		_exit(done());
	}
	while (!board->ready)
		sched_yield();
	for (int i = 0; i < 3; i++)
		need(kill(pid, SIGRTMIN));
	expect_child(pid, 0);
}

static void check_affinity(void)
{
	cpu_set_t before, one, after;
	int cpu = 0;

	need(sched_getaffinity(1, sizeof(before), &before));
	while (!CPU_ISSET(cpu, &before))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	need(sched_setaffinity(1, sizeof(one), &one));
	need(sched_getaffinity(0, sizeof(after), &after));
	expect(CPU_EQUAL(&one, &after), "bound to one processor");
}

int main(void)
{
	pthread_mutexattr_t attributes;

	board = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&board->mutex, &attributes);
	if (unshare(CLONE_NEWPID) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWPID) < 0)
		skip("a pid namespace: %s", strerror(errno));
	pid_t pid = need(fork());
	if (pid == 0) {
		expect_eq_long(getpid(), 1, "getpid");
		check_mutex();
		check_signals();
		check_affinity();
		_exit(done());
	}
	expect_child(pid, 0);
	return done();
}
