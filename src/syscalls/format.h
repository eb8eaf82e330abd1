/* Printing into a buffer, with both states of memory known, in two halves, and in a style;
 * sc_format() of syscalls.h is the simple form. */
#ifndef WARP_SYSCALLS_FORMAT_H
#define WARP_SYSCALLS_FORMAT_H

#include "syscalls/syscalls.h"

struct sc_style {
	/* Strings and arrays are cut after so many bytes or elements. */
	size_t string_max;
	/* Writes what descriptor `fd` (AT_FDCWD: the working directory) of the process is open on,
	 * and whether that was deleted; returns its length, 0 if it is not open. NULL: not
	 * shown. */
	size_t (*fd_path)(void *context, int fd, char *path, size_t room, bool *deleted);
	void *context;
};

/* strace's defaults. */
extern const struct sc_style sc_style_default;

/* What the second half of a line must know of the first: where it left off, and the memory that the
 * call was made with and may have overwritten since. */
struct sc_half {
	uint8_t next;  /* the argument to go on with */
	bool begun;    /* a part of that is printed already */
	bool complete; /* nothing is left to print but the result */
	uint8_t kept_length;
	taddr kept_addr;
	uint8_t kept[64];
};

/* As sc_format(), where `entry` shows memory as it was when the call was made and `memory` as it is
 * now. Only so can an ended call show what it overwrote itself: the sets of select(2), the length
 * that accept(2) was given, the arguments of an execve(2) that replaced the memory they stood in.
 * `entry` may be NULL: then those show what `memory` holds. */
void sc_format_from(FILE *out, const struct sc_row *row, const struct sc_call *call,
		    const struct sc_memory *entry, const struct sc_memory *memory);

/* A line in two halves. When the call is made: appends "name(" and the arguments up to the first
 * that only its end decides. A call without a row prints as strace's syscall_0x1d8(...). */
void sc_format_entry(struct bytes *out, const struct sc_row *row, const struct sc_call *call,
		     const struct sc_memory *memory, const struct sc_style *style,
		     struct sc_half *half);
/* When it has ended: the rest of the arguments, ") " and "= result" in strace's column. `column` is
 * how many bytes of the line precede what is appended. */
void sc_format_exit(struct bytes *out, size_t column, const struct sc_row *row,
		    const struct sc_call *call, const struct sc_memory *memory,
		    const struct sc_style *style, const struct sc_half *half);
/* Only the ") " and the blanks up to where strace puts the result. */
void sc_format_close(struct bytes *out, size_t column);

/* A siginfo_t as strace shows it: {si_signo=...}. */
void sc_format_siginfo(struct bytes *out, const void *siginfo, const struct sc_style *style);

#endif
