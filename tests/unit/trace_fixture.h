/* What the tests of recordings share: a directory for each test, files as bytes, recordings. What
 * fails in here fails the test. */
#ifndef WARP_TESTS_TRACE_FIXTURE_H
#define WARP_TESTS_TRACE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "trace/reader.h"
#include "trace/writer.h"
#include "util/error.h"
#include "util/vec.h"

/* ---- a temporary directory for each test ---- */

extern char *scratch; /* path */

int make_scratch(void **state);
int drop_scratch(void **state);
/* The path of a name there; the caller's. */
char *in_scratch(const char *name);

void no_error(struct error *error);
/* There is one, whose text has this part. */
void expect_error(struct error *error, const char *part);

/* ---- files as bytes ---- */

struct bytes slurp(const char *path);
void spill(const char *path, const void *bytes, size_t length);
/* Changes the field at `offset` of the file. */
void patch(const char *file, off_t offset, const void *bytes, size_t length);

/* ---- recordings ---- */

struct trace_meta example_meta(void);
struct trace_writer *begin(const char *path);
void finish_with_end(struct trace_writer *writer);
/* Opening the recording fails for a reason that has this part. */
void refuse(const char *path, const char *why);
/* Opens, gives to the writer and closes again. */
uint32_t add_file(struct trace_writer *writer, const char *path, uint32_t flags);

#endif
