/* Patterns as the shell's, over bytes: * any bytes (also / and none), ? any byte, [abc], [a-z] and
 * [!abc] one of (not of) a set, \ takes what follows literally. Private to src/expr. */
#ifndef WARP_EXPR_GLOB_H
#define WARP_EXPR_GLOB_H

#include <stdbool.h>
#include <stddef.h>

bool glob_match(const char *pattern, size_t pattern_length, const char *text, size_t length);

#endif
