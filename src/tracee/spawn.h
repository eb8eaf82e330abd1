/* Starting a traced process. */
#ifndef WARP_TRACEE_SPAWN_H
#define WARP_TRACEE_SPAWN_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>

#include "tracee/tracee.h"

struct spawn_options {
	char *const *argv; /* the program, looked up as execvp(3) does */
	int image;	   /* >= 0: execute this descriptor instead */
	bool stop_calls;   /* install the seccomp program */
	bool new_session;  /* setsid: signals of our terminal do not reach it */
	unsigned long ptrace_options;
	const cpu_set_t *cpus; /* where it may run; NULL: as we do */
	sigset_t mask;	       /* signal mask of the program */
	sigset_t ignored;      /* signals that the program finds ignored */
};

struct spawn_result {
	bool cpuid_traps, time_traps;
	int cpuid_errno;
	bool no_new_privs; /* had to be set for seccomp */
};

/* Starts the program under ptrace and seccomp. On success the tracee is stopped at its
 * PTRACE_EVENT_EXEC. Errors name the program; kinds ERROR_NOT_FOUND and ERROR_NOT_EXEC are used. */
struct error *tracee_spawn(const struct spawn_options *options, struct tracee *tracee,
			   struct spawn_result *result);

#endif
