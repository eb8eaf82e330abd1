/* Recording a program: the interface of src/record. */
#ifndef WARP_RECORD_RECORD_H
#define WARP_RECORD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct rec_session;

/* When tasks that compute are interrupted. Zeros: the default of each. */
struct record_timing {
	uint64_t slice_ns;    /* a thread's turn while others are ready (20 ms) */
	uint64_t patience_ns; /* how long a signal waits for a system call (5 ms) */
	bool chaos;	      /* turns and places by chance... */
	uint64_t seed;	      /* ...from here on */
	bool no_sites;	      /* the program's code is not changed: see docs/warp-record.1 */
	bool agent;	      /* calls are made in it without a stop; without those two only */
	bool hash_states;     /* for tests: the truth is recorded at each place between events */
};

struct record_options {
	char *const *argv;     /* program and arguments, NULL-terminated */
	const char *directory; /* of the recording: must not exist; NULL: the default place */
	struct record_timing timing;
};

struct record_result {
	int status;	 /* wait status of the program */
	char *directory; /* of the recording; the caller's */
};

/* Runs the program and records it and all its descendants; returns when the last of them has
 * ended. Blocks meanwhile; pins the calling process to one CPU; SIGTERM, SIGHUP, SIGINT and SIGQUIT
 * sent to the caller by kill(2) are passed on to the program, those of a terminal reach it by
 * themselves. On error
 * nothing of the program is left running. */
struct error *record_program(const struct record_options *options, struct record_result *result);

/* The loop, until no task is left. */
struct error *rec_run(struct rec_session *s);

#endif
