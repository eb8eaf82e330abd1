/* The lines of a trace as strace 6.1 writes them.
 *
 * A line belongs to the thread that `open` names until it is finished; whoever writes next finishes
 * it with " <unfinished ...>" first, and its call's end then begins a line with "<... NAME
 * resumed>". In a file of its own it is interrupted by nobody but itself. Invariant: line_begin is where the open (or last) line begins, counted over all
 * output. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "live/trace_tool.h"

static uint64_t position(const struct tracing *s)
{
	return s->lines->output.written + s->lines->output.text.count;
}

/* ---- the beginning of a line ---- */

static void put_clock(struct tracing *s, struct bytes *out)
{
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	if (s->options->clock == LIVE_TRACE_EPOCH) {
		bytes_format(out, "%jd.%06ld ", (intmax_t)now.tv_sec, now.tv_nsec / 1000);
		return;
	}
	localtime_r(&now.tv_sec, &tm);
	bytes_format(out, "%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
	if (s->options->clock == LIVE_TRACE_MICROSECONDS)
		bytes_format(out, ".%06ld", now.tv_nsec / 1000);
	bytes_put(out, " ");
}

static void put_relative(struct tracing *s, struct bytes *out)
{
	bool also = s->options->clock != LIVE_TRACE_NO_CLOCK;
	struct timespec now;
	uint64_t ns, since;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	since = s->leader_ns ? ns - s->leader_ns : 0;
	s->leader_ns = ns;
	bytes_format(out, "%s%6" PRIu64 ".%06" PRIu64 "%s ", also ? "(+" : "", since / 1000000000,
		     since % 1000000000 / 1000, also ? ")" : "");
}

static void finish_open(struct tracing *s)
{
	if (s->lines->open)
		bytes_put(trace_out(s), " <unfinished ...>\n");
	s->lines->open = NULL;
}

static void begin_line(struct tracing *s, struct traced *t)
{
	struct bytes *out = trace_out(s);

	finish_open(s);
	s->lines->line_begin = position(s);
	if (!t->own && s->options->output && s->options->follow)
		bytes_format(out, "%-5d ", t->task->tracee.tid);
	else if (!t->own && !s->options->output && s->traced->next) /* not the only one */
		bytes_format(out, "[pid %5d] ", t->task->tracee.tid);
	if (s->options->clock != LIVE_TRACE_NO_CLOCK)
		put_clock(s, out);
	if (s->options->relative)
		put_relative(s, out);
}

/* ---- calls ---- */

void trace_put_call_name(struct bytes *out, const struct traced *t)
{
	const struct live_task *task = t->task;
	const char *name = t->row ? t->row->name : NULL;

	if (task->foreign_call)
		name = arch.narrow_call_name(task->call.nr);
	if (name)
		bytes_put(out, name);
	else
		bytes_format(out, "syscall_%#x", (unsigned)task->call.nr);
}

/* What the row of a call does not tell: a call that a signal interrupted goes on, or one came
 * through the 32-bit gate, whose arguments are numbers to us. */
static void put_special_call(struct traced *t, struct bytes *out)
{
	const struct live_task *task = t->task;

	t->half = (struct sc_half){.next = SC_ARGS, .complete = true};
	trace_put_call_name(out, t);
	if (!task->foreign_call) {
		bytes_format(out, "(<... resuming interrupted %s ...>",
			     t->previous_name ? t->previous_name : "system call");
		return;
	}
	for (unsigned i = 0; i < SC_ARGS; i++)
		bytes_format(out, "%s%#" PRIx64, i ? ", " : "(", task->call.args[i]);
}

void trace_put_first_half(struct tracing *s, struct traced *t, struct bytes *out)
{
	s->style.context = t;
	if (t->task->foreign_call || sc_row_restarts(t->row))
		put_special_call(t, out);
	else
		sc_format_entry(out, t->row, &t->task->call, &t->memory, &s->style, &t->half);
}

static void text_call(struct tracing *s, struct traced *t)
{
	if (t->shown == TRACE_PENDING) {
		vec_clear(&t->begun);
		trace_put_first_half(s, t, &t->begun);
		return;
	}
	begin_line(s, t);
	trace_put_first_half(s, t, trace_out(s));
	s->lines->open = t;
}

/* The line of the thread's call is at the end of the output afterwards. */
static void resume_line(struct tracing *s, struct traced *t)
{
	struct bytes *out = trace_out(s);

	if (t->shown == TRACE_PENDING) {
		begin_line(s, t);
		vec_append(out, t->begun.items, t->begun.count);
	} else if (s->lines->open != t) {
		begin_line(s, t);
		bytes_put(out, "<... ");
		trace_put_call_name(out, t);
		bytes_put(out, " resumed>");
	}
	s->lines->open = NULL;
}

static void text_call_end(struct tracing *s, struct traced *t, const struct sc_call *call,
			  uint64_t now_ns)
{
	struct bytes *out = trace_out(s);
	uint64_t us = (now_ns - t->began_ns) / 1000;

	resume_line(s, t);
	s->style.context = t;
	sc_format_exit(out, position(s) - s->lines->line_begin, t->row, call, &t->memory, &s->style,
		       &t->half);
	if (s->options->durations)
		bytes_format(out, " <%" PRIu64 ".%06" PRIu64 ">", us / 1000000, us % 1000000);
	bytes_put(out, "\n");
	if (s->options->stacks)
		trace_stack_print(s, t, out);
}

static void text_call_lost(struct tracing *s, struct traced *t)
{
	struct bytes *out = trace_out(s);

	resume_line(s, t);
	if (!t->half.complete)
		bytes_put(out, " <unfinished ...>");
	sc_format_close(out, position(s) - s->lines->line_begin);
	bytes_put(out, "= ?\n");
}

/* ---- signals and ends ---- */

static void put_signal_name(struct bytes *out, int signal)
{
	const char *name = sc_signal_name(signal);

	if (name)
		bytes_put(out, name);
	else
		bytes_format(out, "%d", signal);
}

static void text_signal(struct tracing *s, struct traced *t, int signal, const siginfo_t *info)
{
	struct bytes *out = trace_out(s);

	begin_line(s, t);
	bytes_put(out, "--- ");
	put_signal_name(out, signal);
	bytes_put(out, " ");
	s->style.context = t;
	sc_format_siginfo(out, info, &s->style);
	bytes_put(out, " ---\n");
	if (s->options->stacks)
		trace_stack_print(s, t, out);
}

static void text_group_stop(struct tracing *s, struct traced *t, int signal)
{
	struct bytes *out = trace_out(s);

	begin_line(s, t);
	bytes_put(out, "--- stopped by ");
	put_signal_name(out, signal);
	bytes_put(out, " ---\n");
}

static void text_moves(struct tracing *s, struct traced *t)
{
	if (s->lines->open)
		bytes_format(trace_out(s), " <pid changed to %d ...>\n", t->task->tracee.tid);
	s->lines->open = NULL;
}

static void text_exec_by(struct tracing *s, struct traced *t, pid_t former)
{
	begin_line(s, t);
	bytes_format(trace_out(s), "+++ superseded by execve in pid %d +++\n", former);
}

static void text_end(struct tracing *s, struct traced *t, int status)
{
	struct bytes *out = trace_out(s);

	begin_line(s, t);
	if (WIFEXITED(status)) {
		bytes_format(out, "+++ exited with %d +++\n", WEXITSTATUS(status));
		return;
	}
	bytes_put(out, "+++ killed by ");
	put_signal_name(out, WTERMSIG(status));
	bytes_put(out, WCOREDUMP(status) ? " (core dumped) +++\n" : " +++\n");
}

static void text_stack(struct tracing *s, struct traced *t)
{
	vec_append(trace_out(s), t->stack.items, t->stack.count);
}

static void text_interrupt(struct tracing *s, bool detached)
{
	if (detached && s->lines->open) {
		bytes_put(trace_out(s), " <detached ...>\n");
		s->lines->open = NULL;
	}
	finish_open(s);
}

const struct trace_form trace_text_form = {
	.call = text_call,
	.call_end = text_call_end,
	.call_lost = text_call_lost,
	.signal = text_signal,
	.group_stop = text_group_stop,
	.exec_by = text_exec_by,
	.moves = text_moves,
	.end = text_end,
	.stack = text_stack,
	.interrupt = text_interrupt,
};
