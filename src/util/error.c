/* Error objects. Invariant: an error always has a text. */
#include "util/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/alloc.h"

static struct error *make(enum error_kind kind, int errnum, char *text)
{
	struct error *error = xmalloc(sizeof(*error));

	*error = (struct error){.kind = kind, .os_errno = errnum, .text = text};
	return error;
}

struct error *error_new(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	return make(ERROR_FAILED, 0, text);
}

struct error *error_new_kind(enum error_kind kind, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *text = xvasprintf(format, args);
	va_end(args);
	return make(kind, 0, text);
}

/* What can be done about it, whatever was attempted. */
static const char *remedy(int errnum)
{
	switch (errnum) {
	case EMFILE:
		return "; allow more open files (ulimit -n 4096) and try again";
	case ENFILE:
		return "; the whole system has too many files open: end some programs and try "
		       "again";
	case ENOSPC:
	case EDQUOT:
		return "; make room there, or use another place";
	case EFBIG:
		return "; allow larger files (ulimit -f unlimited), or use another place";
	case EIO:
		return "; the device or file system has failed (dmesg tells how): use another "
		       "place";
	case EROFS:
		return "; it cannot be written to: use another place";
	case ENOMEM:
		return "; end some programs, or allow more memory (ulimit -d, ulimit -v), and "
		       "try again";
	case EAGAIN: /* of threads and processes */
		return "; end some programs, or allow more memory (ulimit -d, ulimit -v) or more "
		       "processes (ulimit -u), and try again";
	default:
		return "";
	}
}

struct error *error_os(int errnum, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *what = xvasprintf(format, args);
	va_end(args);
	char *text = xasprintf("%s: %s%s", what, strerror(errnum), remedy(errnum));
	free(what);
	return make(ERROR_FAILED, errnum, text);
}

struct error *error_hint(struct error *error, const char *hint)
{
	if (*remedy(error->os_errno))
		return error;
	char *text = xasprintf("%s; %s", error->text, hint);
	free(error->text);
	error->text = text;
	return error;
}

struct error *error_wrap(struct error *cause, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *what = xvasprintf(format, args);
	va_end(args);
	char *text = xasprintf("%s: %s", what, cause->text);
	free(what);
	free(cause->text);
	cause->text = text;
	return cause;
}

void error_free(struct error *error)
{
	if (!error)
		return;
	free(error->text);
	free(error);
}
