/* The tracing tool: from the engine's events to the lines of a form (text or JSON).
 *
 * Invariants: a thread's `shown` is TRACE_HIDDEN outside of calls; `tasks` counts the threads that
 * are traced; nothing of a call that no expression matches is formatted. Output is written when a
 * line on standard error is complete or its call may take long; to a file in larger pieces, but
 * never later than FLUSH_NS after it was made. */
#include "live/trace.h"

#include <inttypes.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "arch/arch.h"
#include "live/caller.h"
#include "live/trace_tool.h"
#include "util/cleanup.h"
#include "util/log.h"

#define FLUSH_NS    50000000
#define FLUSH_BYTES (64u << 10)

/* ---- output ---- */

static void timed_flush(void *context, void *argument)
{
	struct tracing *s = context;

	struct traced *t;

	s->flush_planned = false;
	trace_output_flush(&s->all.output);
	DL_FOREACH (s->traced, t)
		if (t->own)
			trace_output_flush(&t->own->output);
}

/* After each hook. `waits`: the program may be busy for long now, or write to the terminal
 * itself. */
static void settle_output(struct tracing *s, bool waits)
{
	struct trace_output *output = &s->lines->output;

	if (output->errnum || s->failed) {
		engine_quit(s->engine);
		return;
	}
	if (!output->text.count)
		return;
	if (output->path ? output->text.count >= FLUSH_BYTES : !s->lines->open || waits) {
		trace_output_flush(output);
	} else if (!s->flush_planned) {
		s->flush_planned = true;
		engine_timer(s->engine, FLUSH_NS, timed_flush, NULL);
	}
}

/* The file of the thread's own; one that is there already is emptied, unless `more` is O_APPEND. */
static void open_own(struct tracing *s, struct traced *t, int more)
{
	struct trace_lines *own = xcalloc(1, sizeof(*own));

	own->path = xasprintf("%s.%d", s->options->output, t->task->tracee.tid);
	t->own = own;
	struct error *error = trace_output_open(&own->output, own->path, more);

	if (!error)
		return;
	own->output.errnum = error->os_errno;
	if (s->failed)
		error_free(error);
	else
		s->failed = error;
}

static void close_own(struct tracing *s, struct traced *t)
{
	struct trace_lines *own = take_ptr(t->own);

	if (!own)
		return;
	trace_output_flush(&own->output);
	if (!s->failed)
		s->failed = trace_output_error(&own->output);
	trace_output_close(&own->output);
	if (s->lines == own)
		s->lines = &s->all;
	free(own->path);
	free(own);
}

/* What is put out now is of this thread. */
static struct traced *turn_to(struct tracing *s, struct live_task *task)
{
	struct traced *t = task->user;

	s->lines = t->own ? t->own : &s->all;
	return t;
}

void trace_notice(struct tracing *s, const char *format, ...)
{
	struct bytes text = {0};
	va_list args;

	if (s->options->quiet)
		return;
	if (!s->options->output) {
		s->form->interrupt(s, false);
		trace_output_flush(&s->all.output);
	}
	va_start(args, format);
	bytes_vformat(&text, format, args);
	va_end(args);
	log_notice("%.*s", (int)text.count, (const char *)text.items);
	vec_deinit(&text);
}

static uint64_t monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- descriptors ---- */

static size_t read_link(const char *link, char *to, size_t room)
{
	ssize_t length = readlink(link, to, room);

	return length < 0 ? 0 : (size_t)length;
}

size_t trace_fd_path(void *context, int fd, char *path, size_t room, bool *deleted)
{
	static const char mark[] = " (deleted)";
	struct traced *t = context;
	char link[64];
	size_t length;

	if (fd == AT_FDCWD)
		snprintf(link, sizeof(link), "/proc/%d/cwd", t->task->tracee.tid);
	else
		snprintf(link, sizeof(link), "/proc/%d/fd/%d", t->task->tracee.tid, fd);
	length = read_link(link, path, room);
	*deleted =
		length > strlen(mark) && !memcmp(path + length - strlen(mark), mark, strlen(mark));
	return *deleted ? length - strlen(mark) : length;
}

/* ---- which calls are shown ---- */

static enum trace_shown select_call(struct tracing *s, struct traced *t)
{
	const struct live_trace_options *o = s->options;
	struct expr_process caller = live_caller(t->task);
	struct expr_call at = {&t->task->call, &t->memory, &caller};
	enum trace_shown shown = TRACE_HIDDEN;

	if (!o->expr_count)
		return TRACE_SHOWN;
	if (t->task->foreign_call)
		return TRACE_HIDDEN;
	memset(t->memos, 0, sizeof(t->memos));
	for (size_t i = 0; i < o->expr_count; i++) {
		struct expr_memo *memo = i < TRACE_MEMOS ? &t->memos[i] : NULL;
		enum expr_answer answer = expr_match_entry(o->exprs[i], &at, memo);

		if (answer == EXPR_YES)
			return TRACE_SHOWN;
		if (answer == EXPR_MAYBE)
			shown = TRACE_PENDING;
	}
	return shown;
}

/* Of a call whose end had to tell. */
static bool select_end(struct tracing *s, struct traced *t, const struct sc_call *call)
{
	const struct live_trace_options *o = s->options;
	struct expr_process caller = live_caller(t->task);
	struct expr_call at = {call, &t->memory, &caller};

	for (size_t i = 0; i < o->expr_count; i++)
		if (expr_match_exit(o->exprs[i], &at, i < TRACE_MEMOS ? &t->memos[i] : NULL))
			return true;
	return false;
}

/* ---- calls ---- */

/* Whether the call may take long, or shows something on the terminal that lines should be in order
 * with. */
static bool waits(const struct traced *t)
{
	return !t->row || (t->row->flags & (SC_MAY_BLOCK | SC_WRITES_FD | SC_MOVES_FD |
					    SC_CHANGES_TASKS | SC_NEVER_RETURNS));
}

/* May files be mapped elsewhere after the call? */
static bool changes_stacks(const struct tracing *s, const struct traced *t)
{
	return s->options->stacks && t->row && (t->row->flags & SC_CHANGES_MM);
}

static void before_call(void *context, struct live_task *task)
{
	struct tracing *s = context;
	struct traced *t = turn_to(s, task);

	t->row = task->foreign_call ? NULL : sc_row(task->call.nr);
	if (t->row && t->row->handler == SC_H_SIGRETURN)
		task->call.signal_mask = arch.sigreturn_mask(tracee_regs(&task->tracee));
	t->shown = select_call(s, t);
	task->want_after = t->shown != TRACE_HIDDEN || changes_stacks(s, t);
	if (t->shown == TRACE_HIDDEN)
		return;
	if (s->needs_time)
		t->began_ns = monotonic();
	if (s->options->counting == LIVE_TRACE_COUNTS_ONLY)
		return;
	s->form->call(s, t);
	vec_clear(&t->stack);
	if (t->row && s->options->stacks && (t->row->flags & SC_NEVER_RETURNS))
		trace_stack_print(s, t, &t->stack);
	settle_output(s, waits(t));
}

static void end_call(struct tracing *s, struct traced *t, const struct sc_call *call)
{
	uint64_t now = s->needs_time ? monotonic() : 0;

	if (t->shown == TRACE_HIDDEN || (t->shown == TRACE_PENDING && !select_end(s, t, call)))
		return;
	if (s->options->counting && !t->task->foreign_call)
		trace_count_call(&s->counts, call, now - t->began_ns);
	if (s->options->counting == LIVE_TRACE_COUNTS_ONLY)
		return;
	s->form->call_end(s, t, call, now);
	settle_output(s, false);
}

static void after_call(void *context, struct live_task *task)
{
	struct tracing *s = context;
	struct traced *t = turn_to(s, task);
	struct sc_call call = task->call;

	call.ended = true;
	if (changes_stacks(s, t))
		trace_stack_changed(s, task->process->pid);
	end_call(s, t, &call);
	t->shown = TRACE_HIDDEN;
	if (t->row)
		t->previous_name = t->row->name;
}

static void exec(void *context, struct live_task *task, pid_t former)
{
	struct tracing *s = context;
	struct traced *t = turn_to(s, task);

	trace_stack_forget(s, task->process->pid);
	if (former == task->tracee.tid || s->options->counting == LIVE_TRACE_COUNTS_ONLY)
		return;
	if (t->own) {
		s->form->moves(s, t);
		close_own(s, t);
		open_own(s, t, O_APPEND);
		turn_to(s, task);
	}
	s->form->exec_by(s, t, former);
}

/* ---- signals ---- */

static void signal_arrives(void *context, struct live_task *task, const siginfo_t *info)
{
	struct tracing *s = context;

	if (s->options->counting == LIVE_TRACE_COUNTS_ONLY)
		return;
	s->form->signal(s, turn_to(s, task), task->signal, info);
	settle_output(s, true);
}

static void group_stop(void *context, struct live_task *task, int signal)
{
	struct tracing *s = context;

	if (s->options->counting == LIVE_TRACE_COUNTS_ONLY)
		return;
	s->form->group_stop(s, turn_to(s, task), signal);
	settle_output(s, true);
}

/* ---- threads and processes ---- */

static void new_task(void *context, struct live_task *task, struct live_task *parent,
		     enum live_birth birth)
{
	struct tracing *s = context;
	struct traced *t = xcalloc(1, sizeof(*t));

	t->task = task;
	t->memory = live_memory(task);
	task->user = t;
	DL_APPEND(s->traced, t);
	if (s->options->separately)
		open_own(s, t, O_TRUNC);
	if (birth != LIVE_SPAWNED && birth != LIVE_ATTACHED)
		trace_notice(s, "Process %d attached", task->tracee.tid);
}

static void forget_task(struct tracing *s, struct traced *t)
{
	if (s->lines->open == t)
		s->form->interrupt(s, false);
	close_own(s, t);
	DL_DELETE(s->traced, t);
	t->task->user = NULL;
	vec_deinit(&t->begun);
	vec_deinit(&t->stack);
	vec_deinit(&t->inputs);
	free(t);
}

/* -1: another thread's exec took its place; nothing is printed for it, as by strace. */
static void put_end(struct tracing *s, struct traced *t, int status)
{
	if (s->options->counting == LIVE_TRACE_COUNTS_ONLY)
		return;
	if (t->shown == TRACE_SHOWN)
		s->form->call_lost(s, t);
	if (status != -1 && !(s->options->quiet_ends && WIFEXITED(status)))
		s->form->end(s, t, status);
	if (t->stack.count)
		s->form->stack(s, t);
}

static void task_ended(void *context, struct live_task *task, int status)
{
	struct tracing *s = context;

	struct traced *t = turn_to(s, task);

	put_end(s, t, status);
	forget_task(s, t);
	settle_output(s, true);
}

static void process_ended(void *context, struct live_process *process, int status)
{
	struct tracing *s = context;

	trace_stack_forget(s, process->pid);
	if (process != s->program)
		return;
	s->program = NULL;
	s->result->ended = true;
	s->result->status = status;
}

/* Not by the engine's list: that has threads as well that were never announced, and lacks those
 * that have ended without our having heard of it. */
void trace_forget_tasks(struct tracing *s, struct live_process *process)
{
	struct traced *t, *next;

	trace_stack_forget(s, process->pid);
	DL_FOREACH_SAFE(s->traced, t, next)
	{
		if (t->task->process != process)
			continue;
		turn_to(s, t->task);
		if (s->lines->open == t)
			s->form->interrupt(s, true);
		forget_task(s, t);
	}
	if (process == s->program)
		s->program = NULL;
}

const struct live_hooks trace_hooks = {
	.before_call = before_call,
	.after_call = after_call,
	.signal = signal_arrives,
	.group_stop = group_stop,
	.new_task = new_task,
	.exec = exec,
	.task_ended = task_ended,
	.process_ended = process_ended,
	.woken = trace_woken,
};
