/* The contents of mapped files, kept once each: the stream `files` and the directory files.d.
 *
 * A file's record and contents are written before trace_files_add*() return, so that they are
 * there before any event that refers to them. */
#ifndef WARP_TRACE_FILES_H
#define WARP_TRACE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "abi/trace_abi.h"
#include "util/error.h"

/* ---- writing; trace_writer_files() gives the recording's ---- */

struct trace_files_writer;

/* Makes `files` and files.d in an open directory, which must outlive it. `name`: its path, for
 * error texts. */
struct error *trace_files_writer_create(int directory, const char *name,
					struct trace_files_writer **out);
/* Removes what is left of a file that could not be kept. */
void trace_files_writer_tidy(struct trace_files_writer *files);
void trace_files_writer_destroy(struct trace_files_writer *files);

/* Keeps the contents that the regular file `fd` (open for reading; its offset is moved) has now, as
 * a reflink where the file system can, else as a copy. `path`: its name as the tracee knows it, at
 * most TRACE_FILE_PATH bytes are kept. `status`: its fstat(2). `flags`: enum trace_file_flags. Sets
 * *id.
 *
 * The same inode with the same size and times gives the same id as before, and new flags are added
 * to the old ones. A file whose inode was seen before, but whose contents changed, is a new id.
 * (A change within the tick of the file system's clock is noticed: such files are read again.)
 * Changes made through shared mappings need not change the times: they are the caller's to record,
 * as TRACE_EV_FILE_WRITE. */
struct error *trace_files_add(struct trace_files_writer *files, int fd, const char *path,
			      const struct stat *status, uint32_t flags, uint32_t *id);
/* The same for contents that are memory (SysV shared memory). Device and inode identify nothing
 * here: always a new id. */
struct error *trace_files_add_bytes(struct trace_files_writer *files, const void *bytes,
				    size_t length, const char *path, uint32_t flags, uint32_t *id);
/* Only the name and what fstat(2) says; its contents are not kept (hash 0). */
struct error *trace_files_add_name(struct trace_files_writer *files, const char *path,
				   const struct stat *status, uint32_t flags, uint32_t *id);
/* Adds flags to those of a file added before. */
struct error *trace_files_add_flags(struct trace_files_writer *files, uint32_t id, uint32_t flags);

/* ---- reading; trace_reader_files() gives the recording's ---- */

struct trace_files;

/* Reads the stream `files` of an open directory, which must outlive it. A stream that is damaged
 * or cut short gives the files before that; `*damage` then is the text why, to be freed by the
 * caller, else NULL. */
struct error *trace_files_load(int directory, const char *name, struct trace_files **out,
			       char **damage);
void trace_files_destroy(struct trace_files *files);

/* The stream ends within a record. */
bool trace_files_torn(const struct trace_files *files);
/* Looks whether the contents that were kept are there, by their names and sizes. NULL, or what is
 * wrong with the first that is not (the caller's). */
char *trace_files_missing(const struct trace_files *files);
uint32_t trace_files_count(const struct trace_files *files);
/* NULL for an id that the recording does not have. The files' own until trace_files_destroy(). */
const struct trace_file *trace_files_get(const struct trace_files *files, uint32_t id);
/* The name in the tracee ("" if it has none); NULL for an unknown id. */
const char *trace_files_path(const struct trace_files *files, uint32_t id);
/* Opens the kept contents for reading: *fd is the caller's. Fails if there are none, or fewer
 * bytes than recorded. They can be more: use the record's size. */
struct error *trace_files_open(const struct trace_files *files, uint32_t id, int *fd);
/* True if contents were kept. */
bool trace_file_has_contents(const struct trace_file *file);

#endif
