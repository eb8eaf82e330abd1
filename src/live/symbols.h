/* Names for addresses of a running process, and stacks of its threads, from the symbols and unwind
 * tables of the files that it has mapped (libdwfl). */
#ifndef WARP_LIVE_SYMBOLS_H
#define WARP_LIVE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/memory.h"
#include "util/taddr.h"

struct live_symbols;

struct live_symbol {
	const char *name;     /* NULL if it has none */
	uint64_t offset;      /* from the symbol's beginning, else from the file's */
	const char *file;     /* NULL if no file is mapped there */
	uint64_t file_offset; /* from the beginning of where it is mapped */
};

/* Reads what the process has mapped; it may run. Never NULL: of a process that is gone nothing will
 * be found. Files are opened when they are needed. */
struct live_symbols *live_symbols_create(pid_t pid);
void live_symbols_destroy(struct live_symbols *symbols);

/* The process may have other mappings than when this was last asked. (After an exec: make new
 * ones.) */
void live_symbols_refresh(struct live_symbols *symbols);

/* Texts are valid until live_symbols_destroy or live_symbols_refresh. */
bool live_symbols_find(struct live_symbols *symbols, taddr addr, struct live_symbol *symbol);

/* A thread whose stack is unwound: its registers in DWARF's order, and the memory to look at. */
struct live_unwind {
	pid_t tid;
	const uint64_t *regs;
	unsigned reg_count;
	unsigned word; /* bytes of an address */
	struct sc_memory memory;
};

struct live_frame {
	taddr pc;
	/* Whose name is wanted: of a caller the byte before, since a call may be the last
	 * instruction of its function. */
	taddr place;
};

/* Writes up to `room` frames, the innermost first, and returns how many there are. */
size_t live_symbols_unwind(struct live_symbols *symbols, const struct live_unwind *thread,
			   struct live_frame *frames, size_t room);

#endif
