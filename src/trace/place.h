/* Where recordings are: the default place, their names, the link `latest`. */
#ifndef WARP_TRACE_PLACE_H
#define WARP_TRACE_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"
#include "util/vec.h"

/* The default place: $WARP_TRACE_DIR, else $XDG_DATA_HOME/warp, else $HOME/.local/share/warp (home
 * of the password file without $HOME). A relative $XDG_DATA_HOME is ignored, as the XDG base
 * directory specification says. *path is the caller's. */
struct error *trace_place_default(char **path);

/* Makes the default place where missing, and in it a new, empty directory PROGRAM-N, PROGRAM being
 * the last part of `program`, N the first number from 0 that is free. *path is the caller's: for
 * trace_writer_create_in(). Two at the same time get different ones. */
struct error *trace_place_make(const char *program, char **path);
/* Lets `latest` in the default place point at the recording `path` (atomically) if it is there;
 * does nothing for one elsewhere. */
struct error *trace_place_set_latest(const char *path);

/* The directory that the user means: a path, or the name of one in the default place, or for NULL
 * the latest. *path is the caller's. */
struct error *trace_place_find(const char *argument, char **path);

struct trace_place_entry {
	char *name; /* in the default place */
	char *path;
	int64_t changed_ns; /* its directory's time, for sorting */
	bool in_progress;   /* its recorder is at work */
};

struct trace_place_list vec(struct trace_place_entry);

/* All recordings (directories with a `meta` of ours) in the default place, oldest first; none if
 * the place does not exist. */
struct error *trace_place_list(struct trace_place_list *list);
void trace_place_list_deinit(struct trace_place_list *list);

/* Removes a recording: only if it is one and has nothing in it but what a recording has. Follows no
 * symbolic links. One whose recorder is at work is refused. A `latest` that pointed at it is
 * removed too. */
struct error *trace_place_remove(const char *path);

#endif
