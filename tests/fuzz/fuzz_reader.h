/* The inputs of fuzz_reader, which make_corpus.c writes too. */
#ifndef WARP_TESTS_FUZZ_READER_H
#define WARP_TESTS_FUZZ_READER_H

#include <stdint.h>

#define FUZZ_GROUPS 3u

enum fuzz_action {
	FUZZ_META,   /* flags: added to the version; group: features; bytes: fields */
	FUZZ_EVENTS, /* bytes: events of one frame */
	FUZZ_DATA,   /* bytes: one frame */
	FUZZ_FILES,  /* bytes: one record */
	FUZZ_RAW,    /* flags: which stream; bytes at its end */
	FUZZ_CUT,    /* flags: which stream; bytes: by how much */
	FUZZ_ACTIONS
};

enum fuzz_flags {
	FUZZ_OWN_HEADER = 1, /* the frame's header is in the bytes; data: of any length */
};

struct fuzz_step {
	uint8_t action, flags, group, reserved;
	uint32_t length; /* bytes that follow; as far as there are */
};

#endif
