/* What a name stands for, and how wide an argument is: the table's side of the expression language.
 * The names are those that the formatter prints. */
#ifndef WARP_SYSCALLS_CONSTANTS_H
#define WARP_SYSCALLS_CONSTANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "syscalls/syscalls.h"

/* The value of a constant (PROT_EXEC, ENOENT, SIGTERM, AT_FDCWD, ...), negative ones as int64_t.
 * False if the formatter knows no such name. No name has two values: tests/unit/test_expr.c. */
bool sc_constant(const char *name, int64_t *value);
/* Shows all those names; they live for ever. */
void sc_constant_names(void (*see)(void *context, const char *name), void *context);

/* How the kernel reads an argument's register: so many low bits, with a sign or without. */
struct sc_number {
	uint8_t bits; /* 32 or 64 */
	bool is_signed;
};

/* Pointers are 64 bits without a sign. */
struct sc_number sc_arg_number(const struct sc_arg *arg);

/* The argument points at plain bytes. */
bool sc_arg_is_bytes(const struct sc_arg *arg);

#endif
