/* Symbols and stacks through libdwfl.
 *
 * The process is never stopped or asked here: mappings come from /proc, symbols from the mapped files,
 * registers and memory from the caller, who may have copied them long ago.
 *
 * Invariant: `thread` is set only while its stack is being unwound. */
#include "live/symbols.h"

#include <elfutils/libdwfl.h>
#include <stdlib.h>

#include "util/alloc.h"

struct live_symbols {
	Dwfl *dwfl; /* NULL: nothing is known */
	pid_t pid;
	bool attached;
	const struct live_unwind *thread;
};

static bool get_thread(Dwfl *dwfl, pid_t tid, void *context, void **thread)
{
	*thread = context;
	return true;
}

/* Only the thread that is being unwound is asked for. */
static pid_t next_thread(Dwfl *dwfl, void *context, void **thread)
{
	return 0;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *result, void *context)
{
	const struct live_unwind *thread = ((struct live_symbols *)context)->thread;

	*result = 0;
	return thread->memory.read(thread->memory.context, addr, result, thread->word) ==
	       thread->word;
}

static bool set_registers(Dwfl_Thread *dwfl_thread, void *context)
{
	const struct live_unwind *thread = ((struct live_symbols *)context)->thread;

	return dwfl_thread_state_registers(dwfl_thread, 0, thread->reg_count, thread->regs);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_memory,
	.set_initial_registers = set_registers,
};

struct live_symbols *live_symbols_create(pid_t pid)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_linux_proc_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
	};
	struct live_symbols *symbols = xcalloc(1, sizeof(*symbols));

	symbols->pid = pid;
	symbols->dwfl = dwfl_begin(&callbacks);
	if (symbols->dwfl && (dwfl_linux_proc_report(symbols->dwfl, pid) ||
			      dwfl_report_end(symbols->dwfl, NULL, NULL))) {
		dwfl_end(symbols->dwfl);
		symbols->dwfl = NULL;
	}
	return symbols;
}

void live_symbols_destroy(struct live_symbols *symbols)
{
	if (!symbols)
		return;
	if (symbols->dwfl)
		dwfl_end(symbols->dwfl);
	free(symbols);
}

bool live_symbols_find(struct live_symbols *symbols, taddr addr, struct live_symbol *symbol)
{
	Dwfl_Module *module = symbols->dwfl ? dwfl_addrmodule(symbols->dwfl, addr) : NULL;
	Dwarf_Addr start;
	GElf_Sym sym;

	*symbol = (struct live_symbol){0};
	if (!module)
		return false;
	symbol->file = dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, NULL, NULL);
	symbol->name = dwfl_module_addrinfo(module, addr, &symbol->offset, &sym, NULL, NULL, NULL);
	symbol->file_offset = addr - start;
	if (!symbol->name)
		symbol->offset = symbol->file_offset;
	return true;
}

/* ---- stacks ---- */

struct frames {
	struct live_frame *items;
	size_t count, room;
};

static int add_frame(Dwfl_Frame *frame, void *context)
{
	struct frames *frames = context;
	Dwarf_Addr pc;
	bool exact;

	if (!dwfl_frame_pc(frame, &pc, &exact))
		return DWARF_CB_ABORT;
	frames->items[frames->count++] = (struct live_frame){pc, exact ? pc : pc - 1};
	return frames->count < frames->room ? DWARF_CB_OK : DWARF_CB_ABORT;
}

/* Whose kind of machine decides is one of the process's files: its main program, else any. */
static bool attach(struct live_symbols *symbols)
{
	if (!symbols->attached && symbols->dwfl)
		symbols->attached = dwfl_attach_state(symbols->dwfl, NULL, symbols->pid,
						      &thread_callbacks, symbols);
	return symbols->attached;
}

size_t live_symbols_unwind(struct live_symbols *symbols, const struct live_unwind *thread,
			   struct live_frame *frames, size_t room)
{
	struct frames list = {.items = frames, .room = room};

	if (!room || !attach(symbols))
		return 0;
	symbols->thread = thread;
	dwfl_getthread_frames(symbols->dwfl, thread->tid, add_frame, &list);
	symbols->thread = NULL;
	return list.count;
}
