/* Where a server listens. */
#ifndef WARP_GDB_LISTEN_H
#define WARP_GDB_LISTEN_H

#include "util/error.h"

struct gdb_listener {
	int fd;
	char *path;  /* of a unix socket: removed in the end; else NULL */
	char *shown; /* as it is given to gdb */
};

/* "unix:PATH", "HOST:PORT", ":PORT". A path that is there already is refused. */
struct error *gdb_listen(const char *address, struct gdb_listener *out);
/* Removes the socket, too. */
void gdb_listener_deinit(struct gdb_listener *listener);
/* Waits for a client, or for input on `other` (-1: none): *client is -1 then. */
struct error *gdb_accept(const struct gdb_listener *listener, int other, int *client);

#endif
