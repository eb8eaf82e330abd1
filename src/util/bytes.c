/* Appending text to a buffer. Invariant: no NUL is counted in. */
#include "util/bytes.h"

#include <stdio.h>

#define FORMAT_ROOM 128

void bytes_put(struct bytes *bytes, const char *text)
{
	vec_append(bytes, text, strlen(text));
}

void bytes_vformat(struct bytes *bytes, const char *format, va_list args)
{
	size_t room = FORMAT_ROOM;

	for (;;) {
		va_list again;
		size_t length;

		vec_reserve(bytes, room);
		va_copy(again, args);
		length =
			(size_t)vsnprintf((char *)bytes->items + bytes->count, room, format, again);
		va_end(again);
		if (length < room) {
			bytes->count += length;
			return;
		}
		room = length + 1;
	}
}

void bytes_format(struct bytes *bytes, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	bytes_vformat(bytes, format, args);
	va_end(args);
}
