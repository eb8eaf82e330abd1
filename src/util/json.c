/* Streaming JSON. Invariants: `depth` counts the open containers; a comma is written before each
 * value or key but the first of its container, never after; inside an object a value is written
 * only after a key. */
#include "util/json.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

void json_init(struct json *json, FILE *out)
{
	*json = (struct json){.out = out};
}

static uint64_t level_bit(const struct json *json)
{
	return UINT64_C(1) << json->depth;
}

static void separate(struct json *json)
{
	if (json->not_empty & level_bit(json))
		putc(',', json->out);
	json->not_empty |= level_bit(json);
}

/* What comes before every value. */
static void start_value(struct json *json)
{
	if (json->after_key) {
		json->after_key = false;
		return;
	}
	assert(!(json->objects & level_bit(json)));
	assert(json->depth || !json->not_empty);
	separate(json);
}

static void begin(struct json *json, bool object)
{
	start_value(json);
	assert(json->depth < JSON_DEPTH_MAX);
	json->depth++;
	json->not_empty &= ~level_bit(json);
	json->objects &= ~level_bit(json);
	if (object)
		json->objects |= level_bit(json);
	putc(object ? '{' : '[', json->out);
}

static void end(struct json *json, bool object)
{
	assert(json->depth && !json->after_key);
	assert(!!(json->objects & level_bit(json)) == object);
	json->depth--;
	putc(object ? '}' : ']', json->out);
}

void json_begin_object(struct json *json)
{
	begin(json, true);
}

void json_end_object(struct json *json)
{
	end(json, true);
}

void json_begin_array(struct json *json)
{
	begin(json, false);
}

void json_end_array(struct json *json)
{
	end(json, false);
}

/* Length of the well-formed UTF-8 sequence at `p` (Unicode 15, table 3-7), or 0. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	size_t length;
	unsigned char low = 0x80, high = 0xbf;

	if (p[0] < 0x80)
		return 1;
	if (p[0] >= 0xc2 && p[0] <= 0xdf)
		length = 2;
	else if (p[0] >= 0xe0 && p[0] <= 0xef)
		length = 3;
	else if (p[0] >= 0xf0 && p[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (length > left)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0; /* overlong */
	else if (p[0] == 0xed)
		high = 0x9f; /* surrogates */
	else if (p[0] == 0xf0)
		low = 0x90; /* overlong */
	else if (p[0] == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	if (p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return length;
}

static bool is_utf8(const unsigned char *bytes, size_t length)
{
	for (size_t at = 0; at < length;) {
		size_t step = utf8_length(bytes + at, length - at);

		if (!step)
			return false;
		at += step;
	}
	return true;
}

static void put_byte(FILE *out, unsigned char byte, bool utf8)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	const char *found = byte ? strchr(plain, byte) : NULL;

	if (found)
		fprintf(out, "\\%c", letters[found - plain]);
	else if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8))
		fprintf(out, "\\u%04x", byte);
	else
		putc(byte, out);
}

static void put_string(FILE *out, const char *bytes, size_t length)
{
	const unsigned char *p = (const unsigned char *)bytes;
	bool utf8 = is_utf8(p, length);

	putc('"', out);
	for (size_t i = 0; i < length; i++)
		put_byte(out, p[i], utf8);
	putc('"', out);
}

void json_key(struct json *json, const char *name)
{
	assert(json->objects & level_bit(json));
	assert(!json->after_key);
	separate(json);
	put_string(json->out, name, strlen(name));
	putc(':', json->out);
	json->after_key = true;
}

void json_string(struct json *json, const char *bytes, size_t length)
{
	start_value(json);
	put_string(json->out, bytes, length);
}

void json_text(struct json *json, const char *text)
{
	json_string(json, text, strlen(text));
}

void json_int(struct json *json, int64_t value)
{
	start_value(json);
	fprintf(json->out, "%" PRId64, value);
}

void json_uint(struct json *json, uint64_t value)
{
	start_value(json);
	fprintf(json->out, "%" PRIu64, value);
}

void json_hex(struct json *json, uint64_t value)
{
	start_value(json);
	fprintf(json->out, "\"0x%" PRIx64 "\"", value);
}

void json_bool(struct json *json, bool value)
{
	start_value(json);
	fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json)
{
	start_value(json);
	fputs("null", json->out);
}

void json_member_text(struct json *json, const char *name, const char *text)
{
	json_key(json, name);
	json_text(json, text);
}

void json_member_int(struct json *json, const char *name, int64_t value)
{
	json_key(json, name);
	json_int(json, value);
}

void json_member_uint(struct json *json, const char *name, uint64_t value)
{
	json_key(json, name);
	json_uint(json, value);
}

void json_member_hex(struct json *json, const char *name, uint64_t value)
{
	json_key(json, name);
	json_hex(json, value);
}
