/* Finding the moment when a program makes a certain call: warp watch. */
#ifndef WARP_LIVE_WATCH_H
#define WARP_LIVE_WATCH_H

#include "expr/expr.h"
#include "util/taddr.h"

/* How calls are found. What is reported is the same. */
enum watch_method {
	WATCH_BPF,     /* the kernel lets stop what may match */
	WATCH_SYSCALL, /* every call stops */
	WATCH_STEP,    /* every instruction is executed alone */
};

/* What is done when a call was found and has ended. */
enum watch_then {
	WATCH_PRINT,
	WATCH_STOP,  /* the process is let go, stopped */
	WATCH_REGS,  /* the thread's registers are printed */
	WATCH_BREAK, /* a breakpoint is planted; when it is reached, that is printed */
	WATCH_EXEC,  /* `command` is run while the process waits */
	WATCH_GDB,   /* it is let go, and gdb is attached; `command`: more of its arguments */
};

struct watch_options {
	char *const *argv;
	const struct expr *expr;
	enum watch_method method;
	enum watch_then then;
	bool break_from_result; /* break_at is added to the call's result */
	taddr break_at;
	const char *command;
	uint64_t count;	    /* calls after which the watching ends; 0: none */
	const char *output; /* where reports go; NULL: standard error */
};

/* Runs the program and watches it. *status is its wait status. */
struct error *live_watch(const struct watch_options *options, int *status);

#endif
