/* Frames and streams, the parts that writer and reader share: one frame is an independent zstd
 * frame behind a struct trace_frame_header; a stream is a file of them. */
#ifndef WARP_TRACE_BLOCK_H
#define WARP_TRACE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi/trace_abi.h"
#include "util/error.h"
#include "util/vec.h"

/* What can be done where a recording cannot be read. */
#define TRACE_ELSEWHERE "copy the recording to another place and try again"

#define TRACE_STREAM_NAME 32

/* The file name of a stream: events.G, data.G, files. */
void trace_stream_name(char name[TRACE_STREAM_NAME], enum trace_stream stream, uint32_t group);

static inline size_t trace_pad8(size_t length)
{
	return (length + 7) & ~(size_t)7;
}

/* ---- writing ---- */

struct trace_encoder {
	void *zstd;
	unsigned char *buffer; /* room for a stream header and a whole frame */
	size_t room;
};

void trace_encoder_init(struct trace_encoder *encoder);
void trace_encoder_deinit(struct trace_encoder *encoder);

struct trace_stream_out {
	enum trace_stream stream;
	uint32_t group;
	off_t length; /* of the file; 0: not made yet */
};

/* What a frame's header says beyond lengths and hashes. */
struct trace_frame_info {
	uint32_t count;
	uint64_t first, last;
};

/* Appends one frame of `length` (1 to TRACE_FRAME_MAX) raw bytes to the stream's file, which is
 * opened for it and closed: recordings can have more streams than a process may have files open.
 * After a failure the file ends where it ended before, as far as that can be had. `name`: path of
 * the directory, for error texts. */
struct error *trace_stream_append(int directory, const char *name, struct trace_stream_out *out,
				  struct trace_encoder *encoder,
				  const struct trace_frame_info *info, const void *raw,
				  size_t length);

/* ---- reading ---- */

struct trace_frame_at {
	off_t body; /* where the compressed bytes begin in the file */
	struct trace_frame_header header;
};

struct trace_frames vec(struct trace_frame_at);

struct trace_stream_in {
	enum trace_stream stream;
	uint32_t group;
	off_t length; /* of the file */
	struct trace_frames frames;
	bool torn;    /* the file ends within a frame: the writer was cut short */
	char *damage; /* NULL, or what is wrong after the last of `frames` */
};

/* Reads the headers of all frames, up to the first that cannot be: all their fields are checked,
 * the bodies are not. A file that does not exist is a stream without frames. Errors are this
 * system's only. */
struct error *trace_stream_scan(int directory, const char *name, enum trace_stream stream,
				uint32_t group, struct trace_stream_in *in);
void trace_stream_in_deinit(struct trace_stream_in *in);

/* Reads a frame's body and decompresses it: *raw (the caller's, malloc'd) has
 * header.raw_length bytes. If the frame is damaged, *raw is NULL and *damage (the caller's) says
 * how. */
struct error *trace_frame_read(int directory, const char *name, const struct trace_stream_in *in,
			       size_t index, unsigned char **raw, char **damage);

#endif
