/* warp replay without -a: a debugger on a recording. */
#ifndef WARP_CMD_DEBUG_H
#define WARP_CMD_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

#include "gdb/gdb.h"

struct debug_request {
	const char *directory; /* of the recording */
	bool quiet;
	uint32_t process;    /* 0: the one that executes `program`, or the first */
	const char *program; /* path, or its last part; or NULL */
	uint64_t event;	     /* to begin at; 0: at the process's beginning */
	const char *serve;   /* where to wait for a client; NULL: start a debugger */
	struct gdb_debugger debugger;
};

/* Returns the exit status. */
int cmd_debug(const struct debug_request *request);

#endif
