/* Signals to threads that compute: timers that aim at one thread each, and pthread_kill from a thread that does
 * nothing else, with and without a handler's own work. */
#include "torture.h"
#include <time.h>

#define WORKERS 2

static pthread_t workers[WORKERS];
static volatile uint64_t at[WORKERS], results[WORKERS];
static volatile int ended;
static uint64_t rounds;
static struct seen seen[WORKERS];
static __thread int me = -1;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	if (me >= 0)
		see(&seen[me], at[me], (uint64_t)signal << 32 | (at[!me] & 0xffffffff));
	else
		expect(false, "signal %d came to another thread", signal);
}

static void aim(long nsec)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 2};
	struct itimerspec spec = {{0, nsec}, {0, nsec}};
	timer_t timer;

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	need(timer_create(CLOCK_MONOTONIC, &event, &timer));
	need(timer_settime(timer, 0, &spec, NULL));
}

static void *work(void *number)
{
	uint64_t x = 17 + (uintptr_t)number;
	sigset_t all;

	me = (int)(uintptr_t)number;
	aim(me ? 1300000 : 1000000);
	for (uint64_t i = 0; i < rounds; i++) {
		next_random(&x);
		at[me] = i;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	results[me] = x;
	__atomic_fetch_add(&ended, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

int main(int argc, char **argv)
{
	struct timespec pause = {0, 2000000};

	rounds = sized(argc, argv, 80000000);
	tick_handle(SIGRTMIN + 2, SA_RESTART, on_signal);
	tick_handle(SIGUSR1, SA_RESTART, on_signal);
	for (uintptr_t i = 0; i < WORKERS; i++)
		pthread_create(&workers[i], NULL, work, (void *)i);
	for (unsigned turn = 0; ended < WORKERS; turn++) {
		nanosleep(&pause, NULL);
		if (at[turn % WORKERS])
			pthread_kill(workers[turn % WORKERS], SIGUSR1);
	}
	for (unsigned i = 0; i < WORKERS; i++)
		pthread_join(workers[i], NULL);
	show("same: %lx %lx", (unsigned long)results[0], (unsigned long)results[1]);
	for (unsigned i = 0; i < WORKERS; i++)
		seen_show("thread", i, &seen[i]);
	return done();
}
