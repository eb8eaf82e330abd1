/* The stack of a replayed task. Symbols come from the recording's copies of the files: they are
 * what the task has mapped. */
#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>

#include "replay/session.h"

/* Frames of one recursion that are passed over before the stack is given up. */
#define REPEATED_MAX 100000

struct walk {
	replay_frame_fn show;
	void *context;
	Dwfl *dwfl;
	const struct trace_reader *reader;
	unsigned count, most, repeated;
	Dwarf_Addr last;
};

/* The recorded name of a mapped file whose copy is mapped. */
static const char *recorded_name(const struct walk *walk, const char *file)
{
	const char *copy = strstr(file, "/files.d/");
	const char *path =
		copy ? trace_reader_file_path(walk->reader, (uint32_t)strtoul(copy + 9, NULL, 10))
		     : NULL;

	return path && *path ? path : file;
}

/* What is known of the instruction: of the one before `frame->pc`, if that is a return address. */
static void name_frame(const struct walk *walk, bool returns, struct replay_frame *frame)
{
	Dwarf_Addr lookup = returns ? frame->pc - 1 : frame->pc, start;
	Dwfl_Module *module = dwfl_addrmodule(walk->dwfl, lookup);
	GElf_Off offset = 0;
	GElf_Sym symbol;

	if (!module)
		return;
	frame->name = dwfl_module_addrinfo(module, lookup, &offset, &symbol, NULL, NULL, NULL);
	frame->offset = offset;
	frame->file = dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, NULL, NULL);
	if (frame->file)
		frame->file = recorded_name(walk, frame->file);
}

static int pass_frame(Dwfl_Frame *dwarf, void *context)
{
	struct walk *walk = context;
	bool activation;
	Dwarf_Addr pc;

	if (!dwfl_frame_pc(dwarf, &pc, &activation))
		return DWARF_CB_ABORT;
	if (pc == walk->last && walk->count) { /* recursion: said once */
		walk->repeated++;
		return walk->repeated < REPEATED_MAX ? DWARF_CB_OK : DWARF_CB_ABORT;
	}
	struct replay_frame frame = {.number = walk->count, .pc = pc, .repeated = walk->repeated};

	walk->repeated = 0;
	walk->last = pc;
	name_frame(walk, !activation, &frame);
	walk->show(walk->context, &frame);
	return ++walk->count < walk->most ? DWARF_CB_OK : DWARF_CB_ABORT;
}

void rep_walk_stack(struct rep_session *s, struct rep_task *t, unsigned most, replay_frame_fn show,
		    void *context)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_linux_proc_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
	};
	struct walk walk = {.show = show,
			    .context = context,
			    .dwfl = dwfl_begin(&callbacks),
			    .reader = s->reader,
			    .most = most};

	if (!walk.dwfl)
		return;
	tracee_write_regs(&t->tracee);
	if (!dwfl_linux_proc_report(walk.dwfl, t->tracee.tid) &&
	    !dwfl_report_end(walk.dwfl, NULL, NULL) &&
	    !dwfl_linux_proc_attach(walk.dwfl, t->tracee.tid, true))
		dwfl_getthread_frames(walk.dwfl, t->tracee.tid, pass_frame, &walk);
	dwfl_end(walk.dwfl);
}
