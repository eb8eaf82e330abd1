/* ITIMER_VIRTUAL, ITIMER_PROF and a timer on the CPU clock, which run only while we do. */
#include "guest_task.h"

static volatile int hits;
static volatile int last;

static void handler(int sig, siginfo_t *si, void *uc)
{
	last = sig;
	hits++;
}

/* Compute in small portions with a call between them, until the signal comes. */
static void work_until_signal(void)
{
	volatile unsigned x = 1;
	int rounds = 0;

	while (hits == 0) {
		for (int i = 0; i < 20000; i++)
			x = x * 1103515245 + 12345;
		syscall(SYS_getpid);
		rounds++;
	}
	show("signal %d after %d rounds", last, rounds);
}

static void with_itimer(int which, int sig)
{
	struct itimerval it = {.it_value.tv_usec = 4000}, now;

	hits = 0;
	handle(sig, handler, 0);
	need(setitimer(which, &it, NULL));
	work_until_signal();
	expect_eq_long(last, sig, "signal");
	need(getitimer(which, &now));
	expect(now.it_value.tv_usec == 0 && now.it_value.tv_sec == 0, "it is off");
}

int main(void)
{
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
	struct itimerspec it = {.it_value.tv_nsec = 4000000};
	struct timespec before, after;
	timer_t timer;

	with_itimer(ITIMER_VIRTUAL, SIGVTALRM);
	with_itimer(ITIMER_PROF, SIGPROF);

	hits = 0;
	handle(SIGUSR1, handler, 0);
	need(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before));
	need(timer_create(CLOCK_PROCESS_CPUTIME_ID, &ev, &timer));
	need(timer_settime(timer, 0, &it, NULL));
	work_until_signal();
	expect_eq_long(last, SIGUSR1, "signal");
	need(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after));
	long used = (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec;
	expect(used >= 4000000, "%ld ns of CPU time used", used);
	need(timer_delete(timer));
	return done();
}
