/* The report of a divergence: event, task, what was expected and what happened, the registers that
 * differ, and a stack with names. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "replay/session.h"
#include "util/cleanup.h"

#define FRAMES 24

static const char *const kind_names[TRACE_EV_KINDS] = {
	[TRACE_EV_START] = "the start",
	[TRACE_EV_SYSCALL] = "the system call",
	[TRACE_EV_SYSCALL_ENTER] = "the entry of the system call",
	[TRACE_EV_SYSCALL_EXIT] = "the end of the system call",
	[TRACE_EV_RESTART] = "the restart of a system call",
	[TRACE_EV_INSN] = "a trapped instruction",
	[TRACE_EV_SIGNAL] = "the handler of a signal",
	[TRACE_EV_SIGNAL_FATAL] = "a fatal signal",
	[TRACE_EV_TASK_NEW] = "a new task",
	[TRACE_EV_EXEC] = "a new program",
	[TRACE_EV_TASK_EXIT] = "the end of the task",
	[TRACE_EV_FILE_WRITE] = "a change of a mapped file",
	[TRACE_EV_END] = "the end",
};

static void print_frame(void *context, const struct replay_frame *frame)
{
	FILE *out = context;

	if (frame->repeated)
		fprintf(out, "    ... the last frame %u times more\n", frame->repeated);
	fprintf(out, "    #%-2u %#018llx", frame->number, (unsigned long long)frame->pc);
	if (frame->name)
		fprintf(out, " %s+%#llx", frame->name, (unsigned long long)frame->offset);
	if (frame->file)
		fprintf(out, " (%s)", frame->file);
	fputc('\n', out);
}

static void print_stack(FILE *out, struct rep_session *s, struct rep_task *t)
{
	fprintf(out, "  stack of the task:\n");
	rep_walk_stack(s, t, FRAMES, print_frame, out);
}

static void print_event(FILE *out, const struct rep_session *s)
{
	const struct trace_event *event = &s->event;
	const char *kind = event->kind < TRACE_EV_KINDS ? kind_names[event->kind] : NULL;
	const struct sc_row *row = NULL;

	if (event->kind >= TRACE_EV_SYSCALL && event->kind <= TRACE_EV_SYSCALL_EXIT)
		row = sc_row((int)event->arg);
	fprintf(out, "%s%s%s", kind ? kind : "an event", row ? " " : "", row ? row->name : "");
}

static void print_head(FILE *out, const struct rep_session *s, const struct rep_task *t)
{
	const struct trace_event *event = &s->event;

	fprintf(out, "the replay diverged from the recording at event %llu, task %u: expected ",
		(unsigned long long)event->number, t->tid);
	print_event(out, s);
	if (event->kind == TRACE_EV_SIGNAL || event->kind == TRACE_EV_SIGNAL_FATAL)
		fprintf(out, " (%s)", strsignal((int)event->arg));
}

static struct error *finish(FILE *out, char **text, struct rep_session *s, struct rep_task *t)
{
	if (!t->tracee.gone)
		print_stack(out, s, t);
	if (!(trace_reader_meta(s->reader)->numbers.flags & TRACE_META_CPUID_TRAPPED))
		fprintf(out, "  note: cpuid could not be made to trap when this was recorded; a "
			     "program that uses "
			     "rdrand or rdseed diverges\n");
	fclose(out);
	struct error *error = error_new_kind(ERROR_DIVERGED, "%s", *text);

	free(*text);
	return error;
}

struct error *rep_diverged(struct rep_session *s, struct rep_task *t, const char *format, ...)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	va_list args;

	if (!out)
		alloc_failed(0);
	print_head(out, s, t);
	fputs(", but ", out);
	va_start(args, format);
	vfprintf(out, format, args);
	va_end(args);
	fputc('\n', out);
	return finish(out, &text, s, t);
}

struct error *rep_damaged(struct rep_session *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	char *how _cleanup_free_ = xvasprintf(format, args);

	va_end(args);
	return error_new_kind(ERROR_DIVERGED, "event %llu %s: the recording is damaged",
			      (unsigned long long)s->event.number, how);
}

struct error *rep_stopped_short(struct rep_session *s, struct rep_task *t)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		alloc_failed(0);
	fprintf(out, "the replay was interrupted at event %llu",
		(unsigned long long)s->event.number);
	if (t) {
		fprintf(out, ", task %u, on the way to ", t->tid);
		print_event(out, s);
		fprintf(out, ", at %#llx\n", (unsigned long long)arch.pc(tracee_regs(&t->tracee)));
		print_stack(out, s, t);
	}
	fclose(out);
	struct error *error = error_new("%s", text);

	free(text);
	return error;
}

struct error *rep_diverged_regs(struct rep_session *s, struct rep_task *t,
				const struct regs *actual)
{
	struct regs expected = rep_event_regs(s);
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		alloc_failed(0);
	print_head(out, s, t);
	fputs(", but registers differ\n", out);
	for (int i = 0; i < TRACE_REGS; i++)
		if (actual->word[i] != expected.word[i])
			fprintf(out, "    %-8s expected %#018llx, is %#018llx\n", arch.reg_names[i],
				(unsigned long long)expected.word[i],
				(unsigned long long)actual->word[i]);
	return finish(out, &text, s, t);
}

static void print_bytes(FILE *out, const char *label, const uint8_t *bytes, size_t length)
{
	fprintf(out, "    %s", label);
	for (size_t i = 0; i < length && i < 16; i++)
		fprintf(out, " %02x", bytes[i]);
	fputc('\n', out);
}

struct error *rep_diverged_memory(struct rep_session *s, struct rep_task *t,
				  const struct trace_datum_view *recorded,
				  const struct bytes *actual)
{
	const uint8_t *expected = recorded->bytes;
	char *text = NULL;
	size_t length, same = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		alloc_failed(0);
	while (same < actual->count && expected[same] == actual->items[same])
		same++;
	print_head(out, s, t);
	fprintf(out,
		", but the %llu bytes of memory at %#llx that it reads differ from byte %zu on\n",
		(unsigned long long)recorded->length, (unsigned long long)recorded->addr, same);
	print_bytes(out, "expected", expected + same, recorded->length - same);
	print_bytes(out, "is      ", actual->items + same, actual->count - same);
	return finish(out, &text, s, t);
}
