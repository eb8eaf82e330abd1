/* A streaming JSON writer (RFC 8259): values go to a FILE as they come, nothing is kept in memory.
 *
 * Strings are strings of bytes and need not be UTF-8. The convention: a string that is valid UTF-8
 * is written as it is (only '"', '\\' and control characters escaped); in any other string each
 * byte from 0x80 to 0xff is written as \u00XX, the character with that number. So a reader that has
 * to have the bytes of such a string encodes it as Latin-1. The output is pure UTF-8 in either
 * case.
 *
 * Commas come by themselves. The caller sees to it that begin and end, keys and values match: the
 * writer asserts it. Errors in writing stay in the FILE's error indicator. */
#ifndef WARP_UTIL_JSON_H
#define WARP_UTIL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define JSON_DEPTH_MAX 63

struct json {
	FILE *out;	    /* borrowed */
	unsigned depth;	    /* open objects and arrays */
	uint64_t objects;   /* bit i: the one at depth i is an object */
	uint64_t not_empty; /* bit i: the one at depth i has a member already */
	bool after_key;
};

/* Starts to write one document to `out`, which the caller keeps and closes. */
void json_init(struct json *json, FILE *out);

void json_begin_object(struct json *json);
void json_end_object(struct json *json);
void json_begin_array(struct json *json);
void json_end_array(struct json *json);
/* The name of the next member of an object; the next value is that member's. */
void json_key(struct json *json, const char *name);

void json_string(struct json *json, const char *bytes, size_t length);
/* A string up to its NUL. */
void json_text(struct json *json, const char *text);
void json_int(struct json *json, int64_t value);
/* All 64 bits are written: beyond 2^53 a reader that keeps numbers as doubles rounds them. */
void json_uint(struct json *json, uint64_t value);
/* A string "0x1f": addresses and masks, which no reader may round. */
void json_hex(struct json *json, uint64_t value);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);

/* One member of an object: key and value. */
void json_member_text(struct json *json, const char *name, const char *text);
void json_member_int(struct json *json, const char *name, int64_t value);
void json_member_uint(struct json *json, const char *name, uint64_t value);
void json_member_hex(struct json *json, const char *name, uint64_t value);

#endif
