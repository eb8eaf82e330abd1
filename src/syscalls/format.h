/* Printing with both states of memory known; sc_format() of syscalls.h is the simple form. */
#ifndef WARP_SYSCALLS_FORMAT_H
#define WARP_SYSCALLS_FORMAT_H

#include "syscalls/syscalls.h"

/* As sc_format(), where `entry` shows memory as it was when the call was made and `memory` as it is
 * now. Only so can an ended call show what it overwrote itself: the sets of select(2), the length
 * that accept(2) was given, the arguments of an execve(2) that replaced the memory they stood in.
 * `entry` may be NULL: then those show what `memory` holds. */
void sc_format_from(FILE *out, const struct sc_row *row, const struct sc_call *call,
		    const struct sc_memory *entry, const struct sc_memory *memory);

#endif
