/* Errors as values: a fallible function returns NULL on success, or an error that its caller owns.
 *
 * An error's text says what was attempted, on what, what went wrong and, where there is something
 * to do about it, what. Only src/cmd (and later src/gdb) print one. */
#ifndef WARP_UTIL_ERROR_H
#define WARP_UTIL_ERROR_H

#include <stdarg.h>

/* What kind of failure it is. The values are the exit statuses of the command. */
enum error_kind {
	ERROR_DIVERGED = 122,  /* a replay did something that its recording does not hold */
	ERROR_FAILED = 125,    /* anything of warp's own */
	ERROR_NOT_EXEC = 126,  /* the program was found but cannot be executed */
	ERROR_NOT_FOUND = 127, /* no such program */
};

struct error {
	enum error_kind kind;
	int os_errno; /* 0 where no system call failed */
	char *text;
};

/* A new error of kind ERROR_FAILED with the formatted text. Never NULL. */
struct error *error_new(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same with a kind of its own. */
struct error *error_new_kind(enum error_kind kind, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The formatted text, then ": " and what the errno value means; where that alone tells what can be
 * done about it (EMFILE, ENOSPC), then that. */
struct error *error_os(int errnum, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds what can be done about it, if that was not said for its errno. Returns `error`. */
struct error *error_hint(struct error *error, const char *hint);
/* Takes `cause` over and puts the formatted text and ": " before its text; kind and errno stay. */
struct error *error_wrap(struct error *cause, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Frees an error; NULL is fine. */
void error_free(struct error *error);

/* Returns the error to our own caller if `call` failed. */
#define try(call)                                  \
	do {                                       \
		struct error *try_error_ = (call); \
		if (try_error_)                    \
			return try_error_;         \
	} while (0)

#endif
