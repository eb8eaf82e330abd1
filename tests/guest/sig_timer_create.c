/* timer_create() with SIGEV_SIGNAL, SIGEV_NONE and SIGEV_THREAD_ID: siginfo, overruns, gettime. */
#include "guest_task.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static siginfo_t seen;
static volatile int hits;
static volatile long tid;

static void handler(int sig, siginfo_t *si, void *uc)
{
	seen = *si;
	tid = syscall(SYS_gettid);
	hits++;
}

int main(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	struct itimerspec it = {.it_interval.tv_nsec = 2000000, .it_value.tv_nsec = 2000000}, now;
	struct itimerspec off = {0}, hour = {.it_value.tv_sec = 3600};
	timer_t timer, none;
	sigset_t empty;

	ev.sigev_value.sival_int = 606;
	handle(SIGRTMIN, handler, 0);
	mask_signal(SIG_BLOCK, SIGRTMIN);
	sigemptyset(&empty);
	need(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	need(timer_settime(timer, 0, &it, NULL));
	for (int i = 1; i <= 4; i++) {
		while (hits < i)
			sigsuspend(&empty);
		show("signo %d code %d value %d overrun %d/%d", seen.si_signo, seen.si_code,
		     seen.si_value.sival_int, seen.si_overrun, timer_getoverrun(timer));
		expect(seen.si_code == SI_TIMER && seen.si_value.sival_int == 606, "siginfo");
	}
	need(timer_gettime(timer, &now));
	expect(now.it_interval.tv_nsec == 2000000 && now.it_value.tv_nsec <= 2000000,
	       "%ld ns to the next", now.it_value.tv_nsec);
	need(timer_settime(timer, 0, &off, &now));
	need(timer_delete(timer));
	expect_errno(timer_delete(timer), EINVAL);

	ev.sigev_notify = SIGEV_NONE;
	need(timer_create(CLOCK_REALTIME, &ev, &none));
	need(timer_settime(none, 0, &hour, NULL));
	need(timer_gettime(none, &now));
	expect(now.it_value.tv_sec >= 3599 || now.it_value.tv_nsec > 0, "%ld.%09ld s left",
	       now.it_value.tv_sec, now.it_value.tv_nsec);
	need(timer_delete(none));

	ev.sigev_notify = SIGEV_THREAD_ID;
	ev.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	hits = 0;
	need(timer_create(CLOCK_BOOTTIME, &ev, &timer));
	it.it_interval.tv_nsec = 0;
	need(timer_settime(timer, 0, &it, NULL));
	while (hits == 0)
		sigsuspend(&empty);
	expect_eq_long(tid, syscall(SYS_gettid), "thread that got it");
	need(timer_delete(timer));
	ev.sigev_notify_thread_id = 1 << 30;
	expect_errno(timer_create(CLOCK_MONOTONIC, &ev, &timer), EINVAL);
	expect_errno(timer_create(99, NULL, &timer), EINVAL);
	return done();
}
