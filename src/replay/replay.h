/* Replaying a recording: the interface of src/replay. */
#ifndef WARP_REPLAY_REPLAY_H
#define WARP_REPLAY_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct replay_options {
	const char *directory; /* of the recording */
	bool quiet;	       /* do not echo what the program wrote */
	bool progress;	       /* a bar on standard error */
};

struct replay_result {
	bool ended;	 /* the recording's end was reached, else it was cut... */
	bool damaged;	 /* ...or something is wrong in its middle */
	int status;	 /* if ended: the recorded wait status of the program */
	uint64_t last;	 /* number of the last event replayed */
	int interrupted; /* the signal by which the user ended it, or 0: the error says where */
	char *shortfall; /* if not ended: why, one sentence; the caller's */
};

/* Replays the whole recording, comparing registers and the memory that calls read; blocks until its
 * end. Writes the program's output to descriptors 1 and 2 unless quiet. A divergence is an error of
 * kind ERROR_DIVERGED whose text has several lines. Leaves no process behind. */
struct error *replay_recording(const struct replay_options *options, struct replay_result *result);

/* A frame of a replayed task's stack. Texts are as the program's files have them, which may be
 * hostile, and are valid during the call only. */
struct replay_frame {
	unsigned number; /* 0: the innermost */
	uint64_t pc;
	const char *name;  /* of the function, or NULL */
	uint64_t offset;   /* in it */
	const char *file;  /* its path as recorded, or NULL */
	unsigned repeated; /* the frame before this one is there so many times more */
};

typedef void (*replay_frame_fn)(void *context, const struct replay_frame *frame);

#endif
