/* One client on a connection, shared by the ways to get one. */
#ifndef WARP_GDB_SERVE_H
#define WARP_GDB_SERVE_H

#include "gdb/gdb.h"

struct gdb_session;

/* Serves the client on these descriptors (both may be the same) until it is gone. While it does,
 * whoever else connects to `listener` (-1: there is none) is refused. */
void gdb_serve_client(struct gdb_session *s, int in, int out, int listener);

#endif
