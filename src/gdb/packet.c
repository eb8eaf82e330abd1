/* Packets: $CONTENT#SUM. In CONTENT, '}' makes the next byte stand for itself ^ 0x20, and "c*n"
 * repeats c n - 29 times more.
 *
 * Invariant: a framer never holds more than GDB_PACKET_MAX bytes of a packet, nor makes more of
 * them. */
#include <string.h>

#include "gdb/packet.h"

#define ESCAPE	    '}'
#define ESCAPED	    0x20
#define REPEAT	    '*'
#define REPEAT_BIAS 29
#define TEXT_MAX    4095

enum {
	BETWEEN,
	INSIDE,
	FIRST_DIGIT,
	SECOND_DIGIT,
};

void gdb_framer_deinit(struct gdb_framer *framer)
{
	vec_deinit(&framer->raw);
	vec_deinit(&framer->packet);
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* ---- in ---- */

/* Expands repetitions of the raw bytes into `out`. */
static bool expand(const struct bytes *raw, struct bytes *out)
{
	vec_clear(out);
	for (size_t i = 0; i < raw->count; i++) {
		uint8_t c = raw->items[i];

		if (c != REPEAT) {
			vec_push(out, c);
			continue;
		}
		if (++i == raw->count || !out->count || raw->items[i] < ' ' || raw->items[i] > '~')
			return false;
		c = out->items[out->count - 1];
		for (unsigned n = raw->items[i] - REPEAT_BIAS; n; n--)
			vec_push(out, c);
		if (out->count > GDB_PACKET_MAX)
			return false;
	}
	return true;
}

/* In place: it becomes shorter. */
static bool unescape(struct bytes *bytes)
{
	size_t to = 0;

	for (size_t i = 0; i < bytes->count; i++) {
		uint8_t c = bytes->items[i];

		if (c == ESCAPE) {
			if (++i == bytes->count)
				return false;
			c = bytes->items[i] ^ ESCAPED;
		}
		bytes->items[to++] = c;
	}
	bytes->count = to;
	return true;
}

static enum gdb_input complete(struct gdb_framer *framer, bool sum_is_right)
{
	framer->state = BETWEEN;
	if (!sum_is_right || framer->too_long || !expand(&framer->raw, &framer->packet) ||
	    !unescape(&framer->packet))
		return GDB_IN_BROKEN;
	return GDB_IN_PACKET;
}

static enum gdb_input between(struct gdb_framer *framer, uint8_t c)
{
	switch (c) {
	case '$':
		vec_clear(&framer->raw);
		framer->sum = 0;
		framer->too_long = false;
		framer->state = INSIDE;
		return GDB_IN_NOTHING;
	case 3:
		return GDB_IN_INTERRUPT;
	case '+':
		return GDB_IN_ACK;
	case '-':
		return GDB_IN_RESEND;
	default:
		return GDB_IN_NOTHING;
	}
}

static void inside(struct gdb_framer *framer, uint8_t c)
{
	if (c == '#') {
		framer->state = FIRST_DIGIT;
		return;
	}
	if (c == '$') { /* its end was lost: a new one begins */
		between(framer, c);
		return;
	}
	framer->sum += c;
	if (framer->raw.count < GDB_PACKET_MAX)
		vec_push(&framer->raw, c);
	else
		framer->too_long = true;
}

static enum gdb_input take_byte(struct gdb_framer *framer, uint8_t c)
{
	int digit = hex_digit(c);

	switch (framer->state) {
	case INSIDE:
		inside(framer, c);
		return GDB_IN_NOTHING;
	case FIRST_DIGIT:
		if (digit < 0)
			return complete(framer, false);
		framer->given = (uint8_t)(digit << 4);
		framer->state = SECOND_DIGIT;
		return GDB_IN_NOTHING;
	case SECOND_DIGIT:
		return complete(framer, digit >= 0 && (framer->given | digit) == framer->sum);
	default:
		return between(framer, c);
	}
}

enum gdb_input gdb_framer_feed(struct gdb_framer *framer, const uint8_t *bytes, size_t length,
			       size_t *used)
{
	enum gdb_input found = GDB_IN_NOTHING;

	for (*used = 0; *used < length && found == GDB_IN_NOTHING;)
		found = take_byte(framer, bytes[(*used)++]);
	return found;
}

/* ---- out ---- */

static void put_escaped(struct bytes *out, uint8_t c)
{
	if (c == '#' || c == '$' || c == ESCAPE || c == REPEAT) {
		vec_push(out, ESCAPE);
		c ^= ESCAPED;
	}
	vec_push(out, c);
}

/* A longer run is said in pieces: the count is one printable byte. */
#define RUN_MAX 98u

/* How many more times than once a run of `length` equal bytes can be said to be there at once: not
 * with a count that would be one of the bytes that mean something. */
static unsigned repeats(size_t length)
{
	unsigned count = (unsigned)length - 1;
	unsigned c = count + REPEAT_BIAS;

	return c == '#' || c == '$' || c == '+' || c == '-' ? repeats(count) : count;
}

static size_t run_at(const struct bytes *bytes, size_t at)
{
	size_t length = 1;

	while (length < RUN_MAX && at + length < bytes->count &&
	       bytes->items[at + length] == bytes->items[at])
		length++;
	return length;
}

static void put_content(const struct bytes *content, struct bytes *out)
{
	struct bytes escaped = {0};

	for (size_t i = 0; i < content->count; i++)
		put_escaped(&escaped, content->items[i]);
	for (size_t i = 0; i < escaped.count;) {
		size_t run = run_at(&escaped, i);
		unsigned more = run > 3 ? repeats(run) : 0;

		vec_push(out, escaped.items[i]);
		if (more >= 3) {
			vec_push(out, REPEAT);
			vec_push(out, (unsigned char)(more + REPEAT_BIAS));
			i += more;
		}
		i++;
	}
	vec_deinit(&escaped);
}

void gdb_frame(const struct bytes *content, struct bytes *out)
{
	uint8_t sum = 0;

	vec_push(out, '$');
	size_t begin = out->count;

	put_content(content, out);
	for (size_t i = begin; i < out->count; i++)
		sum += out->items[i];
	vec_push(out, '#');
	gdb_put_hex(out, &sum, 1);
}

/* ---- contents ---- */

bool gdb_at_end(const struct gdb_cursor *cursor)
{
	return cursor->at == cursor->end;
}

bool gdb_take(struct gdb_cursor *cursor, const char *text)
{
	size_t length = strlen(text);

	if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, text, length))
		return false;
	cursor->at += length;
	return true;
}

bool gdb_take_hex(struct gdb_cursor *cursor, uint64_t *value)
{
	const uint8_t *at = cursor->at;
	uint64_t result = 0;

	for (; at < cursor->end && hex_digit(*at) >= 0; at++) {
		if (result >> 60)
			return false;
		result = result << 4 | (unsigned)hex_digit(*at);
	}
	if (at == cursor->at)
		return false;
	cursor->at = at;
	*value = result;
	return true;
}

void gdb_take_bytes(struct gdb_cursor *cursor, struct bytes *out)
{
	while (cursor->end - cursor->at >= 2) {
		int high = hex_digit(cursor->at[0]), low = hex_digit(cursor->at[1]);

		if (high < 0 || low < 0)
			return;
		vec_push(out, (unsigned char)(high << 4 | low));
		cursor->at += 2;
	}
}

char *gdb_take_text(struct gdb_cursor *cursor)
{
	struct bytes text = {0};

	gdb_take_bytes(cursor, &text);
	if (text.count > TEXT_MAX || (text.count && memchr(text.items, 0, text.count))) {
		vec_deinit(&text);
		return NULL;
	}
	vec_push(&text, 0);
	return (char *)text.items;
}

/* One number of a thread id. */
static bool take_id(struct gdb_cursor *cursor, uint32_t *id)
{
	uint64_t value = GDB_EVERY;

	if (!gdb_take(cursor, "-1") && (!gdb_take_hex(cursor, &value) || value >= GDB_EVERY))
		return false;
	*id = (uint32_t)value;
	return true;
}

bool gdb_take_thread(struct gdb_cursor *cursor, struct gdb_thread *thread)
{
	struct gdb_cursor at = *cursor;

	*thread = (struct gdb_thread){GDB_ANY, GDB_EVERY};
	if (gdb_take(&at, "p")) {
		if (!take_id(&at, &thread->pid) ||
		    (gdb_take(&at, ".") && !take_id(&at, &thread->tid)))
			return false;
	} else if (!take_id(&at, &thread->tid)) {
		return false;
	}
	*cursor = at;
	return true;
}

void gdb_put_hex(struct bytes *out, const void *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = bytes;

	vec_reserve(out, 2 * length);
	for (size_t i = 0; i < length; i++) {
		out->items[out->count++] = (unsigned char)digits[from[i] >> 4];
		out->items[out->count++] = (unsigned char)digits[from[i] & 15];
	}
}
