/* The framing of gdb's remote protocol ("Remote Protocol" in gdb's manual): packets in a stream of
 * bytes, and reading what is in one. Pure code over buffers; nothing of what comes in is
 * believed. */
#ifndef WARP_GDB_PACKET_H
#define WARP_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/vec.h"

/* No packet is longer between its '$' and its '#', as it comes over the wire. Announced as
 * PacketSize. */
#define GDB_PACKET_MAX 0x20000

enum gdb_input {
	GDB_IN_NOTHING, /* all bytes are used up, and no packet is complete */
	GDB_IN_PACKET,	/* framer->packet holds one, with escapes and repetitions expanded */
	GDB_IN_BROKEN,	/* there was one that is too long or whose checksum is wrong */
	GDB_IN_INTERRUPT,
	GDB_IN_ACK,
	GDB_IN_RESEND, /* the other side wants the last packet again */
};

/* All zeros is a framer between packets. */
struct gdb_framer {
	struct bytes raw;    /* as it came */
	struct bytes packet; /* complete */
	int state;
	uint8_t sum, given;
	bool too_long;
};

void gdb_framer_deinit(struct gdb_framer *framer);
/* Takes bytes until something is complete; *used says how many. */
enum gdb_input gdb_framer_feed(struct gdb_framer *framer, const uint8_t *bytes, size_t length,
			       size_t *used);
/* Appends a whole packet with this content to `out`: escaped, repetitions shortened, checksum. */
void gdb_frame(const struct bytes *content, struct bytes *out);

/* ---- what is in a packet ---- */

/* A place in a packet. Reading what is not there moves nothing and gives false. */
struct gdb_cursor {
	const uint8_t *at, *end;
};

/* Exactly this text. */
bool gdb_take(struct gdb_cursor *cursor, const char *text);
/* A number in hexadecimal digits, of up to 64 bits. */
bool gdb_take_hex(struct gdb_cursor *cursor, uint64_t *value);
/* Pairs of hexadecimal digits up to their end; appends the bytes. */
void gdb_take_bytes(struct gdb_cursor *cursor, struct bytes *out);
/* The same, as a text up to 4095 characters without NUL; the caller's. NULL if it is none. */
char *gdb_take_text(struct gdb_cursor *cursor);
bool gdb_at_end(const struct gdb_cursor *cursor);

#define GDB_ANY	  0u
#define GDB_EVERY UINT32_MAX

/* A thread id: "1f", "p1f.20", "p1f", "-1", "0". Without a process, *pid is GDB_ANY. */
struct gdb_thread {
	uint32_t pid, tid;
};

bool gdb_take_thread(struct gdb_cursor *cursor, struct gdb_thread *thread);

void gdb_put_hex(struct bytes *out, const void *bytes, size_t length);

#endif
