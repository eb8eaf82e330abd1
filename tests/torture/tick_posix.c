/* Two timers of timer_create with real-time signals that queue, 1 ms and 1.7 ms, and SIGPROF at 1 kHz,
 * all into one computation. */
#include "torture.h"
#include <time.h>

static timer_t start(int signal, long nsec)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal};
	struct itimerspec spec = {{0, nsec}, {0, nsec}};
	timer_t timer;

	tick_handle(signal, SA_RESTART, tick_note);
	event.sigev_value.sival_int = signal;
	need(timer_create(CLOCK_MONOTONIC, &event, &timer));
	need(timer_settime(timer, 0, &spec, NULL));
	return timer;
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 3000000), hash = 0;
	static char text[256];

	timer_t one = start(SIGRTMIN, 1000000);
	timer_t two = start(SIGRTMIN + 3, 1700000);

	tick_handle(SIGPROF, SA_RESTART, tick_note);
	tick_timer(ITIMER_PROF, 1000);
	watched = text;
	watched_length = sizeof(text);
	for (uint64_t i = 0; i < n; i++) {
		int length = snprintf(text, sizeof(text), "%lu %lx", (unsigned long)i,
				      (unsigned long)hash);

		hash = mix(hash, (uint64_t)(text[length / 2] + length));
		progress = i;
	}
	tick_stop();
	int overruns[] = {timer_getoverrun(one), timer_getoverrun(two)};

	timer_delete(one);
	timer_delete(two);
	show("same: texts %lx", (unsigned long)hash);
	show("overruns %d %d", overruns[0], overruns[1]);
	tick_show();
	return done();
}
