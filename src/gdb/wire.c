/* A connection to a client.
 *
 * Invariants: bytes are read only when the framer has seen all before; once `gone`, nothing is read
 * or written. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gdb/wire.h"
#include "util/os.h"

void gdb_wire_init(struct gdb_wire *wire, int in, int out, int listener)
{
	*wire = (struct gdb_wire){.in = in, .out = out, .listener = listener, .acks = true};
}

void gdb_wire_deinit(struct gdb_wire *wire)
{
	gdb_framer_deinit(&wire->framer);
	vec_deinit(&wire->last);
}

static void put(struct gdb_wire *wire, const void *bytes, size_t length)
{
	if (!wire->gone && os_write_all(wire->out, bytes, length))
		wire->gone = true;
}

void gdb_wire_send(struct gdb_wire *wire, const struct bytes *content)
{
	vec_clear(&wire->last);
	gdb_frame(content, &wire->last);
	put(wire, wire->last.items, wire->last.count);
}

/* There is one client: a second is told so by the end of its connection. */
static void refuse(int listener)
{
	int other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (other >= 0)
		close(other);
}

/* Waits for bytes; false if there are none within the time (-1: for ever). */
static bool wait_for_input(struct gdb_wire *wire, int timeout_ms)
{
	for (;;) {
		struct pollfd fds[] = {{wire->in, POLLIN, 0}, {wire->listener, POLLIN, 0}};
		int ready = poll(fds, 2, timeout_ms);

		if (ready < 0 && errno != EINTR)
			return true; /* reading will tell */
		if (ready > 0 && fds[1].revents)
			refuse(wire->listener);
		if (ready > 0 && fds[0].revents)
			return true;
		if (timeout_ms >= 0 && ready <= 0)
			return false;
	}
}

static void fill(struct gdb_wire *wire)
{
	ssize_t got;

	do
		got = read(wire->in, wire->buffer, sizeof(wire->buffer));
	while (got < 0 && errno == EINTR);
	wire->at = 0;
	wire->filled = got > 0 ? (size_t)got : 0;
	wire->gone = got <= 0;
}

/* The next complete thing in what was read. */
static enum gdb_input scan(struct gdb_wire *wire)
{
	size_t used;
	enum gdb_input input = gdb_framer_feed(&wire->framer, wire->buffer + wire->at,
					       wire->filled - wire->at, &used);

	wire->at += used;
	return input;
}

enum gdb_arrival gdb_wire_next(struct gdb_wire *wire)
{
	while (!wire->gone) {
		switch (scan(wire)) {
		case GDB_IN_NOTHING:
			wait_for_input(wire, -1);
			fill(wire);
			break;
		case GDB_IN_PACKET:
			if (wire->acks)
				put(wire, "+", 1);
			return GDB_ARRIVED_PACKET;
		case GDB_IN_BROKEN:
			if (wire->acks)
				put(wire, "-", 1);
			break;
		case GDB_IN_INTERRUPT:
			return GDB_ARRIVED_INTERRUPT;
		case GDB_IN_RESEND:
			if (wire->acks)
				put(wire, wire->last.items, wire->last.count);
			break;
		case GDB_IN_ACK:
			break;
		}
	}
	return GDB_ARRIVED_NOTHING_MORE;
}

bool gdb_wire_wants_stop(struct gdb_wire *wire)
{
	for (;;) {
		if (wire->gone)
			return true;
		if (wire->at == wire->filled) {
			if (!wait_for_input(wire, 0))
				return false;
			fill(wire);
			continue;
		}
		uint8_t c = wire->buffer[wire->at];

		if (c != '+' && c != '-' && c != 3)
			return true;
		wire->at++;
		if (c == 3)
			return true;
	}
}
