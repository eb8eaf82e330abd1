/* Symbols and stacks through libdwfl.
 *
 * The process is never stopped or asked here: mappings come from /proc, symbols from the mapped
 * files, registers and memory from the caller, who may have copied them long ago.
 *
 * Invariant: `thread` is set only while its stack is being unwound. */
#include "live/symbols.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uthash.h>

#include "util/alloc.h"

/* libdwfl looks at every symbol of a file for each address: answers are kept, so many. */
#define ANSWERS_MAX 8192

struct answer {
	taddr addr;
	struct live_symbol symbol;
	UT_hash_handle hh;
};

struct live_symbols {
	Dwfl *dwfl; /* NULL: nothing is known */
	pid_t pid;
	bool attached;
	int program_fd; /* its program, which tells the kind of machine; -1: a module does */
	Elf *program;
	const struct live_unwind *thread;
	struct answer *answers; /* all about modules that are there */
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

static void drop_answers(struct live_symbols *symbols)
{
	struct answer *answer, *next;

	HASH_ITER (hh, symbols->answers, answer, next) {
		HASH_DEL(symbols->answers, answer);
		free(answer);
	}
}

static int removed(Dwfl_Module *module, void *data, const char *name, Dwarf_Addr base,
		   void *context)
{
	drop_answers(context);
	return DWARF_CB_OK;
}

/* Reads the mappings. Modules that are still there keep what was read of their files. */
static bool report(struct live_symbols *symbols)
{
	return !dwfl_linux_proc_report(symbols->dwfl, symbols->pid) &&
	       !dwfl_report_end(symbols->dwfl, removed, symbols);
}

static void begin(struct live_symbols *symbols)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_linux_proc_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
	};

	symbols->program_fd = -1;
	symbols->dwfl = dwfl_begin(&callbacks);
	if (symbols->dwfl && !report(symbols)) {
		dwfl_end(symbols->dwfl);
		symbols->dwfl = NULL;
	}
}

static void end(struct live_symbols *symbols)
{
	drop_answers(symbols);
	if (symbols->dwfl)
		dwfl_end(symbols->dwfl);
	elf_end(symbols->program);
	if (symbols->program_fd >= 0)
		close(symbols->program_fd);
	symbols->dwfl = NULL;
	symbols->program = NULL;
	symbols->attached = false;
}

struct live_symbols *live_symbols_create(pid_t pid)
{
	struct live_symbols *symbols = xcalloc(1, sizeof(*symbols));

	symbols->pid = pid;
	begin(symbols);
	return symbols;
}

void live_symbols_destroy(struct live_symbols *symbols)
{
	if (!symbols)
		return;
	end(symbols);
	free(symbols);
}

void live_symbols_refresh(struct live_symbols *symbols)
{
	/* without a program of ours libdwfl has kept one of the modules, which may be gone now */
	if (symbols->dwfl && (symbols->program || !symbols->attached)) {
		dwfl_report_begin(symbols->dwfl);
		if (report(symbols))
			return;
	}
	end(symbols);
	begin(symbols);
}

static bool look_up(struct live_symbols *symbols, taddr addr, struct live_symbol *symbol)
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

bool live_symbols_find(struct live_symbols *symbols, taddr addr, struct live_symbol *symbol)
{
	struct answer *answer;

	HASH_FIND(hh, symbols->answers, &addr, sizeof(addr), answer);
	if (!answer) {
		if (!look_up(symbols, addr, symbol))
			return false;
		if (HASH_COUNT(symbols->answers) == ANSWERS_MAX)
			drop_answers(symbols);
		answer = xcalloc(1, sizeof(*answer));
		answer->addr = addr;
		answer->symbol = *symbol;
		HASH_ADD(hh, symbols->answers, addr, sizeof(addr), answer);
	}
	*symbol = answer->symbol;
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

/* Whose kind of machine decides is the process's program, else any of its files. */
static bool attach(struct live_symbols *symbols)
{
	char path[32];

	if (symbols->attached || !symbols->dwfl)
		return symbols->attached;
	snprintf(path, sizeof(path), "/proc/%d/exe", symbols->pid);
	symbols->program_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (symbols->program_fd >= 0)
		symbols->program = elf_begin(symbols->program_fd, ELF_C_READ_MMAP, NULL);
	symbols->attached = dwfl_attach_state(symbols->dwfl, symbols->program, symbols->pid,
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
