/* Starting and ending a trace: the program or processes, our own signals, what is printed last.
 *
 * Invariant: signal handlers are ours only between take_signals() and return_signals(); a program
 * that is run begins with the mask and the ignored signals that we were started with. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "live/launch.h"
#include "live/trace_tool.h"
#include "util/alloc.h"
#include "util/cleanup.h"

/* ---- our own signals ---- */

/* For the handler: a handler has no other way to know. */
static struct {
	struct engine *engine;
	volatile sig_atomic_t caught;
} interruption;

static void interrupt(int signal)
{
	interruption.caught = signal;
	engine_wake(interruption.engine);
}

static const int fatal[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

#define FATAL (sizeof(fatal) / sizeof(fatal[0]))

struct own_signals {
	struct sigaction before[FATAL], pipe, file_size;
	sigset_t mask, ignored;
};

/* A program that was run into a file keeps the terminal's signals to itself: it decides when the
 * trace ends. SIGTERM is never the terminal's. */
static bool left_to_program(const struct tracing *s, int signal)
{
	return s->options->argv && s->options->output && signal != SIGTERM;
}

static void take_signals(struct tracing *s, struct own_signals *own)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, handle = {.sa_handler = interrupt};

	interruption.engine = s->engine;
	interruption.caught = 0;
	sigprocmask(SIG_SETMASK, NULL, &own->mask);
	sigemptyset(&own->ignored);
	for (int signal = 1; signal < NSIG; signal++) {
		struct sigaction now;

		if (sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
			sigaddset(&own->ignored, signal);
	}
	for (size_t i = 0; i < FATAL; i++)
		sigaction(fatal[i],
			  left_to_program(s, fatal[i]) || sigismember(&own->ignored, fatal[i])
				  ? &ignore
				  : &handle,
			  &own->before[i]);
	/* a closed pipe or a full disk is an error of write(2) */
	sigaction(SIGPIPE, &ignore, &own->pipe);
	sigaction(SIGXFSZ, &ignore, &own->file_size);
}

static void return_signals(const struct own_signals *own)
{
	for (size_t i = 0; i < FATAL; i++)
		sigaction(fatal[i], &own->before[i], NULL);
	sigaction(SIGPIPE, &own->pipe, NULL);
	sigaction(SIGXFSZ, &own->file_size, NULL);
	interruption.engine = NULL;
}

/* The signal that ends the tracing is meant for the program that was run, too. */
void trace_woken(void *context)
{
	struct tracing *s = context;
	int signal = interruption.caught;

	if (!signal)
		return;
	s->result->stopped_by = signal;
	if (s->program) {
		kill(s->program->pid, SIGCONT);
		kill(s->program->pid, signal);
	}
	engine_quit(s->engine);
}

/* ---- start and end ---- */

static void choose_core(cpu_set_t *one)
{
	int core = sched_getcpu();

	CPU_ZERO(one);
	CPU_SET(core < 0 ? 0 : core, one);
	sched_setaffinity(0, sizeof(*one), one);
}

/* The kernel's part of the conditions. Stacks need the calls, too, that map files. */
static struct error *make_filter(const struct live_trace_options *o, struct expr_code *code)
{
	const struct expr **all _cleanup_free_ = xcalloc(o->expr_count + 1, sizeof(*all));
	struct expr *mapping = NULL;
	size_t count = 0;

	if (o->stacks)
		try(expr_parse("mmap, munmap, mremap", &mapping));
	for (; count < o->expr_count; count++)
		all[count] = o->exprs[count];
	if (mapping)
		all[count++] = mapping;
	struct error *error = launch_filter(all, count, code);

	expr_destroy(mapping);
	return error;
}

static struct error *start_program(struct tracing *s, const struct own_signals *own)
{
	const struct live_trace_options *o = s->options;
	struct expr_code code = {0};
	cpu_set_t one;

	/* With conditions, the kernel sorts out most of the calls that are not to be seen. */
	if (o->expr_count)
		try(make_filter(o, &code));
	const struct sock_fprog filter = {.len = (unsigned short)code.count, .filter = code.items};
	struct live_spawn spawn = {
		.argv = o->argv,
		.filter = code.count ? &filter : NULL,
		.sets_rules = launch_sets_rules,
		.wants = code.count ? 0 : LIVE_CALLS,
		.follow = o->follow,
		.show_exec = true,
		.mask = own->mask,
		.ignored = own->ignored,
	};

	if (o->one_core) {
		choose_core(&one);
		spawn.cpus = &one;
	}
	struct error *error = engine_spawn(s->engine, &spawn, &s->program);

	vec_deinit(&code);
	return error;
}

static struct error *attach_all(struct tracing *s)
{
	const struct live_attach attach = {.wants = LIVE_CALLS, .follow = s->options->follow};

	for (size_t i = 0; i < s->options->pid_count; i++) {
		struct live_process *process;

		try(engine_attach(s->engine, s->options->pids[i], &attach, &process));
		if (process->task_count > 1)
			trace_notice(s, "Process %d attached with %zu threads", process->pid,
				     process->task_count);
		else
			trace_notice(s, "Process %d attached", process->pid);
	}
	return NULL;
}

static void detach(struct tracing *s, struct live_process *process)
{
	struct vec(pid_t) tids = {0};
	const struct traced *t;

	DL_FOREACH (s->traced, t)
		if (t->task->process == process && !t->task->tracee.gone)
			vec_push(&tids, t->task->tracee.tid);
	trace_forget_tasks(s, process);
	error_free(engine_detach(process));
	vec_foreach (&tids, tid)
		trace_notice(s, "Process %d detached", *tid);
	vec_deinit(&tids);
}

/* What is left when tracing ends early. A program that runs under a filter cannot live without us:
 * it is killed with the engine. */
static void let_go(struct tracing *s)
{
	struct live_process *process = engine_next_process(s->engine, NULL), *next;

	for (; process; process = next) {
		next = engine_next_process(s->engine, process);
		if (process->filtered)
			trace_forget_tasks(s, process);
		else
			detach(s, process);
	}
}

static void print_counts(struct tracing *s)
{
	if (!s->options->counting || s->all.output.errnum)
		return;
	s->form->interrupt(s, false);
	trace_count_print(&s->counts, trace_out(s));
}

static struct error *trace_all(struct tracing *s, const struct own_signals *own)
{
	try(attach_all(s));
	if (s->options->argv)
		try(start_program(s, own));
	try(engine_run(s->engine));
	return NULL;
}

static void session_init(struct tracing *s, const struct live_trace_options *options,
			 struct live_trace_result *result)
{
	*result = (struct live_trace_result){0};
	*s = (struct tracing){
		.options = options,
		.form = options->json ? &trace_json_form : &trace_text_form,
		.style = {.string_max = options->string_max,
			  .fd_path = options->paths ? trace_fd_path : NULL},
		.needs_time = options->durations || options->json || options->counting,
		.result = result,
	};
	s->lines = &s->all;
	if (options->json) {
		s->json_stream = open_memstream(&s->json_text, &s->json_length);
		if (!s->json_stream)
			alloc_failed(0);
	}
}

static void session_deinit(struct tracing *s)
{
	if (s->json_stream)
		fclose(s->json_stream);
	free(s->json_text);
	vec_deinit(&s->scratch);
	vec_deinit(&s->counts);
	trace_stack_deinit(s);
	trace_output_close(&s->all.output);
}

/* Files of threads are opened when there are threads: whether they can be is seen before. */
static struct error *open_output(struct tracing *s)
{
	const char *path = s->options->output, *slash = path ? strrchr(path, '/') : NULL;

	if (!s->options->separately)
		return trace_output_open(&s->all.output, path, O_TRUNC);
	char *directory _cleanup_free_ =
		slash ? xasprintf("%.*s", (int)(slash + 1 - path), path) : xstrdup(".");

	if (access(directory, W_OK | X_OK))
		return error_os(
			errno, "cannot open files %s.PID for the trace; name others with -o", path);
	return trace_output_open(&s->all.output, NULL, 0);
}

struct error *live_trace(const struct live_trace_options *options, struct live_trace_result *result)
{
	struct tracing s;
	struct own_signals own;
	struct error *error;

	session_init(&s, options, result);
	error = open_output(&s);
	if (!error) {
		s.engine = engine_create(&trace_hooks, &s);
		take_signals(&s, &own);
		error = trace_all(&s, &own);
		let_go(&s);
		engine_destroy(s.engine);
		print_counts(&s);
		trace_output_flush(&s.all.output);
		return_signals(&own);
	}
	if (!error)
		error = trace_output_error(&s.all.output);
	if (!error)
		error = take_ptr(s.failed);
	error_free(s.failed);
	session_deinit(&s);
	return error;
}
