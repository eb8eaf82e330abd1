/* System calls as members of a JSON object: the same for a recording and for a live process. */
#ifndef WARP_SYSCALLS_FORMAT_JSON_H
#define WARP_SYSCALLS_FORMAT_JSON_H

#include "syscalls/syscalls.h"
#include "util/json.h"

/* Bytes of a buffer or string that are shown. */
#define SC_JSON_TEXT_MAX 4096

/* The member "args": an array with an object for each argument: its "name", its "value", and
 * "text", the bytes that a pointer to a string or buffer points at (with their "length" where that
 * is more). `row` may be NULL. `entry` shows memory as it was when the call was made, `memory` as
 * it is now. */
void sc_json_args(struct json *json, const struct sc_row *row, const struct sc_call *call,
		  const struct sc_memory *entry, const struct sc_memory *memory);
/* The members "result" and, after a failure, "errno"; nothing if the call has not ended. */
void sc_json_result(struct json *json, const struct sc_row *row, const struct sc_call *call);

#endif
