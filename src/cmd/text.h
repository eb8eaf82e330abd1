/* How the commands that show recordings write things. Recordings come from strangers: no byte of a
 * text in one reaches the terminal as a control character. */
#ifndef WARP_CMD_TEXT_H
#define WARP_CMD_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "trace/meta.h"
#include "trace/reader.h"
#include "util/error.h"

/* The bytes between double quotes, as C would write them. */
void text_put_quoted(FILE *out, const void *bytes, size_t length);
/* A text up to its NUL, escaped in the same way, without the quotes around it. */
void text_put_plain(FILE *out, const char *text);
/* A word as a shell (bash) would read it again. */
void text_put_word(FILE *out, const char *word);
/* The words of a command as one line that a shell (bash) would split into them again. */
void text_put_command(FILE *out, const struct trace_texts *words);
/* "exited with 0", "killed by SIGSEGV (core dumped)", from a wait status. */
void text_put_end(FILE *out, int64_t status);
/* "12.3 MB", from bytes, in decimal units. */
void text_put_size(FILE *out, uint64_t bytes);
/* "2026-01-31 15:04:05" in local time, from nanoseconds since 1970; "?" if there is no such
 * year. */
void text_put_date(FILE *out, int64_t realtime_ns);

/* Flushes standard output: what was printed has arrived, or the error says why not. */
struct error *text_finish(void);

/* For _cleanup_(). */
static inline void text_close_reader(struct trace_reader **reader)
{
	trace_reader_destroy(*reader);
}

/* What is wrong with a recording that was read to its end, or NULL. One that was cut short is not
 * damaged. */
struct error *text_damage(const struct trace_reader *reader);

#endif
