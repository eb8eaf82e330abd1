/* The events around a place, for whoever looks at a replay. */
#ifndef WARP_CMD_EVENTS_H
#define WARP_CMD_EVENTS_H

#include "gdb/gdb.h"

/* Prints what the listing asks for, one event a line, as warp dump does; "=>" marks the one that
 * the replay has reached. */
struct error *cmd_list_events(const struct gdb_listing *listing, FILE *out);

#endif
