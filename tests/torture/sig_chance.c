/* Threads that do nothing but compute, with signals for each, recorded with turns by chance: the
 * signals come where chance preempts, and they do come, however often that is. torture: record
 * --chaos=3
 */
#include "torture.h"
#include <time.h>

#define WORKERS 3

static volatile uint64_t at[WORKERS];
static uint64_t wanted;
static struct seen seen[WORKERS];
static __thread int me = -1;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	volatile double sum = 0;

	if (me < 0) {
		expect(false, "signal %d came to another thread", signal);
		return;
	}
	for (int i = 0; i < 2000; i++)
		sum = sum + i;
	see(&seen[me], at[me], at[(me + 1) % WORKERS]);
}

static void aim(timer_t *timer, long nsec)
{
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 2};
	struct itimerspec spec = {{0, nsec}, {0, nsec}};

	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	need(timer_create(CLOCK_MONOTONIC, &event, timer));
	need(timer_settime(*timer, 0, &spec, NULL));
}

static void *work(void *number)
{
	const volatile uint64_t *count = &seen[(uintptr_t)number].count;
	timer_t timer;

	me = (int)(uintptr_t)number;
	aim(&timer, 2000000 + me * 300000);
	while (*count < wanted)
		at[me]++;
	timer_delete(timer);
	return NULL;
}

int main(int argc, char **argv)
{
	wanted = sized(argc, argv, 100);
	tick_handle(SIGRTMIN + 2, SA_RESTART, on_signal);
	run_threads(WORKERS, work);
	for (unsigned i = 0; i < WORKERS; i++)
		seen_show("thread", i, &seen[i]);
	return done();
}
