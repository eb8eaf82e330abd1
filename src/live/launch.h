/* A tool that runs one program and ends as it does: what watch and intercept have in common. */
#ifndef WARP_LIVE_LAUNCH_H
#define WARP_LIVE_LAUNCH_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "expr/expr.h"
#include "live/engine.h"

struct launch {
	struct engine *engine; /* the tool's */
	FILE *out;	       /* where the tool's lines go */
	pid_t pid;	       /* the program; 0: not started yet */
	bool ended;
	int status; /* its wait status, if it has ended */

	/* ---- of launch.c ---- */
	struct sigaction before[4], pipe;
	cpu_set_t allowed;
	bool signals_taken;
};

struct launch_options {
	char *const *argv;
	/* What may match stops, by a seccomp program; NULL: `wants` says what stops. */
	const struct expr *const *exprs;
	size_t expr_count;
	unsigned wants; /* enum live_want */
	bool show_exec; /* the hooks see the exec that starts the program */
	bool one_core;	/* program and tracer share one, which the program can see */
};

/* A filter for engine_spawn: what may match stops, and what may install seccomp rules of the
 * program's own, from when on all calls stop. */
struct error *launch_filter(const struct expr *const *exprs, size_t count, struct expr_code *code);
bool launch_sets_rules(const struct sc_call *call);
/* Opens `output` for the tool's lines, standard error if it is NULL. Programs do not inherit it. */
struct error *launch_open(struct launch *launch, const char *output);
/* Starts the program. From now on, signals that are sent to us go to it. The tool then calls
 * engine_run. */
struct error *launch_start(struct launch *launch, const struct launch_options *options);
/* For the hook new_task: it may come, and the program be let go, before launch_start returns. */
void launch_new_task(struct launch *launch, const struct live_task *task, enum live_birth birth);
/* For the hook process_ended. */
void launch_process_ended(struct launch *launch, const struct live_process *process, int status);
/* When there are no targets any more: waits for the program's end if it was let go, gives signals
 * and cores back, closes the output. An error if not all lines could be written. */
struct error *launch_finish(struct launch *launch, const char *output);

#endif
