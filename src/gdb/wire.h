/* A connection to a client: packets over two descriptors, and turning away whoever else comes. */
#ifndef WARP_GDB_WIRE_H
#define WARP_GDB_WIRE_H

#include "gdb/packet.h"

enum gdb_arrival {
	GDB_ARRIVED_PACKET,
	GDB_ARRIVED_INTERRUPT,
	GDB_ARRIVED_NOTHING_MORE, /* the client is gone */
};

struct gdb_wire {
	int in, out;  /* may be the same; borrowed */
	int listener; /* or -1 */
	bool acks;    /* the protocol begins with them */
	bool gone;
	struct gdb_framer framer;
	struct bytes last; /* as it was sent */
	size_t at, filled; /* of buffer, what the framer has not seen */
	uint8_t buffer[4096];
};

void gdb_wire_init(struct gdb_wire *wire, int in, int out, int listener);
void gdb_wire_deinit(struct gdb_wire *wire);
/* Blocks. The packet is in wire->framer.packet until the next call. */
enum gdb_arrival gdb_wire_next(struct gdb_wire *wire);
/* Blocks until the system has taken it. */
void gdb_wire_send(struct gdb_wire *wire, const struct bytes *content);
/* While the program runs for it, a client sends nothing but an interrupt. Has it, or is it gone?
 * Does not block; an interrupt is used up. */
bool gdb_wire_wants_stop(struct gdb_wire *wire);

#endif
