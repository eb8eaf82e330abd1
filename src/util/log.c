/* The log. Its level is one of the three globals of the project. */
#include "util/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/alloc.h"
#include "util/cleanup.h"

static enum log_level level_now = LOG_QUIET;

void log_init(void)
{
	const char *text = getenv("WARP_LOG");

	if (text && text[0] >= '0' && text[0] <= '2')
		level_now = text[0] - '0';
}

bool log_on(enum log_level level)
{
	return level <= level_now;
}

/* One write a line, so that lines of several processes do not mix. */
static void emit(const char *format, va_list args)
{
	char *text _cleanup_free_ = xvasprintf(format, args);

	dprintf(2, "warp: %s\n", text);
}

void log_at(enum log_level level, const char *format, ...)
{
	if (level > level_now)
		return;
	va_list args;

	va_start(args, format);
	emit(format, args);
	va_end(args);
}

void log_notice(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit(format, args);
	va_end(args);
}
