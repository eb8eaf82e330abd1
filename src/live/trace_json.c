/* The lines of a trace as JSON: one object for each call, signal and end, written when it is over.
 *
 * A call's object is written at its end; what its arguments pointed at when it was made is kept
 * until then. Invariant: `begun` of a thread holds the first half of the call's line, `inputs` what
 * was read. */
#include <inttypes.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

#include "live/trace_tool.h"
#include "syscalls/format_json.h"

/* ---- what the call was made with ---- */

/* A piece of memory, in front of its bytes. */
struct piece {
	taddr addr;
	size_t length;
};

static size_t read_and_keep(void *context, taddr addr, void *to, size_t length)
{
	struct traced *t = context;
	struct piece piece = {addr, t->memory.read(t->memory.context, addr, to, length)};

	vec_append(&t->inputs, (const unsigned char *)&piece, sizeof(piece));
	vec_append(&t->inputs, (const unsigned char *)to, piece.length);
	return piece.length;
}

static size_t read_kept(void *context, taddr addr, void *to, size_t length)
{
	struct traced *t = context;
	const unsigned char *at = t->inputs.items, *end = at + t->inputs.count;
	struct piece piece;

	for (; at < end; at += sizeof(piece) + piece.length) {
		memcpy(&piece, at, sizeof(piece));
		if (piece.addr != addr)
			continue;
		length = piece.length < length ? piece.length : length;
		memcpy(to, at + sizeof(piece), length);
		return length;
	}
	return t->memory.read(t->memory.context, addr, to, length);
}

/* ---- objects ---- */

static void begin(struct tracing *s, struct traced *t, struct json *json, const char *kind,
		  uint64_t realtime_ns)
{
	json_init(json, s->json_stream);
	json_begin_object(json);
	json_member_uint(json, "time_ns", realtime_ns);
	json_member_int(json, "pid", t->task->process->pid);
	json_member_int(json, "tid", t->task->tracee.tid);
	json_member_text(json, "kind", kind);
}

static void put_text(struct json *json, const struct bytes *text)
{
	json_key(json, "text");
	json_string(json, (const char *)text->items, text->count);
}

static void finish(struct tracing *s, struct json *json)
{
	json_end_object(json);
	putc('\n', s->json_stream);
	fflush(s->json_stream);
	vec_append(trace_out(s), (const unsigned char *)s->json_text, s->json_length);
	rewind(s->json_stream);
}

static uint64_t realtime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- calls ---- */

static void json_call(struct tracing *s, struct traced *t)
{
	struct sc_memory keeping = {read_and_keep, t};
	struct json ignored;

	vec_clear(&t->begun);
	vec_clear(&t->inputs);
	trace_put_first_half(s, t, &t->begun);
	t->began_realtime_ns = realtime();
	if (!t->row)
		return;
	json_init(&ignored, s->json_stream);
	json_begin_object(&ignored);
	sc_json_args(&ignored, t->row, &t->task->call, &keeping, &keeping);
	rewind(s->json_stream);
}

static void put_call(struct tracing *s, struct traced *t, struct json *json,
		     const struct sc_call *call)
{
	struct sc_memory kept = {read_kept, t};

	vec_clear(&s->scratch);
	trace_put_call_name(&s->scratch, t);
	json_key(json, "name");
	json_string(json, (const char *)s->scratch.items, s->scratch.count);
	json_member_int(json, "call", call->nr);
	sc_json_args(json, t->row, call, &kept, &t->memory);
	sc_json_result(json, t->row, call);
}

/* `text`: as trace_stack_print() made it. */
static void put_stack_text(struct json *json, const struct bytes *text)
{
	const char *line = (const char *)text->items, *end;

	json_key(json, "stack");
	json_begin_array(json);
	for (size_t left = text->count; left; left -= (size_t)(end + 1 - line), line = end + 1) {
		end = memchr(line, '\n', left);
		json_string(json, line + 3, (size_t)(end - line) - 3); /* without " > " */
	}
	json_end_array(json);
}

static void put_stack(struct tracing *s, struct traced *t, struct json *json)
{
	vec_clear(&s->scratch);
	trace_stack_print(s, t, &s->scratch);
	put_stack_text(json, &s->scratch);
}

static void json_call_end(struct tracing *s, struct traced *t, const struct sc_call *call,
			  uint64_t now_ns)
{
	struct json json;

	begin(s, t, &json, "syscall", t->began_realtime_ns);
	put_call(s, t, &json, call);
	json_member_uint(&json, "duration_ns", now_ns - t->began_ns);
	s->style.context = t;
	sc_format_exit(&t->begun, t->begun.count, t->row, call, &t->memory, &s->style, &t->half);
	put_text(&json, &t->begun);
	if (s->options->stacks)
		put_stack(s, t, &json);
	finish(s, &json);
}

static void json_call_lost(struct tracing *s, struct traced *t)
{
	struct json json;

	begin(s, t, &json, "syscall-enter", t->began_realtime_ns);
	put_call(s, t, &json, &t->task->call);
	if (!t->half.complete)
		bytes_put(&t->begun, " <unfinished ...>");
	sc_format_close(&t->begun, t->begun.count);
	bytes_put(&t->begun, "= ?");
	put_text(&json, &t->begun);
	if (t->stack.count)
		put_stack_text(&json, &t->stack);
	finish(s, &json);
}

/* ---- signals and ends ---- */

static void put_signal(struct json *json, int signal)
{
	const char *name = sc_signal_name(signal);

	if (name)
		json_member_text(json, "name", name);
	json_member_int(json, "signal", signal);
}

static void json_signal(struct tracing *s, struct traced *t, int signal, const siginfo_t *info)
{
	struct json json;

	begin(s, t, &json, "signal", realtime());
	put_signal(&json, signal);
	vec_clear(&s->scratch);
	s->style.context = t;
	sc_format_siginfo(&s->scratch, info, &s->style);
	put_text(&json, &s->scratch);
	if (s->options->stacks)
		put_stack(s, t, &json);
	finish(s, &json);
}

static void json_group_stop(struct tracing *s, struct traced *t, int signal)
{
	struct json json;

	begin(s, t, &json, "stop", realtime());
	put_signal(&json, signal);
	finish(s, &json);
}

static void json_exec_by(struct tracing *s, struct traced *t, pid_t former)
{
	struct json json;

	begin(s, t, &json, "exec", realtime());
	json_member_int(&json, "former_tid", former);
	finish(s, &json);
}

static void json_end(struct tracing *s, struct traced *t, int status)
{
	struct json json;

	begin(s, t, &json, "task-exit", realtime());
	json_member_int(&json, "status", status);
	if (WIFSIGNALED(status))
		put_signal(&json, WTERMSIG(status));
	else
		json_member_int(&json, "exit", WEXITSTATUS(status));
	finish(s, &json);
}

static void json_stack(struct tracing *s, struct traced *t)
{
	/* the call's own object has it */
}

static void json_interrupt(struct tracing *s, bool detached)
{
	/* no object is ever half written */
}

static void json_moves(struct tracing *s, struct traced *t)
{
	/* the same */
}

const struct trace_form trace_json_form = {
	.call = json_call,
	.call_end = json_call_end,
	.call_lost = json_call_lost,
	.signal = json_signal,
	.group_stop = json_group_stop,
	.exec_by = json_exec_by,
	.moves = json_moves,
	.end = json_end,
	.stack = json_stack,
	.interrupt = json_interrupt,
};
