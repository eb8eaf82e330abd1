/* A timeline under gdb: the server of gdb's remote protocol, and starting gdb on it.
 *
 * A client steers the replay; it sees nothing of this machine but what the recording holds, and
 * nothing is written anywhere. */
#ifndef WARP_GDB_GDB_H
#define WARP_GDB_GDB_H

#include <stdint.h>
#include <stdio.h>

#include "util/error.h"

struct timeline;

/* Which events "monitor events" shows: those of system calls that `expression` matches (NULL: all),
 * up to `most` before and behind event `here`, which is marked. */
struct gdb_listing {
	const char *directory; /* of the recording */
	const char *expression;
	uint64_t here;
	unsigned most;
};

struct gdb_options {
	const char *directory; /* of the recording */
	struct error *(*list_events)(const struct gdb_listing *listing, FILE *out);
};

/* Serves one client after the other, each alone, until one detaches or kills the program.
 * `address`: "unix:PATH" (a new socket, removed in the end), "HOST:PORT", ":PORT" (on the loopback
 * interface; port 0: any), "-": the one on standard input and output, and then what the program
 * prints goes to standard error. Says on standard error where it listens. */
struct error *gdb_serve(struct timeline *timeline, const struct gdb_options *options,
			const char *address);

struct gdb_debugger {
	const char *command; /* a shell's words, to which arguments are added; NULL: gdb */
	const char *script;  /* given to it with -x, or NULL */
	char *const *more;   /* further arguments, NULL-terminated; or NULL */
};

/* Is gdb there, if it is what gdb_launch() would start? Costs nothing: asked before a long
 * replay. */
struct error *gdb_check_debugger(const struct gdb_debugger *debugger);
/* Runs a debugger in the foreground that is connected to the timeline, until it ends: *status is
 * its wait status. */
struct error *gdb_launch(struct timeline *timeline, const struct gdb_options *options,
			 const struct gdb_debugger *debugger, int *status);

#endif
