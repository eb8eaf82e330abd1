/*
 * setitimer, getitimer, alarm, POSIX timers with a signal value and overruns, CPU-time timers.
 */
#include "guest.h"
#include <sys/time.h>
#include <time.h>

int main(void)
{
	struct itimerval set = {{0, 3000}, {0, 1000}}, old, now;
	sigset_t signals;
	siginfo_t info;

	sigemptyset(&signals);
	sigaddset(&signals, SIGALRM);
	sigaddset(&signals, SIGVTALRM);
	sigaddset(&signals, SIGRTMIN);
	need(sigprocmask(SIG_BLOCK, &signals, NULL));

	expect_eq_long(setitimer(ITIMER_REAL, &set, &old), 0, "setitimer");
	for (int i = 0; i < 3; i++) {
		expect_eq_long(sigwaitinfo(&signals, &info), SIGALRM, "signal");
		expect_eq_long(info.si_code, SI_KERNEL, "si_code");
	}
	expect_eq_long(getitimer(ITIMER_REAL, &now), 0, "getitimer");
	expect(now.it_interval.tv_usec == 3000, "%ld us left of every %ld",
	       (long)now.it_value.tv_usec, (long)now.it_interval.tv_usec);
	set = (struct itimerval){{0, 0}, {0, 0}};
	expect_eq_long(setitimer(ITIMER_REAL, &set, &old), 0, "disarmed");
	expect_eq_long(old.it_interval.tv_usec, 3000, "old interval");
	expect_eq_long(alarm(100), 0, "alarm");
	long left = alarm(0);
	expect(left == 100 || left == 99, "%ld s were left", left);
	expect_errno(setitimer(9, &set, NULL), EINVAL);

	/* A stray SIGALRM may still be pending from the periodic timer. */
	struct timespec zero = {0, 0};
	int stray = sigtimedwait(&signals, &info, &zero);
	show("stray signal: %d", stray);

	timer_t timer;
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
	struct itimerspec ts = {{0, 1000000}, {0, 1000000}}, seen;
	ev.sigev_value.sival_int = 4711;
	expect_eq_long(timer_create(CLOCK_MONOTONIC, &ev, &timer), 0, "timer_create");
	expect_eq_long(timer_settime(timer, 0, &ts, NULL), 0, "timer_settime");
	for (int i = 0; i < 3; i++) {
		expect_eq_long(sigwaitinfo(&signals, &info) - SIGRTMIN, 0, "signal - SIGRTMIN");
		expect(info.si_code == SI_TIMER && info.si_value.sival_int == 4711, "its value %d",
		       info.si_value.sival_int);
		show("overrun %d, timer_getoverrun %d", info.si_overrun, timer_getoverrun(timer));
	}
	expect_eq_long(timer_gettime(timer, &seen), 0, "timer_gettime");
	show("%ld ns left", seen.it_value.tv_nsec);
	expect_eq_long(timer_delete(timer), 0, "timer_delete");
	expect_errno(syscall(SYS_timer_delete, 12345), EINVAL);

	set = (struct itimerval){{0, 0}, {0, 2000}};
	need(setitimer(ITIMER_VIRTUAL, &set, NULL));
	sigset_t pending;
	volatile unsigned long spins = 0;
	do {
		for (int i = 0; i < 10000; i++)
			spins++;
		sigpending(&pending);
	} while (!sigismember(&pending, SIGVTALRM));
	expect_eq_long(sigwaitinfo(&signals, &info), SIGVTALRM, "CPU-time signal");
	show("after %lu spins", spins);
	return done();
}
