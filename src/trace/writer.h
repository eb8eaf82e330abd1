/* Writing a recording. One thread (the recorder) calls these; a thread of the writer's own
 * compresses and writes.
 *
 * An event is built by adding data records to its group, in the order in which they shall be read,
 * and then committing it:
 *
 *	void *room = trace_writer_datum_reserve(writer, group, TRACE_D_MEMORY, addr, length);
 *	trace_writer_datum_trim(writer, read_tracee(room, length));
 *	trace_writer_commit(writer, group, &event);
 *
 * What was committed is on disk at most about 0.2 s (and the time the disk takes) later, even if
 * nothing more is committed; memory is bounded: the calls wait when the disk is slower. After a
 * failure of the disk they go on without doing anything: ask trace_writer_check() now and then. */
#ifndef WARP_TRACE_WRITER_H
#define WARP_TRACE_WRITER_H

#include <sched.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/trace_abi.h"
#include "trace/files.h"
#include "trace/meta.h"
#include "util/error.h"
#include "util/taddr.h"

struct trace_writer;

/* Reservations up to this length go to their place directly; longer ones through a buffer of their
 * own. Who copies much memory does so in pieces of this length: one record each. */
#define TRACE_WRITER_PIECE (256u << 10)

/* Makes the directory (which must not exist; place.h makes the directories above it), `meta`,
 * `files` and files.d, and starts the thread, on the CPUs of `cpus` (NULL: those of the caller).
 * The thread blocks all signals. */
struct error *trace_writer_create(const char *directory, const struct trace_meta *meta,
				  const cpu_set_t *cpus, struct trace_writer **out);
/* The same in an empty directory that exists, such as trace_place_make() returned. */
struct error *trace_writer_create_in(const char *directory, const struct trace_meta *meta,
				     const cpu_set_t *cpus, struct trace_writer **out);

/* Appends a record to the event being built in `group` (any number; small ones are cheaper). More
 * than TRACE_DATUM_MAX bytes become several records, each with its own addr. */
void trace_writer_datum(struct trace_writer *writer, unsigned group, uint32_t kind, taddr addr,
			const void *bytes, size_t length);
/* The same with flags (of struct trace_datum). */
void trace_writer_datum_flags(struct trace_writer *writer, unsigned group, uint32_t kind,
			      uint32_t flags, taddr addr, const void *bytes, size_t length);
/* Appends a record whose bytes the caller puts into the room returned, before any other call with
 * this writer. Never NULL; not zeroed; aligned to 8. */
void *trace_writer_datum_reserve(struct trace_writer *writer, unsigned group, uint32_t kind,
				 taddr addr, size_t length);
/* Shortens the record just reserved to its first `length` bytes; 0 removes it. */
void trace_writer_datum_trim(struct trace_writer *writer, size_t length);
/* Forgets the data records of the event being built in `group`: there will be no event. */
void trace_writer_abandon(struct trace_writer *writer, unsigned group);

/* Appends the event, with the records added to its group since the last one; number and data_* are
 * filled in here. Returns its number: they count from 1, over all groups. */
uint64_t trace_writer_commit(struct trace_writer *writer, unsigned group,
			     const struct trace_event *event);
/* Number of the last event committed; 0: none yet. */
uint64_t trace_writer_last(const struct trace_writer *writer);

/* The group has ended: writes what it has and releases its buffers. */
void trace_writer_group_end(struct trace_writer *writer, unsigned group);

/* The mapped files. Owned by the writer. */
struct trace_files_writer *trace_writer_files(struct trace_writer *writer);

/* NULL, or why the recording cannot be continued (disk full): a new error at each call. */
struct error *trace_writer_check(struct trace_writer *writer);
/* Writes everything and ends the thread; nothing can be written any more. The last event should
 * have been a TRACE_EV_END. */
struct error *trace_writer_finish(struct trace_writer *writer);
/* Instead of that where recording failed: finishes, and leaves a note of why for readers. */
void trace_writer_stop(struct trace_writer *writer, int errnum);
/* Finishes if that was not done, and frees. NULL is fine. The directory stays. */
void trace_writer_destroy(struct trace_writer *writer);

#endif
