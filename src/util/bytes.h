/* Text that grows at its end: appending to a struct bytes (util/vec.h). */
#ifndef WARP_UTIL_BYTES_H
#define WARP_UTIL_BYTES_H

#include <stdarg.h>

#include "util/vec.h"

/* The text without its NUL. */
void bytes_put(struct bytes *bytes, const char *text);
void bytes_format(struct bytes *bytes, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void bytes_vformat(struct bytes *bytes, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

#endif
