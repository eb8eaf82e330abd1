/* The stack of a stopped thread, a line for each frame, in strace's layout.
 *
 * What is known of the files that a process has mapped is kept, of the processes that made the last
 * calls; mappings are read again when they may have changed. */
#include <inttypes.h>
#include <stdlib.h>
#include <uthash.h>

#include "arch/arch.h"
#include "live/symbols.h"
#include "live/trace_tool.h"
#include "util/alloc.h"

#define FRAMES_MAX 256
/* Each holds descriptors and symbol tables, some MB. */
#define PROCESSES_MAX 16

/* In the order of their last use. */
struct stack_files {
	pid_t pid;
	struct live_symbols *symbols;
	bool changed;
	UT_hash_handle hh;
};

static struct stack_files *find(struct tracing *s, pid_t pid)
{
	struct stack_files *files;

	HASH_FIND_INT(s->stack_files, &pid, files);
	return files;
}

static void drop(struct tracing *s, struct stack_files *files)
{
	HASH_DEL(s->stack_files, files);
	live_symbols_destroy(files->symbols);
	free(files);
}

void trace_stack_changed(struct tracing *s, pid_t pid)
{
	struct stack_files *files = find(s, pid);

	if (files)
		files->changed = true;
}

void trace_stack_forget(struct tracing *s, pid_t pid)
{
	struct stack_files *files = find(s, pid);

	if (files)
		drop(s, files);
}

void trace_stack_deinit(struct tracing *s)
{
	while (s->stack_files)
		drop(s, s->stack_files);
}

static struct live_symbols *symbols_of(struct tracing *s, pid_t pid)
{
	struct stack_files *files = find(s, pid);

	if (files) {
		HASH_DEL(s->stack_files, files);
	} else {
		if (HASH_COUNT(s->stack_files) == PROCESSES_MAX)
			drop(s, s->stack_files);
		files = xcalloc(1, sizeof(*files));
		files->pid = pid;
		files->symbols = live_symbols_create(pid);
	}
	HASH_ADD_INT(s->stack_files, pid, files);
	if (files->changed)
		live_symbols_refresh(files->symbols);
	files->changed = false;
	return files->symbols;
}

static void put_frame(struct bytes *out, struct live_symbols *symbols,
		      const struct live_frame *frame)
{
	struct live_symbol symbol;

	if (!live_symbols_find(symbols, frame->place, &symbol)) {
		bytes_format(out, " > unexpected_backtracing_error [%#" PRIx64 "]\n", frame->pc);
		return;
	}
	bytes_format(out, " > %s(", symbol.file);
	if (symbol.name)
		bytes_format(out, "%s+%#" PRIx64, symbol.name,
			     symbol.offset + (frame->pc - frame->place));
	bytes_format(out, ") [%#" PRIx64 "]\n", symbol.file_offset + (frame->pc - frame->place));
}

void trace_stack_print(struct tracing *s, struct traced *t, struct bytes *out)
{
	struct live_symbols *symbols = symbols_of(s, t->task->process->pid);
	const struct arch_state state = {.regs = *tracee_regs(&t->task->tracee)};
	struct live_frame frames[FRAMES_MAX];
	uint64_t regs[ARCH_UNWIND_REGS];
	const struct live_unwind unwind = {
		.tid = t->task->tracee.tid,
		.regs = regs,
		.reg_count = arch.unwind_regs(&state, regs),
		.word = sizeof(uint64_t),
		.memory = t->memory,
	};
	size_t count = live_symbols_unwind(symbols, &unwind, frames, FRAMES_MAX);

	for (size_t i = 0; i < count; i++)
		put_frame(out, symbols, &frames[i]);
}
