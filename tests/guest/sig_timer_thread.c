/* timer_create() with SIGEV_THREAD: the C library starts a thread for each expiry. */
#include "guest_task.h"
#include <pthread.h>

static struct gate fired;
static int calls;
static long main_tid;
static bool other_thread = true;

static void function(union sigval value)
{
	if (syscall(SYS_gettid) == main_tid || value.sival_int != 808)
		other_thread = false;
	__atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST);
	gate_open(fired);
}

int main(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = function};
	struct itimerspec it = {.it_interval.tv_nsec = 3000000, .it_value.tv_nsec = 1000000};
	timer_t timer;

	ev.sigev_value.sival_int = 808;
	main_tid = syscall(SYS_gettid);
	fired = gate_make();
	need(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	need(timer_settime(timer, 0, &it, NULL));
	for (int i = 0; i < 4; i++)
		expect(gate_wait(fired), "expiry %d", i);
	need(timer_delete(timer));
	show("%d calls", __atomic_load_n(&calls, __ATOMIC_SEQ_CST));
	expect(other_thread, "in other threads, with the value");
	return done();
}
