/* The stack of a stopped thread, a line for each frame, in strace's layout.
 *
 * What is known of a process's mapped files is kept until its mappings may have changed.
 * Invariant: `symbols` is of the process `symbols_pid`; NULL for none. */
#include <inttypes.h>

#include "arch/arch.h"
#include "live/symbols.h"
#include "live/trace_tool.h"

#define FRAMES_MAX 256

void trace_stack_forget(struct tracing *s, pid_t pid)
{
	if (s->symbols_pid != pid)
		return;
	live_symbols_destroy(s->symbols);
	s->symbols = NULL;
	s->symbols_pid = 0;
}

static struct live_symbols *symbols_of(struct tracing *s, pid_t pid)
{
	if (s->symbols_pid != pid || !s->symbols) {
		trace_stack_forget(s, s->symbols_pid);
		s->symbols = live_symbols_create(pid);
		s->symbols_pid = pid;
	}
	return s->symbols;
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
