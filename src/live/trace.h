/* Tracing system calls and signals, as `warp trace` does: strace's lines for programs that run. */
#ifndef WARP_LIVE_TRACE_H
#define WARP_LIVE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

struct expr;

enum live_trace_clock {
	LIVE_TRACE_NO_CLOCK,
	LIVE_TRACE_SECONDS,	 /* 15:04:05 */
	LIVE_TRACE_MICROSECONDS, /* 15:04:05.123456 */
	LIVE_TRACE_EPOCH,	 /* seconds since 1970 with microseconds */
};

enum live_trace_counting {
	LIVE_TRACE_NO_COUNTS,
	LIVE_TRACE_COUNTS_TOO, /* a table of calls after the lines */
	LIVE_TRACE_COUNTS_ONLY,
};

struct live_trace_options {
	char *const *argv; /* a program to run, or NULL */
	const pid_t *pids; /* running processes */
	size_t pid_count;
	const struct expr *const *exprs; /* calls that one of them matches; none: all calls */
	size_t expr_count;
	const char *output; /* NULL: standard error */
	bool separately;    /* with `output`: each thread's lines in a file OUTPUT.TID */
	size_t string_max;
	bool follow; /* children that are made from now on */
	bool json;
	bool stacks;
	bool paths;	/* of descriptors */
	bool durations; /* of calls */
	bool relative;	/* seconds since the line before */
	enum live_trace_clock clock;
	enum live_trace_counting counting;
	bool quiet;	 /* nothing about processes that are attached to and let go */
	bool quiet_ends; /* no lines for ends that are ordinary */
	bool one_core;	 /* program and tracer share a core: stops are ten times cheaper */
};

struct live_trace_result {
	bool ended;	/* the program that was run has ended */
	int status;	/* then: its wait status */
	int stopped_by; /* the signal that ended the tracing before; else 0 */
};

/* Traces until everything traced has ended, or SIGINT, SIGTERM, SIGHUP or SIGQUIT asks for an end:
 * then what was attached to is let go, and a program that was run gets that signal. With an
 * `output`, a program that was run keeps those of a terminal to itself, as under strace. Handlers
 * of these signals are this function's while it runs. */
struct error *live_trace(const struct live_trace_options *options,
			 struct live_trace_result *result);

#endif
