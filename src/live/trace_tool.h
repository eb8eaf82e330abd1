/* What the parts of the tracing tool share: trace.c (events), trace_run.c (start and end),
 * trace_text.c and trace_json.c (lines), trace_count.c (the table of counts), trace_output.c (where
 * lines go), trace_stack.c. */
#ifndef WARP_LIVE_TRACE_TOOL_H
#define WARP_LIVE_TRACE_TOOL_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>

#include "expr/expr.h"
#include "live/engine.h"
#include "live/trace.h"
#include "syscalls/format.h"
#include "util/bytes.h"
#include "util/error.h"

/* Of expressions beyond this, those that need a call's end read strings anew there. */
#define TRACE_MEMOS 8

struct stack_files;
struct tracing;

/* ---- where lines go ---- */

struct trace_output {
	const char *path; /* NULL: standard error */
	int fd;
	struct bytes text; /* not written yet */
	uint64_t written;
	int errnum; /* why writing failed; 0 */
};

/* `more`: O_TRUNC or O_APPEND. */
struct error *trace_output_open(struct trace_output *output, const char *path, int more);
void trace_output_close(struct trace_output *output);
/* Writes all that is there. After a failure nothing more is written. */
void trace_output_flush(struct trace_output *output);
struct error *trace_output_error(const struct trace_output *output);

/* Lines that follow one another: of all threads, or of one. */
struct trace_lines {
	struct trace_output output;
	char *path; /* of a file of its own */
	/* of the text form */
	struct traced *open; /* whose line is not finished */
	uint64_t line_begin; /* of that line, in bytes of output */
};

/* ---- a thread ---- */

enum trace_shown {
	TRACE_HIDDEN,  /* the call it is in is not shown, or it is in none */
	TRACE_PENDING, /* its end will tell */
	TRACE_SHOWN,
};

struct traced {
	struct live_task *task;
	struct traced *prev, *next; /* tracing.traced */
	struct trace_lines *own;    /* NULL: tracing.all */
	struct sc_memory memory;
	const struct sc_row *row;  /* of the call it is in; NULL: the table has none */
	const char *previous_name; /* of the call before */
	enum trace_shown shown;
	struct sc_half half;
	struct expr_memo memos[TRACE_MEMOS];
	uint64_t began_ns;  /* monotonic */
	struct bytes begun; /* the first half of a line that is not printed yet */
	struct bytes stack; /* where it made a call that never returns, for call_lost and stack */
	/* of the JSON form */
	struct bytes inputs;
	uint64_t began_realtime_ns;
};

/* ---- how events look ---- */

struct trace_form {
	/* A call is made. If t->shown is TRACE_PENDING, nothing may be printed yet. */
	void (*call)(struct tracing *s, struct traced *t);
	/* It has ended, at `now` (monotonic). */
	void (*call_end)(struct tracing *s, struct traced *t, const struct sc_call *call,
			 uint64_t now_ns);
	/* Its end will never come: the thread has ended in it. */
	void (*call_lost)(struct tracing *s, struct traced *t);
	void (*signal)(struct tracing *s, struct traced *t, int signal, const siginfo_t *info);
	void (*group_stop)(struct tracing *s, struct traced *t, int signal);
	void (*exec_by)(struct tracing *s, struct traced *t, pid_t former);
	/* Before exec_by: what follows goes to another file. */
	void (*moves)(struct tracing *s, struct traced *t);
	void (*end)(struct tracing *s, struct traced *t, int status);
	/* After the end: where the call was made that has never returned (t->stack). */
	void (*stack)(struct tracing *s, struct traced *t);
	/* Something else is about to be written to the terminal, or tracing ends: `detached`. */
	void (*interrupt)(struct tracing *s, bool detached);
};

extern const struct trace_form trace_text_form, trace_json_form;

/* ---- counts ---- */

struct trace_count {
	uint64_t calls, errors, ns;
};

struct trace_counts vec(struct trace_count); /* by call number */

void trace_count_call(struct trace_counts *counts, const struct sc_call *call, uint64_t ns);
void trace_count_print(const struct trace_counts *counts, struct bytes *out);

/* ---- the whole ---- */

struct tracing {
	const struct live_trace_options *options;
	const struct trace_form *form;
	struct engine *engine;
	struct trace_lines all;
	struct trace_lines *lines; /* of the thread that an event is of */
	struct error *failed;	   /* the first file of a thread's own that could not be written */
	struct sc_style style;
	bool needs_time;
	bool flush_planned;
	struct traced *traced;	      /* all threads that were announced and not forgotten */
	struct live_process *program; /* that was run; NULL when it has ended */
	struct trace_counts counts;
	struct live_trace_result *result;

	/* of the text form */
	uint64_t leader_ns; /* of the last line; monotonic */
	/* of the JSON form */
	FILE *json_stream; /* writes to json_text */
	char *json_text;
	size_t json_length;
	struct bytes scratch;
	/* of stacks */
	struct stack_files *stack_files;
};

extern const struct live_hooks trace_hooks; /* context: the struct tracing */
/* The hook of that name: a signal asks for the end. */
void trace_woken(void *context);
/* Nothing more is shown of the process. */
void trace_forget_tasks(struct tracing *s, struct live_process *process);
/* What is said of the programs, not by them: as with strace, always on standard error. */
void trace_notice(struct tracing *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline struct bytes *trace_out(struct tracing *s)
{
	return &s->lines->output.text;
}

/* The name of the call that the thread is in, without a row too. */
void trace_put_call_name(struct bytes *out, const struct traced *t);
/* "name(" and the arguments that are known when the call is made; fills t->half in. */
void trace_put_first_half(struct tracing *s, struct traced *t, struct bytes *out);

/* Appends a line for each frame of the stopped thread's stack. */
void trace_stack_print(struct tracing *s, struct traced *t, struct bytes *out);
/* The process may have other mappings. */
void trace_stack_changed(struct tracing *s, pid_t pid);
/* The process executes another program, or is gone. */
void trace_stack_forget(struct tracing *s, pid_t pid);
void trace_stack_deinit(struct tracing *s);

/* The style's fd_path; context: the struct traced. */
size_t trace_fd_path(void *context, int fd, char *path, size_t room, bool *deleted);

#endif
