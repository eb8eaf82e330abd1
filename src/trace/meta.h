/* What a recording says about itself: the file `meta`. */
#ifndef WARP_TRACE_META_H
#define WARP_TRACE_META_H

#include <stdint.h>

#include "abi/trace_abi.h"
#include "util/error.h"
#include "util/vec.h"

struct trace_texts vec(char *);
struct trace_cpuids vec(struct trace_meta_cpuid);

/* Owns every text; a text that is not known is NULL. */
struct trace_meta {
	char *writer;	  /* program and version that wrote it */
	char *machine;	  /* uname -m */
	char *kernel;	  /* uname's release and version */
	char *host;	  /* uname -n */
	char *executable; /* path of the program, as found */
	char *directory;  /* working directory */
	struct trace_texts command;
	struct trace_texts environment;
	struct trace_cpuids cpuids;
	struct trace_meta_numbers numbers;
};

/* Fills in what the running system tells: writer, machine, kernel, host, directory, page size and
 * the time; the rest is empty. trace_meta_deinit() frees it. */
void trace_meta_init_host(struct trace_meta *meta);
/* Frees the texts and lists; the structure itself is the caller's. All zeros is fine. */
void trace_meta_deinit(struct trace_meta *meta);

/* Appends copies of the texts of a NULL-terminated array, such as argv or environ. */
void trace_texts_append(struct trace_texts *texts, char *const *from);

/* Writes `meta` into the directory, under a temporary name which is then renamed. `name` is the
 * directory's path for error texts. */
struct error *trace_meta_write(int directory, const char *name, const struct trace_meta *meta);
/* Reads `meta` of the directory into *meta (to be freed with trace_meta_deinit(), only after
 * success). Refuses, one sentence each: no such file, a foreign file, another version, unknown
 * features, a truncated or damaged file. */
struct error *trace_meta_read(int directory, const char *name, struct trace_meta *meta);

#endif
