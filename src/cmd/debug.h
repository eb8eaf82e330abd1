/* warp replay without -a: a debugger on a recording. */
#ifndef WARP_CMD_DEBUG_H
#define WARP_CMD_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

#include "gdb/gdb.h"

struct debug_request {
	const char *directory; /* of the recording */
	bool quiet;
	uint32_t process;      /* 0: the one that executes `program`, or the first */
	const char *program;   /* path, or its last part; or NULL */
	bool at_program;       /* begin where it executes that (and `event` is 0) */
	uint64_t event;	       /* to begin at; 0: at the process's beginning */
	bool process_of_event; /* if no process is named: the one whose event it is */
	const char *serve;     /* where to wait for a client; NULL: start a debugger */
	struct gdb_debugger debugger;
};

/* Returns the exit status. */
int cmd_debug(const struct debug_request *request);

#endif
