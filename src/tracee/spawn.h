/* Starting a traced process. */
#ifndef WARP_TRACEE_SPAWN_H
#define WARP_TRACEE_SPAWN_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>

#include "tracee/tracee.h"

struct sock_fprog;

struct spawn_options {
	char *const *argv;		 /* the program, looked up as execvp(3) does */
	char *const *envp;		 /* NULL: our environment */
	int image;			 /* >= 0: execute this descriptor instead */
	const struct sock_fprog *filter; /* the seccomp program to install; NULL: none */
	bool time_traps; /* cpuid and the time stamp counter trap; other machines' programs are refused */
	bool new_session; /* setsid: signals of our terminal do not reach it */
	unsigned long ptrace_options;
	const cpu_set_t *cpus;	/* where it may run; NULL: as we do */
	const int *descriptors; /* NULL, or three that become 0, 1 and 2; -1: as ours */
	sigset_t mask;		/* signal mask of the program */
	sigset_t ignored;	/* signals that the program finds ignored */
	/* If given: called with the child stopped by PTRACE_SYSCALL, before and after each try to
	 * execute (after: only if that failed). */
	void (*exec_call)(void *context, struct tracee *tracee, bool entry);
	void *context;
};

struct spawn_result {
	bool cpuid_traps, time_traps;
	int cpuid_errno;
	bool no_new_privs; /* had to be set for seccomp */
};

/* Starts the program under ptrace and seccomp. On success the tracee is stopped at its
 * PTRACE_EVENT_EXEC. Errors name the program; kinds ERROR_NOT_FOUND and ERROR_NOT_EXEC are used;
 * the child is gone then. Can be called in a process with several threads. */
struct error *tracee_spawn(const struct spawn_options *options, struct tracee *tracee,
			   struct spawn_result *result);

#endif
