/* Allocation that cannot fail: when memory runs out the process ends with one sentence and status
 * 125. A recording written so far stays replayable, and PTRACE_O_EXITKILL ends the tracees. */
#ifndef WARP_UTIL_ALLOC_H
#define WARP_UTIL_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
void *xmemdup(const void *bytes, size_t size);
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
_Noreturn void alloc_failed(size_t size);

#endif
