/* The expression language: which system calls are meant. docs/expressions.md explains it to users.
 *
 * An expression is parsed once; then it says which call numbers it can match, becomes (with others)
 * a seccomp program, and is evaluated at a call's entry and end. What an expression says is decided
 * by evaluation alone: the seccomp program lets every call stop that might match, and others too
 * where it cannot tell (memory, paths, names of processes, results). */
#ifndef WARP_EXPR_EXPR_H
#define WARP_EXPR_EXPR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "syscalls/syscalls.h"
#include "util/error.h"
#include "util/memory.h"
#include "util/vec.h"

struct expr;
struct sock_filter;

/* The error's text holds the expression with a line below it that points at the place. */
struct error *expr_parse(const char *text, struct expr **out);
void expr_destroy(struct expr *expr); /* NULL is fine */
/* As it was given. */
const char *expr_text(const struct expr *expr);

/* Can it match a call with this number, whatever its arguments? */
bool expr_may_match(const struct expr *expr, int nr);
/* Does its answer for this call depend on what only the call's end shows (ret, errno, buffers that
 * the call fills)? */
bool expr_needs_result(const struct expr *expr, int nr);

/* Who calls. The functions may be NULL: then their texts are unknown and equal nothing. */
struct expr_process {
	pid_t pid, tid;
	/* Writes up to `room` bytes without a NUL; returns how many, 0 if it cannot be told. */
	size_t (*comm)(void *context, char *to, size_t room);
	size_t (*fd_path)(void *context, int fd, char *to, size_t room);
	void *context;
};

/* A call at a stop. `memory` sees the caller's memory as it is now. */
struct expr_call {
	const struct sc_call *call;
	const struct sc_memory *memory;
	const struct expr_process *process;
};

enum expr_answer {
	EXPR_NO,
	EXPR_YES,
	EXPR_MAYBE, /* the end of the call will tell */
};

/* What the texts were at a call's entry, for the evaluation at its end: by then the memory may hold
 * something else. All zero before expr_match_entry() fills it in. */
struct expr_memo {
	uint64_t known, truth;
};

/* `memo` may be NULL. */
enum expr_answer expr_match_entry(const struct expr *expr, const struct expr_call *at,
				  struct expr_memo *memo);
/* For an ended call. `memo` is what expr_match_entry() left for this call and expression, or NULL:
 * then texts are read from memory as it is now. */
bool expr_match_exit(const struct expr *expr, const struct expr_call *at,
		     const struct expr_memo *memo);

struct expr_code vec(struct sock_filter);

struct expr_bpf_options {
	uint32_t match;	  /* what the program returns for calls that may match: SECCOMP_RET_TRACE */
	uint32_t foreign; /* for calls through another architecture's gate: SECCOMP_RET_ALLOW */
};

/* Appends to the empty `code` a seccomp program that returns `match` for each call that one of the
 * expressions may match, `foreign` for those of other architectures, and SECCOMP_RET_ALLOW for the
 * rest and for calls made from WARP_CODE_PAGE. It never exceeds the kernel's limit of 4096
 * instructions: conditions that would make it longer are left out, their calls all match. */
void expr_bpf(const struct expr *const *exprs, size_t count, const struct expr_bpf_options *options,
	      struct expr_code *code);

#endif
