/* Registers and memory of the process, as the client reads and changes them.
 *
 * Invariant: nothing is changed but in a diversion. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "gdb/session.h"
#include "util/cleanup.h"

#define ALL_FLAVORS (1u << ARCH_GENERAL | 1u << ARCH_FLOAT | 1u << ARCH_VECTOR)

/* As much as fits into a packet, when every byte takes two. */
#define READ_MAX ((GDB_PACKET_MAX - 16) / 2)

bool gdb_get_state(struct gdb_session *s, uint32_t tid, unsigned flavors, struct arch_state *state)
{
	*state = (struct arch_state){.layout = &s->layout};
	return tid && timeline_get_state(s->timeline, tid, flavors, state);
}

static void free_state(struct arch_state *state)
{
	vec_deinit(&state->vector);
}

/* ---- registers ---- */

static bool get_chosen(struct gdb_session *s, struct arch_state *state)
{
	if (gdb_get_state(s, gdb_general_thread(s), ALL_FLAVORS, state))
		return true;
	gdb_refuse(s, ESRCH);
	return false;
}

/* Changes the chosen thread's registers to those of `state`. */
static void put_chosen(struct gdb_session *s, const struct arch_state *state)
{
	if (!gdb_divert(s))
		return;
	if (timeline_put_state(s->timeline, gdb_general_thread(s), ALL_FLAVORS, state))
		gdb_ok(s);
	else
		gdb_refuse(s, EIO);
}

void gdb_put_register(struct gdb_session *s, const struct arch_state *state, unsigned number)
{
	uint8_t value[ARCH_REG_BYTES];
	unsigned length = arch.gdb_get(state, s->features, number, value);

	bytes_format(&s->reply, "%02x:", number);
	gdb_put_hex(&s->reply, value, length);
	bytes_put(&s->reply, ";");
}

void gdb_handle_get_all(struct gdb_session *s, struct gdb_cursor *rest)
{
	struct arch_state state _cleanup_(free_state) = {0};
	uint8_t value[ARCH_REG_BYTES];
	unsigned length;

	if (!get_chosen(s, &state))
		return;
	for (unsigned i = 0; (length = arch.gdb_get(&state, s->features, i, value)); i++)
		gdb_put_hex(&s->reply, value, length);
}

void gdb_handle_set_all(struct gdb_session *s, struct gdb_cursor *rest)
{
	struct arch_state state _cleanup_(free_state) = {0};
	struct bytes values = {0};
	uint8_t old[ARCH_REG_BYTES];
	size_t at = 0;
	unsigned length;

	if (!get_chosen(s, &state))
		return;
	gdb_take_bytes(rest, &values);
	for (unsigned i = 0;
	     (length = arch.gdb_get(&state, s->features, i, old)) && values.count - at >= length;
	     i++, at += length)
		arch.gdb_set(&state, s->features, i, values.items + at);
	vec_deinit(&values);
	put_chosen(s, &state);
}

void gdb_handle_get_one(struct gdb_session *s, struct gdb_cursor *rest)
{
	struct arch_state state _cleanup_(free_state) = {0};
	uint8_t value[ARCH_REG_BYTES];
	uint64_t number;
	unsigned length = 0;

	if (!gdb_take_hex(rest, &number)) {
		gdb_refuse(s, EINVAL);
		return;
	}
	if (!get_chosen(s, &state))
		return;
	if (number < UINT32_MAX)
		length = arch.gdb_get(&state, s->features, (unsigned)number, value);
	if (length)
		gdb_put_hex(&s->reply, value, length);
	else
		gdb_refuse(s, EINVAL);
}

/* "NUMBER=VALUE". One that it has already changes nothing. */
void gdb_handle_set_one(struct gdb_session *s, struct gdb_cursor *rest)
{
	struct arch_state state _cleanup_(free_state) = {0};
	struct bytes value = {0};
	uint8_t old[ARCH_REG_BYTES];
	uint64_t number;

	if (!gdb_take_hex(rest, &number) || number >= UINT32_MAX || !gdb_take(rest, "=")) {
		gdb_refuse(s, EINVAL);
		return;
	}
	if (!get_chosen(s, &state))
		return;
	unsigned length = arch.gdb_get(&state, s->features, (unsigned)number, old);

	gdb_take_bytes(rest, &value);
	if (!length || value.count != length) {
		gdb_refuse(s, EINVAL);
	} else if (!memcmp(value.items, old, length)) {
		gdb_ok(s);
	} else {
		arch.gdb_set(&state, s->features, (unsigned)number, value.items);
		put_chosen(s, &state);
	}
	vec_deinit(&value);
}

/* ---- memory ---- */

/* "ADDR,LENGTH" */
static bool take_stretch(struct gdb_session *s, struct gdb_cursor *rest, taddr *addr,
			 uint64_t *length)
{
	if (gdb_take_hex(rest, addr) && gdb_take(rest, ",") && gdb_take_hex(rest, length))
		return true;
	gdb_refuse(s, EINVAL);
	return false;
}

/* What there is of it; less than asked for is an answer, nothing is a failure. */
static bool read_stretch(struct gdb_session *s, struct gdb_cursor *rest, struct bytes *out)
{
	uint64_t length;
	taddr addr;

	if (!take_stretch(s, rest, &addr, &length))
		return false;
	if (length > READ_MAX)
		length = READ_MAX;
	vec_reserve(out, length + 1);
	out->count = timeline_read(s->timeline, addr, out->items, length);
	if (out->count || !length)
		return true;
	gdb_refuse(s, EFAULT);
	return false;
}

void gdb_handle_read(struct gdb_session *s, struct gdb_cursor *rest)
{
	struct bytes bytes = {0};

	if (read_stretch(s, rest, &bytes))
		gdb_put_hex(&s->reply, bytes.items, bytes.count);
	vec_deinit(&bytes);
}

void gdb_handle_read_binary(struct gdb_session *s, struct gdb_cursor *rest)
{
	struct bytes bytes = {0};

	if (read_stretch(s, rest, &bytes)) {
		bytes_put(&s->reply, "b");
		vec_append(&s->reply, bytes.items, bytes.count);
	}
	vec_deinit(&bytes);
}

/* Bytes that are there already change nothing; neither do none, with which gdb tries the packet. */
static void write_stretch(struct gdb_session *s, taddr addr, const struct bytes *bytes)
{
	struct bytes old = {0};
	bool same;

	vec_reserve(&old, bytes->count + 1);
	same = timeline_read(s->timeline, addr, old.items, bytes->count) == bytes->count &&
	       (!bytes->count || !memcmp(old.items, bytes->items, bytes->count));
	vec_deinit(&old);
	if (!same && !gdb_divert(s))
		return;
	if (same || timeline_write(s->timeline, addr, bytes->items, bytes->count) == bytes->count)
		gdb_ok(s);
	else
		gdb_refuse(s, EFAULT);
}

/* "ADDR,LENGTH:" and bytes, which `take` reads. */
static void handle_write(struct gdb_session *s, struct gdb_cursor *rest,
			 void (*take)(struct gdb_cursor *rest, struct bytes *out))
{
	struct bytes bytes = {0};
	uint64_t length;
	taddr addr;

	if (!take_stretch(s, rest, &addr, &length))
		return;
	gdb_take(rest, ":");
	take(rest, &bytes);
	if (bytes.count == length)
		write_stretch(s, addr, &bytes);
	else
		gdb_refuse(s, EINVAL);
	vec_deinit(&bytes);
}

static void take_binary(struct gdb_cursor *rest, struct bytes *out)
{
	vec_append(out, rest->at, (size_t)(rest->end - rest->at));
}

void gdb_handle_write(struct gdb_session *s, struct gdb_cursor *rest)
{
	handle_write(s, rest, gdb_take_bytes);
}

void gdb_handle_write_binary(struct gdb_session *s, struct gdb_cursor *rest)
{
	handle_write(s, rest, take_binary);
}

bool gdb_read_word(struct gdb_session *s, taddr addr, uint64_t *value)
{
	return timeline_read(s->timeline, addr, value, sizeof(*value)) == sizeof(*value);
}

bool gdb_read_text(struct gdb_session *s, taddr addr, char *to, size_t room)
{
	size_t got = timeline_read(s->timeline, addr, to, room - 1);

	to[got] = 0;
	return strlen(to) < got;
}
