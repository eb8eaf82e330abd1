/* A process of a recording at an event: threads, registers, stacks, maps. Without a debugger. */
#ifndef WARP_CMD_AT_H
#define WARP_CMD_AT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util/error.h"

struct at_request {
	const char *directory; /* of the recording */
	uint64_t event;	       /* right behind which it is looked at; UINT64_MAX: the last */
	uint32_t process;      /* 0: the one whose event it is */
	bool quiet;	       /* do not echo what the program writes on the way there */
	bool json;
};

/* Replays up to there and tells what there is. */
struct error *cmd_show_at(const struct at_request *request, FILE *out);

#endif
