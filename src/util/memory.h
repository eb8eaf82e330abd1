/* Reading somebody's memory: a live tracee's or a recording's. What decodes memory takes one of
 * these and does not know which. */
#ifndef WARP_UTIL_MEMORY_H
#define WARP_UTIL_MEMORY_H

#include <stddef.h>

#include "util/taddr.h"

/* Arguments of a system call, on every architecture of Linux. */
#define SC_ARGS 6

/* `read` returns how many bytes could be read from `addr` on (0 if none). It does not fail
 * otherwise. */
struct sc_memory {
	size_t (*read)(void *context, taddr addr, void *to, size_t length);
	void *context;
};

#endif
