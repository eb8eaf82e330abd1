/* Watching for calls, by three methods, and what is done at the moment they have ended.
 *
 * A candidate is a call that matches or may match as far as its beginning tells; what it is printed
 * with is taken from memory then. Its end decides: calls that failed are not reported, unless the
 * expression is about results. Invariant: the three methods differ only in how the beginning and
 * end of a call are found; begin() and end() are the same for all. */
#include "live/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utlist.h>

#include "live/caller.h"
#include "live/engine.h"
#include "live/launch.h"
#include "live/step_code.h"
#include "live/watch_act.h"
#include "syscalls/format.h"

#define MAX_ERRNO 4095
/* The kernel's: a call that a signal has interrupted, and that may be made again. */
#define RESTART_FIRST 512
#define RESTART_LAST  516

struct watching {
	struct launch launch;
	const struct watch_options *options;
	struct step_code *code; /* WATCH_STEP */
	struct watched *tasks;	/* also of processes that were let go */
	uint64_t matches;
	bool over;	  /* nothing more is reported */
	pid_t handed_out; /* the process that was let go for somebody else */
	taddr handed_result;
};

/* A thread. */
struct watched {
	struct live_task *task;
	struct sc_memory memory;
	struct expr_process caller;
	struct sc_call call; /* the candidate */
	bool candidate;
	struct expr_memo memo;
	struct watched *prev, *next;
	struct bytes line; /* up to what only the end tells */
	struct sc_half half;
	taddr calls_at; /* WATCH_STEP: it was about to execute a call there; 0 */
};

/* ---- what was found ---- */

static void stop_watching(struct watching *w, struct live_task *task)
{
	const struct watch_options *o = w->options;
	struct live_process *process = NULL, *next;

	w->over = true;
	if (o->method == WATCH_BPF || o->then == WATCH_BREAK)
		return;
	for (process = engine_next_process(w->launch.engine, NULL); process; process = next) {
		next = engine_next_process(w->launch.engine, process);
		if (process->pid == w->handed_out)
			error_free(engine_detach_stopped(process));
		else
			error_free(engine_detach(process));
	}
}

static void set_break(struct watching *w, struct live_task *task, const struct sc_call *call)
{
	const struct watch_options *o = w->options;
	taddr at = o->break_at + (o->break_from_result ? (taddr)call->result : 0);
	struct error *error = watch_break(task->process, at);

	if (!error)
		return;
	fprintf(w->launch.out, "%d no breakpoint at %#" PRIx64 ": %s\n", task->tracee.tid, at,
		error->text);
	error_free(error);
}

static void act(struct watching *w, struct watched *t, const struct sc_call *call)
{
	const struct watch_options *o = w->options;

	switch (o->then) {
	case WATCH_PRINT:
		break;
	case WATCH_REGS:
		watch_registers(w->launch.out, t->task);
		break;
	case WATCH_BREAK:
		set_break(w, t->task, call);
		break;
	case WATCH_EXEC:
		watch_command(t->task, o->command, call);
		break;
	case WATCH_STOP:
	case WATCH_GDB:
		if (w->matches < o->count)
			break;
		w->handed_out = t->task->tracee.tgid;
		w->handed_result = (taddr)call->result;
		break;
	}
}

static void report(struct watching *w, struct watched *t, const struct sc_call *call)
{
	const struct sc_row *row = sc_row(call->nr);

	if (call->ended)
		sc_format_exit(&t->line, t->line.count, row, call, &t->memory, &sc_style_default,
			       &t->half);
	else
		sc_format_close(&t->line, t->line.count);
	fprintf(w->launch.out, "%d %.*s%s\n", t->task->tracee.tid, (int)t->line.count,
		(const char *)t->line.items, call->ended ? "" : "= ?");
	w->matches++;
	act(w, t, call);
	if (w->options->count && w->matches >= w->options->count)
		stop_watching(w, t->task);
}

/* ---- a call ---- */

/* It is about to be made. True if its end has to be seen. */
static bool begin(struct watching *w, struct watched *t, const struct sc_call *call)
{
	const struct sc_row *row = sc_row(call->nr);
	struct expr_call at = {&t->call, &t->memory, &t->caller};
	enum expr_answer answer;

	t->call = *call;
	t->memo = (struct expr_memo){0};
	t->candidate = false;
	if (w->over)
		return false;
	answer = expr_match_entry(w->options->expr, &at, &t->memo);
	if (answer == EXPR_NO)
		return false;
	vec_clear(&t->line);
	sc_format_entry(&t->line, row, &t->call, &t->memory, &sc_style_default, &t->half);
	if (row && row->flags & SC_NEVER_RETURNS) {
		if (answer == EXPR_YES)
			report(w, t, &t->call);
		return false;
	}
	t->candidate = true;
	return true;
}

/* It has ended. */
static void end(struct watching *w, struct watched *t, int64_t result)
{
	struct expr_call at = {&t->call, &t->memory, &t->caller};
	bool failed = result < 0 && result >= -MAX_ERRNO;

	if (!t->candidate || w->over)
		return;
	t->candidate = false;
	t->call.result = result;
	t->call.ended = true;
	if (result <= -RESTART_FIRST && result >= -RESTART_LAST)
		return;
	if (failed && !expr_needs_result(w->options->expr, t->call.nr))
		return;
	if (expr_match_exit(w->options->expr, &at, &t->memo))
		report(w, t, &t->call);
}

/* ---- calls that stop ---- */

static void before_call(void *context, struct live_task *task)
{
	struct watching *w = context;

	if (!task->foreign_call)
		task->want_after = begin(w, task->user, &task->call);
}

static void after_call(void *context, struct live_task *task)
{
	struct watching *w = context;

	end(w, task->user, task->call.result);
}

/* ---- calls that are found by stepping ---- */

/* The task stands before an instruction. */
static void look(struct watching *w, struct watched *t)
{
	const struct regs *regs = tracee_regs(&t->task->tracee);
	taddr pc = arch.pc(regs);

	t->calls_at = 0;
	if (step_code_look(w->code, t->task, pc) < arch.call_size ||
	    memcmp(t->task->code, arch.call_code, arch.call_size)) {
		t->task->run_to = step_code_run(w->code, t->task, pc);
		return;
	}
	struct sc_call call = sc_call_of(arch.upcoming_call(regs), regs);

	t->calls_at = pc;
	begin(w, t, &call);
}

/* An instruction that makes a call was executed. Code may be in other memory now; or it is of a
 * file that was written to. */
static void call_made(struct watching *w, struct watched *t)
{
	static const uint32_t changes = SC_CHANGES_MM | SC_WRITES_FD | SC_WRITES_FILE;
	const struct sc_row *row = sc_row(t->call.nr);

	if (!row || row->flags & changes)
		step_code_forget(w->code);
	end(w, t, arch.call_result(tracee_regs(&t->task->tracee)));
}

static void step(void *context, struct live_task *task)
{
	struct watching *w = context;
	struct watched *t = task->user;

	/* not at a handler's beginning, nor where the call is still to be made */
	if (t->calls_at && arch.pc(tracee_regs(&task->tracee)) == t->calls_at + arch.call_size)
		call_made(w, t);
	if (!w->over)
		look(w, t);
	else
		task->wants &= ~(unsigned)LIVE_STEPS;
}

/* ---- threads ---- */

static void new_task(void *context, struct live_task *task, struct live_task *parent,
		     enum live_birth birth)
{
	struct watching *w = context;
	struct watched *t = xcalloc(1, sizeof(*t));

	*t = (struct watched){
		.task = task, .memory = live_memory(task), .caller = live_caller(task)};
	task->user = t;
	DL_APPEND(w->tasks, t);
	launch_new_task(&w->launch, task, birth);
	if (w->options->method == WATCH_STEP && !w->over)
		look(w, t);
}

/* The end of a successful exec, also of the one that starts the program. */
static void exec(void *context, struct live_task *task, pid_t former)
{
	struct watching *w = context;
	struct watched *t = task->user;

	t->caller = live_caller(task);
	end(w, t, 0);
	if (w->options->method != WATCH_STEP || w->over)
		return;
	step_code_forget(w->code);
	look(w, t);
}

static void forget(struct watching *w, struct watched *t)
{
	DL_DELETE(w->tasks, t);
	vec_deinit(&t->line);
	free(t);
}

static void task_ended(void *context, struct live_task *task, int status)
{
	forget(context, task->user);
}

static void process_ended(void *context, struct live_process *process, int status)
{
	struct watching *w = context;

	launch_process_ended(&w->launch, process, status);
}

/* It stops when it goes on to its signal. That of a child can be waited for (and is left for the
 * next to see); what becomes of somebody else's process only its parent is told. */
static void await_stop(pid_t pid)
{
	siginfo_t info;

	while (waitid(P_PID, pid, &info, WSTOPPED | WEXITED | WNOWAIT) < 0 && errno == EINTR)
		;
}

static void detached(void *context, struct live_process *process)
{
	struct watching *w = context;

	if (process->pid != w->handed_out || w->options->then != WATCH_STOP)
		return;
	await_stop(process->pid);
	fprintf(w->launch.out, "process %d is stopped\n", process->pid);
}

static void breakpoint(void *context, struct live_task *task, struct live_breakpoint *breakpoint)
{
	struct watching *w = context;

	fprintf(w->launch.out, "%d reached %#" PRIx64 "\n", task->tracee.tid,
		arch.pc(tracee_regs(&task->tracee)));
	live_unbreak(task->process, breakpoint);
}

static const struct live_hooks hooks = {
	.before_call = before_call,
	.after_call = after_call,
	.step = step,
	.breakpoint = breakpoint,
	.new_task = new_task,
	.exec = exec,
	.task_ended = task_ended,
	.process_ended = process_ended,
	.detached = detached,
};

/* ---- the tool ---- */

static struct error *run(struct watching *w)
{
	const struct watch_options *o = w->options;
	struct launch_options launch = {.argv = o->argv, .show_exec = true};

	if (o->method == WATCH_BPF) {
		launch.exprs = &o->expr;
		launch.expr_count = 1;
	} else {
		launch.wants = o->method == WATCH_STEP ? LIVE_STEPS : LIVE_CALLS;
		launch.one_core = true;
	}
	try(launch_open(&w->launch, o->output));
	try(launch_start(&w->launch, &launch));
	return engine_run(w->launch.engine);
}

struct error *live_watch(const struct watch_options *options, int *status)
{
	struct watching w = {.options = options};
	struct error *error, *unwritten;

	w.launch.engine = engine_create(&hooks, &w);
	if (options->method == WATCH_STEP)
		w.code = step_code_create();
	error = run(&w);
	engine_destroy(w.launch.engine);
	while (w.tasks)
		forget(&w, w.tasks);
	if (!error && w.handed_out && options->then == WATCH_GDB)
		watch_gdb(w.handed_out, options->command, w.handed_result);
	unwritten = launch_finish(&w.launch, options->output);
	step_code_destroy(w.code);
	*status = w.launch.status;
	if (!error)
		return unwritten;
	error_free(unwritten);
	return error;
}
