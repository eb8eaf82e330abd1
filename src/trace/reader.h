/* Reading a recording: the events of all groups, in the order of their numbers, with their data.
 *
 * Recordings come from strangers. What is handed out has been checked: hashes; that numbers are
 * consecutive; that an event's kind is known and its data records are there, of known kinds and
 * with the lengths their structures have (TRACE_D_MAPPING and TRACE_D_TASK: one structure;
 * TRACE_D_REGS: TRACE_REGS words; TRACE_D_STATE_HASH, TRACE_D_STACK_LIMIT: one word); that mapped
 * files which events name are held. What they mean otherwise (addresses, register values) has
 * not. Opening and reading write nothing. */
#ifndef WARP_TRACE_READER_H
#define WARP_TRACE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/trace_abi.h"
#include "trace/files.h"
#include "trace/meta.h"
#include "util/error.h"
#include "util/taddr.h"

struct trace_reader;

enum trace_state {
	TRACE_COMPLETE, /* ends with TRACE_EV_END */
	TRACE_CUT,	/* ends after the last whole block: the recorder was killed */
	TRACE_DAMAGED,	/* something is wrong before the end: see trace_reader_damage() */
};

/* Refuses, with one sentence each, what is no recording, of another version, truncated or empty: a
 * sound one that has no events yet with the os_errno ENODATA. */
struct error *trace_reader_open(const char *directory, struct trace_reader **out);
/* NULL is fine. */
void trace_reader_destroy(struct trace_reader *reader);

/* Owned by the reader. */
const struct trace_meta *trace_reader_meta(const struct trace_reader *reader);

/* Gives the next event, or *end = true when there is none that can be used: then
 * trace_reader_state() and trace_reader_damage() say why. The error is for failures of this
 * system (cannot open a file), not of the recording. */
struct error *trace_reader_next(struct trace_reader *reader, struct trace_event *event, bool *end);
/* Group of the event that trace_reader_next() gave last. */
unsigned trace_reader_group(const struct trace_reader *reader);

struct trace_datum_view {
	uint32_t kind; /* enum trace_datum_kind */
	uint32_t flags;
	taddr addr;
	uint64_t length;   /* at most TRACE_DATUM_MAX */
	const void *bytes; /* aligned to 8 */
};

/* Gives the next data record of the event that trace_reader_next() gave last, or *end = true. The
 * bytes are valid until the next call with this reader. */
struct error *trace_reader_datum(struct trace_reader *reader, struct trace_datum_view *view,
				 bool *end);
/* Begins again at the event's first record. */
void trace_reader_rewind(struct trace_reader *reader);
/* The event's first record of that kind, or view->bytes = NULL if there is none. Does not move
 * trace_reader_datum(); the bytes are valid as long as its. */
struct error *trace_reader_find(struct trace_reader *reader, uint32_t kind,
				struct trace_datum_view *view);

/* The next event given will be that one. False (and nothing moves) if the recording has none with
 * that number. Damage before it is not noticed. */
bool trace_reader_seek(struct trace_reader *reader, uint64_t number);

/* What is known so far: damage may come to light only when its place is read. */
enum trace_state trace_reader_state(const struct trace_reader *reader);
/* NULL, or one sentence: where the damage is and up to which event the recording can be used.
 * Owned by the reader; known once trace_reader_next() has reached the place. */
const char *trace_reader_damage(const struct trace_reader *reader);

/* 0, or the errno value for which recording stopped, before the program had ended. */
int trace_reader_stopped(const struct trace_reader *reader);

/* From the frames' headers, without reading the events. */
struct trace_counts {
	uint64_t events;      /* in whole frames */
	uint64_t last;	      /* the highest number; with gaps (cut, damaged) more than `events` */
	uint64_t bytes;	      /* on disk: streams, meta and kept contents (shared ones once) */
	uint64_t duration_ns; /* time of the last event */
	unsigned groups;
	uint32_t files;
};

void trace_reader_counts(struct trace_reader *reader, struct trace_counts *counts);

/* The mapped files; owned by the reader. */
const struct trace_files *trace_reader_files(const struct trace_reader *reader);
/* Short forms of trace_files_get(), _path() and _open(). */
const struct trace_file *trace_reader_file(const struct trace_reader *reader, uint32_t id);
const char *trace_reader_file_path(const struct trace_reader *reader, uint32_t id);
struct error *trace_reader_file_open(const struct trace_reader *reader, uint32_t id, int *fd);

#endif
