/* What the tests of live regions have in common: an arena that one real call is made on. */
#ifndef WARP_TESTS_LIVE_FIXTURE_H
#define WARP_TESTS_LIVE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <cmocka.h>

#include "syscalls/syscalls.h"

#define ARENA 65536
#define GAP   64 /* bytes of pattern between any two blocks */
#define ANY   INT64_MIN
#define OK    (INT64_MIN + 1) /* any result that is not an error */

extern unsigned char arena[ARENA];
extern uint64_t args[SC_ARGS]; /* of the call to be made */
extern int fds[8];	       /* closed after each run; -1 where unused */
/* Our own memory. */
extern const struct sc_memory memory;

#define A(pointer)    ((uint64_t)(uintptr_t)(pointer))
#define set_args(...) memcpy(args, (uint64_t[SC_ARGS]){__VA_ARGS__}, sizeof(args))

struct live {
	const char *name; /* of the call */
	void (*prepare)(void);
	int64_t expect; /* the result, ANY or OK */
	void (*clean)(void);
	bool padded; /* gaps in what the kernel writes: only the bounds are checked */
};

/* A block of the arena, still full of the pattern. */
void *block(size_t size);
/* A block that holds a copy of these bytes. */
void *copy(const void *bytes, size_t size);
void *copy32(uint32_t value);
void *copy64(uint64_t value);
/* Is the byte in a region that the kernel writes? */
bool covered(const struct sc_regions *regions, const unsigned char *at);

/* Makes the call of the struct live that *state is, with both patterns. */
void test_live(void **state);
/* All cases, and further tests: what main() returns. */
int run_live(const char *name, const struct live *cases, size_t count,
	     const struct CMUnitTest *more, size_t more_count);

/* ---- helpers of several cases ---- */
void make_pipe(const char *text);
void make_pair(int type);
void make_file(const char *text);
void start_alarm(void);
void stop_alarm(void);
pid_t ended_child(void);
void *iovec_of(int count, size_t each);
void close_at(int a);

#endif
