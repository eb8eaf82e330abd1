/* What the agent and its recorder or replayer share: where it lies in a tracee, its state, and the
 * records that it writes. docs/agent.md explains it. Fixed widths, stdint only. */
#ifndef WARP_ABI_AGENT_ABI_H
#define WARP_ABI_AGENT_ABI_H

#include <stdint.h>

/* The code; its first instructions are entered from outside. */
#define AGENT_CODE	0x70010000ull
#define AGENT_CODE_SIZE 0x4000ull
#define AGENT_ENTRY \
	(AGENT_CODE + 0) /* a site calls this: makes the call and records it, or declines */
#define AGENT_DECLINE (AGENT_CODE + 8)	/* a site calls this: declines */
#define AGENT_SYSCALL (AGENT_CODE + 16) /* syscall; ret: the seccomp program lets it pass */
#define AGENT_TRAP    (AGENT_CODE + 24) /* int3: where a call ends if agent_state.trap says so */

/* The state, a stack, and the buffer. */
#define AGENT_DATA	  0x70020000ull
#define AGENT_STACK_TOP	  0x70028000ull
#define AGENT_BUFFER	  0x70028000ull
#define AGENT_BUFFER_SIZE 0x40000ull
#define AGENT_DATA_END	  (AGENT_BUFFER + AGENT_BUFFER_SIZE)

#define AGENT_CALLS  512 /* numbers below this */
#define AGENT_PIECES 3
#define AGENT_FDS    1024

enum agent_row_flags {
	AGENT_ROW_KNOWN = 1,
	AGENT_ROW_REGULAR = 2, /* only on descriptors of regular files: others may sleep */
	AGENT_ROW_PLAIN = 4,   /* only on descriptors whose writes concern nobody else */
};

enum agent_piece_kind {
	AGENT_PIECE_CONST = 1,	  /* `size` bytes */
	AGENT_PIECE_COUNTED = 2,  /* argument `count` elements of `size` bytes */
	AGENT_PIECE_RETURNED = 3, /* the same, but no more than `result` elements */
	AGENT_PIECE_STRING = 4,
};

/* Memory that a call reads (in) or writes in full when it succeeds. */
struct agent_piece {
	uint8_t kind; /* enum agent_piece_kind; 0: none */
	uint8_t in;
	uint8_t arg, count;
	uint32_t size;
};

struct agent_row {
	uint32_t flags; /* enum agent_row_flags; 0: declined */
	uint32_t reserved;
	struct agent_piece pieces[AGENT_PIECES];
};

/* Written by the supervisor while no task runs there, but for what says otherwise. Sites and the
 * agent's entry know the offsets of the first four words. */
struct agent_state {
	uint64_t entry;	 /* AGENT_ENTRY or AGENT_DECLINE */
	uint64_t sp;	 /* the agent's: the program's stack pointer */
	uint64_t resume; /* the agent's: where the site goes on */
	uint64_t after;	 /* the agent's: where to go on from AGENT_TRAP */
	uint32_t off;	 /* decline everything */
	uint32_t trap;	 /* stop at the end of the call that is being made */
	uint64_t used;	 /* bytes of the buffer; the agent adds, the supervisor takes all */
	uint64_t
		fed; /* replaying: so many bytes of records are in the buffer; the last one traps */
	uint64_t bases; /* not 0: rdfsbase works: programs can change their bases by themselves */
	uint64_t regular[AGENT_FDS / 64], plain[AGENT_FDS / 64];
	struct agent_row rows[AGENT_CALLS];
};

/* General registers when the call was made, as the architecture orders them (arch.agent_regs()). */
#define AGENT_REGS  20
#define AGENT_BASES 18 /* from here on those of segments; 0: not asked for */

struct agent_record {
	uint32_t size; /* of all: a multiple of 8 */
	uint16_t nr;
	uint16_t pieces;
	int64_t result;
	uint64_t regs[AGENT_REGS];
};

/* In a record, behind it: a piece and its bytes, zeros up to the next multiple of 8. */
struct agent_bytes {
	uint64_t addr;
	uint32_t length;
	uint32_t in;
};

#endif
