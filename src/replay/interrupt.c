/* The user's interrupts of a replay. A program that has diverged may loop without ever making a
 * call: Ctrl-C tells where it is, and before that, a notice that it takes long.
 *
 * Invariant: `running` is the thread that the replayer waits for, which must be stopped so that the
 * wait ends; a second interrupt ends the replayer at once. */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/time.h>

#include "replay/session.h"

static volatile sig_atomic_t interrupted;
static volatile pid_t running;

static const int interrupts[REP_INTERRUPTS] = {SIGINT, SIGTERM, SIGHUP};

static void on_interrupt(int signal)
{
	interrupted = signal;
	if (running)
		ptrace(PTRACE_INTERRUPT, running, NULL, NULL);
}

/* Only to let a wait return. */
static void on_tick(int signal)
{
}

void rep_interrupts_take(struct rep_interrupts *own)
{
	static const struct itimerval tick = {{1, 0}, {1, 0}};
	struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESETHAND};

	interrupted = 0;
	for (int i = 0; i < REP_INTERRUPTS; i++) {
		sigaction(interrupts[i], NULL, &own->before[i]);
		if (own->before[i].sa_handler != SIG_IGN)
			sigaction(interrupts[i], &action, NULL);
	}
	action = (struct sigaction){.sa_handler = on_tick};
	sigaction(SIGALRM, &action, &own->alarm);
	setitimer(ITIMER_REAL, &tick, NULL);
}

void rep_interrupts_return(const struct rep_interrupts *own)
{
	static const struct itimerval off;

	setitimer(ITIMER_REAL, &off, NULL);
	sigaction(SIGALRM, &own->alarm, NULL);
	for (int i = 0; i < REP_INTERRUPTS; i++)
		sigaction(interrupts[i], &own->before[i], NULL);
}

void rep_waiting_for(pid_t tid)
{
	running = tid;
	if (tid && interrupted) /* it came just before */
		ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
}

int rep_interrupted(void)
{
	return interrupted;
}
