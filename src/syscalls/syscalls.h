/* The table of system calls: the single source for tracing, recording, replaying and buffering.
 *
 * A row (table.def) says what a call is named, what its arguments are, where memory goes in and
 * out and how much of it, and what a recorder and a replayer must do. What a row cannot say is done
 * by the one named handler of the row. Nothing here knows ptrace: memory is read through
 * struct sc_memory, so the same code serves a live tracee and a recording. */
#ifndef WARP_SYSCALLS_SYSCALLS_H
#define WARP_SYSCALLS_SYSCALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/memory.h"
#include "util/taddr.h"
#include "util/vec.h"

/* What the call does beyond its memory: row flags. */
enum sc_flags {
	SC_MAY_BLOCK = 1 << 0,	 /* can sleep for long: others run meanwhile */
	SC_CHANGES_MM = 1 << 1,	 /* the address space */
	SC_CHANGES_FDS = 1 << 2, /* the descriptor table */
	SC_CHANGES_SIG = 1 << 3, /* signal masks, handlers, stacks */
	SC_CHANGES_TASKS = 1 << 4,
	SC_WRITES_FD = 1 << 5,	 /* writes bytes of memory to the descriptor in `fd_arg` */
	SC_MOVES_FD = 1 << 6,	 /* moves bytes into descriptor `fd_arg` that are not in memory */
	SC_WRITES_FILE = 1 << 7, /* may change the contents or size of the file behind `fd_arg` */
	SC_BUFFERABLE = 1 << 8,	 /* the agent may perform and record it without a stop */
	SC_NEVER_RETURNS = 1 << 9,
	SC_FALLBACK = 1 << 10, /* memory effects unknown: compare before and after */
	SC_YIELDS = 1 << 11,   /* the caller asks that others run */
	SC_QUIET = 1 << 12,    /* refused without a word: libc tries it and goes on without */
	SC_RANGE = 1 << 13,    /* changes the addresses that arguments 0 and 1 are: begin, length */
	SC_STRICT = 1 << 14,   /* allowed in seccomp's strict mode (seccomp(2)) */
	SC_CONTINUED = 1 << 15, /* once stopped, it goes on as restart_syscall(2) */
	/* classes of the expression language, as in strace */
	SC_CLASS_FILE = 1 << 16,
	SC_CLASS_NETWORK = 1 << 17,
	SC_CLASS_MEMORY = 1 << 18,
	SC_CLASS_PROCESS = 1 << 19,
	SC_CLASS_SIGNAL = 1 << 20,
	SC_CLASS_DESC = 1 << 21,
	SC_CLASS_IPC = 1 << 22,
	SC_CLASS_CREDS = 1 << 23,
	SC_CLASS_CLOCK = 1 << 24,
	SC_CLASS_PURE = 1 << 25,
	SC_PARTIAL = 1 << 26, /* when it fails it may have changed the beginning of its range */
};

/* What recorder and replayer do with the call. */
enum sc_action {
	SC_INJECT,  /* record: perform and save the outputs; replay: write result and outputs */
	SC_PERFORM, /* shapes the address space or tasks: done again in replay, by its handler */
	SC_REFUSE,  /* record: not made, answered with -row.refuse_errno; said once */
	SC_EMULATE, /* record: answered by the recorder's handler; replay: as SC_INJECT */
};

/* Named handlers: each is one function in src/record and, for SC_PERFORM, one in src/replay. */
enum sc_handler {
	SC_H_NONE,
#define SC_HANDLER(name) SC_H_##name,
#include "syscalls/handlers.def"
#undef SC_HANDLER
	SC_HANDLERS
};

/* Named functions of refine.c: each chooses among the rows of refined.def by an argument. */
enum sc_refine {
	SC_R_NONE,
	SC_R_OPEN,
	SC_R_OPENAT,
	SC_R_MMAP,
	SC_R_IOCTL,
	SC_R_FCNTL,
	SC_R_PRCTL,
	SC_R_ARCH_PRCTL,
	SC_REFINES
};

/* How an argument is printed. Everything a formatter can tell from the value and memory alone. */
enum sc_type {
	SC_T_NONE,
#define SC_TYPE(name) SC_T_##name,
#include "syscalls/types.def"
#undef SC_TYPE
	SC_TYPES
};

enum sc_dir {
	SC_VALUE, /* not a pointer */
	SC_IN,
	SC_OUT,
	SC_INOUT,
};

/* How many bytes stand behind a pointer argument. */
enum sc_size {
	SC_S_NONE,	/* not a pointer, or one never followed (an address as such) */
	SC_S_CONST,	/* `size` bytes */
	SC_S_ARG,	/* argument `size_arg` counts elements of `size` bytes */
	SC_S_ARG_RET,	/* as SC_S_ARG; after the call: `result` elements */
	SC_S_ARG_DEREF, /* argument `size_arg` points at a u32: capacity before, length after */
	SC_S_CSTR,	/* a string up to its NUL */
	SC_S_CUSTOM,	/* the named region function of the row's type, in regions_*.c */
};

struct sc_arg {
	const char *name;
	uint8_t type; /* enum sc_type */
	uint8_t dir;  /* enum sc_dir */
	uint8_t size_kind;
	uint8_t size_arg;
	uint32_t size;
};

struct sc_row {
	int nr;
	const char *name;
	uint32_t flags;
	uint8_t nargs;
	uint8_t action;
	uint8_t handler;
	uint8_t refine;	  /* enum sc_refine: which more special row it is */
	int8_t fd_arg;	  /* argument that is the descriptor it is about, or -1 */
	int refuse_errno; /* SC_REFUSE: positive errno */
	uint8_t ret_type; /* enum sc_type: how the result is printed */
	struct sc_arg args[SC_ARGS];
};

struct regs;

/* A call as made: its number, argument registers and, when it has ended, its result. */
struct sc_call {
	int nr;
	uint64_t args[SC_ARGS];
	int64_t result; /* -errno on failure; kernel-internal -512..-516 while interrupted */
	bool ended;
	taddr signal_mask; /* rt_sigreturn: where the mask lies that it puts back; 0: not known */
};

/* With the arguments that are in the registers; the result is not known. */
struct sc_call sc_call_of(int nr, const struct regs *regs);
/* Has the call, which ended with EINTR, done nothing? It may be made again then. */
bool sc_can_repeat(int nr);

/* A stretch of memory that a call reads or writes. Regions form a tree: a region whose `parent` is
 * not negative is pointed at by the 8 bytes at `parent_offset` of that region; one with parent -1
 * by argument `arg`. Every region bears the argument it hangs at, children too. Redirecting the
 * pointer redirects the region, but where it is `fixed` (a futex word) that would break the
 * call. */
struct sc_region {
	taddr addr;
	uint64_t capacity; /* bytes the call may touch */
	uint64_t length;   /* bytes it did touch: valid after sc_regions_end() */
	uint8_t dir;	   /* enum sc_dir: SC_IN, SC_OUT or SC_INOUT */
	int8_t arg;
	int16_t parent;
	uint32_t parent_offset;
	bool fixed; /* its address matters: never redirect it */
};

struct sc_regions vec(struct sc_region);

/* The row of a call number, or NULL if the table has none. */
const struct sc_row *sc_row(int nr);
/* The call goes on with one that a signal interrupted: restart_syscall(2). */
static inline bool sc_row_restarts(const struct sc_row *row)
{
	return row && row->handler == SC_H_RESTART;
}

/* The row with this name, or NULL. */
const struct sc_row *sc_row_by_name(const char *name);
/* Number of rows and the i-th of them, in ascending nr, for listings. */
size_t sc_row_count(void);
const struct sc_row *sc_row_at(size_t index);

/* Lists the memory that the call will reach, before it is made. Pointers in memory are followed
 * through `memory`. NULL pointers and regions of capacity 0 are left out. Appends to `regions`.
 * Parents come before their children. Lengths are 0. The size of a hostile length is not bounded
 * here: the caller clips capacities to what is mapped or to what it can afford.
 * Returns false if the table cannot tell (unknown call, ioctl, ...): use the fallback. */
bool sc_regions_begin(const struct sc_row *row, const struct sc_call *call,
		      const struct sc_memory *memory, struct sc_regions *regions);

/* Sets the length of each region from the result of the ended call, never above its capacity:
 * SC_OUT: bytes the kernel wrote (0 if it failed, unless the call writes on failure too:
 * nanosleep's remainder on EINTR, ...; after EFAULT: what it may have written before it failed, up
 * to its capacity, mapped or not); SC_INOUT: bytes to save; SC_IN: capacity. `memory` sees the
 * state after the call, at the same addresses sc_regions_begin() saw. `regions` holds this call's
 * only. */
void sc_regions_end(const struct sc_row *row, const struct sc_call *call,
		    const struct sc_memory *memory, struct sc_regions *regions);

/* For an ioctl, fcntl, prctl, ... the effective action and flags can depend on the arguments
 * (sub-tables). Returns the row itself or a more special one; never NULL for a non-NULL row. */
const struct sc_row *sc_row_refine(const struct sc_row *row, const struct sc_call *call);

/* Writes `name(arg, arg, ...) = result` in strace's notation (strace 6.1 with its default options,
 * no -v) to `out`, without a line feed. Outputs are decoded once call->ended; before that it
 * writes up to the last argument known at entry, as strace's "<unfinished ...>" lines begin.
 * Unreadable memory prints as the address. */
void sc_format(FILE *out, const struct sc_row *row, const struct sc_call *call,
	       const struct sc_memory *memory);

/* Names, as strace prints them. Static storage; NULL if unknown. */
const char *sc_errno_name(int errnum);
const char *sc_signal_name(int signal);

#endif
