/* How the commands that show threads write registers. */
#ifndef WARP_CMD_REGISTERS_H
#define WARP_CMD_REGISTERS_H

#include <stdio.h>

#include "arch/arch.h"
#include "util/json.h"

/* Lines of names and values; of those of the flavors (bits of enum arch_flavor). */
void registers_put(FILE *out, const struct arch_state *state, unsigned flavors);
/* The members "registers" and "meaning" of an object. */
void registers_put_json(struct json *json, const struct arch_state *state, unsigned flavors);

#endif
