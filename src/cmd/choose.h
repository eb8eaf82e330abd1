/* Which process of a recording a command is about. */
#ifndef WARP_CMD_CHOOSE_H
#define WARP_CMD_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"

struct choice {
	uint32_t process;
	uint64_t event;
};

/* The first process that executes a program of that name (its path, or the last part of it), and
 * the event at which it does. */
struct error *choose_by_program(const char *directory, const char *name, struct choice *out);
/* The process of the task that the event is of; UINT64_MAX: the last event that can be read. */
struct error *choose_by_event(const char *directory, uint64_t event, struct choice *out);
/* Reads the recording to its end, unless it has more than `most` bytes. *damage: NULL, or one
 * sentence (the caller's). */
struct error *choose_look_for_damage(const char *directory, uint64_t most, char **damage);

/* An error that names those there are if the recording has no such process. Replays nothing. */
struct error *choose_check_process(const char *directory, uint32_t process);

/* An event as users name it: its number, from 1 on, or END (UINT64_MAX). False: it is none. */
bool choose_parse_event(const char *text, uint64_t *event);
/* A process's number. False: it is none. */
bool choose_parse_process(const char *text, uint32_t *process);

#endif
