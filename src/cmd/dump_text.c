/* An event as a line of text: system calls, signals and ends as strace(1) writes them, the rest in
 * the same style. Marks in angle brackets at the end of a line say how the event was recorded. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/dump.h"
#include "cmd/text.h"
#include "syscalls/format.h"
#include "util/alloc.h"
#include "util/cleanup.h"

/* ---- system calls ---- */

static void put_result(FILE *out, int64_t result)
{
	const char *name = result < 0 && result >= -4095 ? sc_errno_name((int)-result) : NULL;

	if (name && result > -512)
		fprintf(out, "-1 %s (%s)", name, strerrordesc_np((int)-result));
	else if (name)
		fprintf(out, "? %s", name);
	else
		fprintf(out, "%" PRId64, result);
}

/* A call that the table does not know: strace's form. */
static void put_unknown_call(FILE *out, const struct dump_event *e)
{
	fprintf(out, "syscall_%#x(", (unsigned)e->call.nr);
	for (int i = 0; i < SC_ARGS; i++)
		fprintf(out, "%s%#" PRIx64, i ? ", " : "", e->call.args[i]);
	if (!e->call.ended)
		return;
	fputs(") = ", out);
	put_result(out, e->call.result);
}

static void put_restarted_call(FILE *out, const struct dump_event *e)
{
	fprintf(out, "restart_syscall(<... resuming interrupted %s ...>",
		e->row ? e->row->name : "call");
	if (!e->call.ended)
		return;
	fputs(") = ", out);
	put_result(out, e->call.result);
}

static void put_call(FILE *out, const struct dump_event *e)
{
	struct sc_memory entry = dump_entry_memory(e), after = dump_memory(e);

	if (e->restarted)
		put_restarted_call(out, e);
	else if (e->row)
		sc_format_from(out, e->row, &e->call, &entry, &after);
	else
		put_unknown_call(out, e);
	if (e->event.kind == TRACE_EV_SYSCALL_EXIT)
		fputs(" <resumed>", out);
	else if (!e->call.ended && !(e->row && (e->row->flags & SC_NEVER_RETURNS)))
		fputs(" <unfinished ...>", out);
	if (e->event.flags & TRACE_F_REFUSED)
		fputs(" <answered by the recorder>", out);
	if (e->event.flags & TRACE_F_FALLBACK)
		fputs(" <recorded by comparison>", out);
}

/* The registers are those before the call is made again: its number is where results are. */
static void put_restart(FILE *out, const struct dump_event *e)
{
	const struct sc_row *row = sc_row((int)arch.call_result(&e->regs));

	fprintf(out, "--- %s is made again ---", row ? row->name : "a system call");
}

/* ---- signals and instructions ---- */

/* siginfo_t as the formatter writes it, which knows it as the argument of a call. */
static void put_siginfo(FILE *out, const struct dump_event *e, const struct dump_record *info)
{
	static const struct sc_row row = {
		.nr = -1,
		.name = "",
		.nargs = 1,
		.fd_arg = -1,
		.args = {{"info", SC_T_SIGINFO, SC_IN, SC_S_CONST, 0, 128}},
	};
	struct dump_record at_1 = {TRACE_D_INPUT, 1, info->kept, info->at, info->kept};
	struct dump_event only = {
		.data = {.records = {&at_1, 1, 1}, .bytes = e->data.bytes},
	};
	struct sc_call call = {.nr = -1, .args = {1}};
	struct sc_memory memory = dump_memory(&only);
	char *text _cleanup_free_ = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);

	if (!stream)
		alloc_failed(0);
	sc_format(stream, &row, &call, &memory);
	fclose(stream);
	fputs(text + 1, out); /* without the bracket before the arguments */
}

static void put_signal(FILE *out, const struct dump_event *e)
{
	const char *name = sc_signal_name((int)e->event.arg);
	const struct dump_record *info = dump_find(e, TRACE_D_SIGINFO);

	if (name)
		fprintf(out, "--- %s ", name);
	else
		fprintf(out, "--- signal %" PRIu32 " ", e->event.arg);
	if (info && info->kept >= 128) {
		put_siginfo(out, e, info);
		putc(' ', out);
	}
	fputs("---", out);
	if (e->event.kind == TRACE_EV_SIGNAL_FATAL)
		fputs(" <fatal>", out);
}

/* A trapped instruction: the registers that it changed. */
static void put_instruction(FILE *out, const struct dump_event *e)
{
	const struct dump_record *record = dump_find(e, TRACE_D_REGS);
	struct regs after = e->regs;
	const char *separator = " {";

	if (e->event.arg == ARCH_TRAP_TIME)
		fputs("--- rdtsc", out);
	else if (e->event.arg == ARCH_TRAP_CPUID)
		fputs("--- cpuid", out);
	else
		fprintf(out, "--- trapped instruction of kind %" PRIu32, e->event.arg);
	fprintf(out, " at %#" PRIx64, (uint64_t)arch.pc(&e->regs));
	if (record && record->kept == sizeof(after.word))
		memcpy(after.word, dump_bytes(e, record), sizeof(after.word));
	arch.set_pc(&after, arch.pc(&e->regs));
	for (size_t i = 0; i < TRACE_REGS; i++) {
		if (after.word[i] == e->regs.word[i])
			continue;
		fprintf(out, "%s%s=%#" PRIx64 "=>%#" PRIx64, separator, arch.reg_names[i],
			e->regs.word[i], after.word[i]);
		separator = ", ";
	}
	fprintf(out, "%s ---", *separator == ',' ? "}" : "");
}

/* ---- programs and tasks ---- */

static void put_image(FILE *out, const struct dump_event *e)
{
	const struct dump_record *path = dump_find(e, TRACE_D_EXEC_PATH);

	fprintf(out, "+++ %s ", e->event.kind == TRACE_EV_START ? "started" : "executes");
	if (path)
		text_put_quoted(out, dump_bytes(e, path), path->kept);
	else
		fputs("a program", out);
	if (e->event.kind == TRACE_EV_START) {
		const struct trace_texts *words = &trace_reader_meta(e->reader)->command;

		fputs(" as [", out);
		for (size_t i = 0; i < words->count; i++) {
			fputs(i ? ", " : "", out);
			text_put_quoted(out, words->items[i], strlen(words->items[i]));
		}
		putc(']', out);
	} else if (e->event.arg != e->event.tid) {
		fprintf(out, " by its thread %" PRIu32, e->event.arg);
	}
	fputs(" +++", out);
}

static void put_new_task(FILE *out, const struct dump_event *e)
{
	const struct dump_record *record = dump_find(e, TRACE_D_TASK);
	struct trace_task task = {0};

	if (record && record->kept == sizeof(task))
		memcpy(&task, dump_bytes(e, record), sizeof(task));
	fprintf(out, "+++ new %s %" PRId64 " +++", task.tid == task.tgid ? "process" : "thread",
		e->event.result);
}

static void put_file_change(FILE *out, const struct dump_event *e)
{
	const char *path = trace_reader_file_path(e->reader, e->event.arg);
	const char *separator = ": ";

	fputs("+++ mapped file ", out);
	if (path && *path)
		text_put_quoted(out, path, strlen(path));
	else
		fprintf(out, "number %" PRIu32, e->event.arg);
	fputs(" changed", out);
	vec_foreach (&e->data.records, record) {
		if (record->kind != TRACE_D_FILE_BYTES)
			continue;
		if (record->length)
			fprintf(out, "%s%" PRIu64 " bytes at %" PRIu64, separator, record->length,
				(uint64_t)record->addr);
		else
			fprintf(out, "%ssize %" PRIu64, separator, (uint64_t)record->addr);
		separator = ", ";
	}
	fputs(" +++", out);
}

/* Where between events the task is. */
static void put_place(FILE *out, const struct dump_event *e)
{
	const struct dump_record *record = dump_find(e, TRACE_D_PLACE);
	struct trace_place place;

	if (!record || record->kept != sizeof(place))
		return;
	memcpy(&place, dump_bytes(e, record), sizeof(place));
	fprintf(out, " <at %#" PRIx64 ", after %" PRIu64 " site%s", (uint64_t)arch.pc(&e->regs),
		place.hits, place.hits == 1 ? "" : "s");
	if (place.steps)
		fprintf(out, " and %" PRIu32 " step%s", place.steps, place.steps == 1 ? "" : "s");
	fputs(place.kind == TRACE_PLACE_EXACT ? ">" : ", by its state>", out);
}

static void put_sites(FILE *out, const struct dump_event *e)
{
	struct trace_probe probe;

	fputs("+++ counts from here on", out);
	vec_foreach (&e->data.records, record) {
		if (record->kind != TRACE_D_PROBE || record->kept != sizeof(probe))
			continue;
		memcpy(&probe, dump_bytes(e, record), sizeof(probe));
		fprintf(out, " %s%#" PRIx64, probe.length ? "" : "no more ", probe.pc);
	}
	fputs(" +++", out);
}

static void put_end(FILE *out, const struct dump_event *e)
{
	fputs(e->event.kind == TRACE_EV_END ? "+++ end of the recording, " : "+++ ", out);
	text_put_end(out, e->event.result);
	fputs(" +++", out);
}

void dump_put_text(FILE *out, const struct dump_event *e)
{
	switch (e->event.kind) {
	case TRACE_EV_SYSCALL:
	case TRACE_EV_SYSCALL_ENTER:
	case TRACE_EV_SYSCALL_EXIT:
		put_call(out, e);
		break;
	case TRACE_EV_RESTART:
		put_restart(out, e);
		break;
	case TRACE_EV_INSN:
		put_instruction(out, e);
		break;
	case TRACE_EV_SIGNAL:
	case TRACE_EV_SIGNAL_FATAL:
		put_signal(out, e);
		put_place(out, e);
		break;
	case TRACE_EV_START:
	case TRACE_EV_EXEC:
		put_image(out, e);
		break;
	case TRACE_EV_TASK_NEW:
		put_new_task(out, e);
		break;
	case TRACE_EV_FILE_WRITE:
		put_file_change(out, e);
		break;
	case TRACE_EV_TASK_EXIT:
	case TRACE_EV_END:
		put_end(out, e);
		break;
	case TRACE_EV_SCHED:
		fputs("+++ preempted +++", out);
		put_place(out, e);
		break;
	case TRACE_EV_PROBES:
		put_sites(out, e);
		break;
	default:
		fprintf(out, "+++ event of kind %u +++", e->event.kind);
	}
}
