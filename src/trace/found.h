/* Places that a replay has found by their state, as numbers: the file `found` beside the recording.
 *
 * It belongs to no promise: it may be missing, stale or damaged, and then is as if empty. A number
 * from it is checked at the place it leads to. */
#ifndef WARP_TRACE_FOUND_H
#define WARP_TRACE_FOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/trace_abi.h"
#include "util/vec.h"

struct trace_found_list vec(struct trace_found);

/* Reads the file in the recording's directory; leaves the list empty where there is none that makes
 * sense. The list is the caller's. */
void trace_found_read(const char *directory, struct trace_found_list *list);
/* Replaces it. False, and nothing is changed, where that cannot be: others' recordings need not be
 * writable. */
bool trace_found_write(const char *directory, const struct trace_found_list *list);

#endif
