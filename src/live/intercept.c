/* Rewriting system calls by rules.
 *
 * A call that a rule may match stops before it is made. Rules that act before it are applied in
 * their order until one decides the result; the others are looked at again when the call has ended.
 *
 * Invariants: rules see the call as the program has made it. A match is counted once for a call,
 * also if the call is interrupted by a signal and made again. What a rule has put into the
 * program's memory to be read by the kernel is gone when the call has ended, and argument registers
 * are as they were. A delayed thread waits alone. */
#include "live/intercept.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "live/caller.h"
#include "live/engine.h"
#include "live/launch.h"
#include "syscalls/format.h"
#include "util/cleanup.h"

#define MAX_ERRNO 4095
/* Below the stack pointer a function may keep values (System V ABI, "red zone"). */
#define RED_ZONE 128
/* Longer strings are not put on the stack: runtimes with small stacks keep some 900 bytes free. */
#define STACK_ROOM 512
#define PAGE	   4096
/* The kernel's: a call that a signal has interrupted, and that may be made again. */
#define RESTART_FIRST 512
#define RESTART_LAST  516

struct interception {
	struct launch launch;
	const struct intercept_options *options;
};

/* Memory of the program that holds something of ours during a call. */
struct lent {
	taddr at;
	struct bytes before; /* what was there; empty: a mapping of ours */
};

/* A thread. */
struct thread {
	struct live_task *task;
	struct sc_memory memory;
	struct expr_process caller;
	const struct sc_row *row;
	bool *due;		 /* by rule: acts on the call at hand */
	struct expr_memo *memos; /* by rule */
	bool made; /* the call at hand was made: no rule has put its result in place */
	bool log;
	struct bytes line; /* of the log, up to what only the end tells */
	struct sc_half half;
	struct vec(struct lent) lent;
	unsigned delays;
	int sent; /* a signal that we have sent */
	bool exiting;
	/* the call that was interrupted last and may come again */
	struct sc_call interrupted;
	taddr interrupted_pc, interrupted_sp;
};

/* ---- the log ---- */

static void begin_line(struct thread *t)
{
	vec_clear(&t->line);
	sc_format_entry(&t->line, t->row, &t->task->call, &t->memory, &sc_style_default, &t->half);
}

/* The rules that have done more than to log. */
static void put_rules(struct interception *s, struct thread *t)
{
	const char *separator = " <rule ";

	for (size_t i = 0; i < s->options->rule_count; i++) {
		const struct rule *rule = s->options->rules[i];

		if (!t->due[i] ||
		    (rule->actions.count == 1 && rule->actions.items[0].kind == RULE_LOG))
			continue;
		fprintf(s->launch.out, "%s%zu", separator, i + 1);
		separator = ", ";
	}
	fputs(*separator == ',' ? ">\n" : "\n", s->launch.out);
}

/* `call`: as it ended; NULL: it will not. */
static void end_line(struct interception *s, struct thread *t, const struct sc_call *call)
{
	if (!t->log)
		return;
	t->log = false;
	if (call)
		sc_format_exit(&t->line, t->line.count, t->row, call, &t->memory, &sc_style_default,
			       &t->half);
	else
		sc_format_close(&t->line, t->line.count);
	fprintf(s->launch.out, "%d %.*s%s", t->task->tracee.tid, (int)t->line.count,
		(const char *)t->line.items, call ? "" : "= ?");
	put_rules(s, t);
}

/* ---- memory ---- */

/* Some memory that the program does not look at; 0 if there is none. */
static taddr borrow_stack(struct thread *t, size_t length)
{
	taddr end = t->task->call_sp - RED_ZONE;
	struct lent lent = {0};

	vec_foreach (&t->lent, other)
		if (other->before.count && other->at < end)
			end = other->at;
	lent.at = (end - length) & ~(taddr)15;
	if (t->task->call_sp - lent.at > RED_ZONE + STACK_ROOM)
		return 0;
	vec_reserve(&lent.before, length);
	lent.before.count = live_read(t->task, lent.at, lent.before.items, length);
	if (lent.before.count < length) {
		vec_deinit(&lent.before);
		return 0;
	}
	vec_push(&t->lent, lent);
	return lent.at;
}

static taddr borrow_mapping(struct thread *t, size_t length)
{
	const uint64_t args[SC_ARGS] = {
		0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, UINT64_MAX, 0};
	int64_t at = live_remote_call(t->task, SYS_mmap, args);

	if (length > PAGE || (at < 0 && at >= -MAX_ERRNO))
		return 0;
	vec_push(&t->lent, (struct lent){.at = (taddr)at});
	return (taddr)at;
}

/* Puts bytes where the kernel can read them during the call; 0 if there is no place for them. */
static taddr lend(struct thread *t, const struct bytes *bytes)
{
	taddr at = bytes->count <= STACK_ROOM / 2 ? borrow_stack(t, bytes->count) : 0;

	if (!at)
		at = borrow_mapping(t, bytes->count);
	if (at && live_write(t->task, at, bytes->items, bytes->count) < bytes->count)
		return 0;
	return at;
}

static void take_back(struct thread *t)
{
	const uint64_t size = PAGE;

	vec_foreach (&t->lent, lent) {
		if (lent->before.count)
			live_write(t->task, lent->at, lent->before.items, lent->before.count);
		else
			live_remote_call(t->task, SYS_munmap,
					 (const uint64_t[SC_ARGS]){lent->at, size});
		vec_deinit(&lent->before);
	}
	vec_clear(&t->lent);
}

/* The address space is gone, and what was lent with it. */
static void forget_lent(struct thread *t)
{
	vec_foreach (&t->lent, lent)
		vec_deinit(&lent->before);
	vec_clear(&t->lent);
}

/* ---- output buffers ---- */

static bool is_inner(const struct sc_regions *regions, size_t i)
{
	vec_foreach (regions, region)
		if (region->parent == (int)i)
			return true;
	return false;
}

/* Spreads the bytes over what hangs at the argument; returns how many had room, or -EFAULT. */
static int64_t fill(struct thread *t, const struct sc_call *call, int arg,
		    const struct bytes *bytes)
{
	struct sc_regions regions = {0};
	size_t done = 0;
	bool fault = false;

	sc_regions_begin(t->row, call, &t->memory, &regions);
	for (size_t i = 0; i < regions.count && done < bytes->count && !fault; i++) {
		const struct sc_region *region = &regions.items[i];
		size_t part = bytes->count - done;

		if (region->arg != arg || region->dir == SC_IN || is_inner(&regions, i))
			continue;
		if (part > region->capacity)
			part = region->capacity;
		fault = live_write(t->task, region->addr, bytes->items + done, part) < part;
		done += part;
	}
	vec_deinit(&regions);
	return fault ? -EFAULT : (int64_t)done;
}

/* What the call returns when its buffer was filled with `done` bytes; `result`: what it returned
 * itself. */
static int64_t filled_result(const struct thread *t, int arg, int64_t done, int64_t result)
{
	const struct sc_arg *buffer = &t->row->args[arg];

	if (done < 0)
		return done;
	if (buffer->size_kind == SC_S_ARG_RET && buffer->size)
		return done / buffer->size;
	if (t->row->ret_type == SC_T_SSIZE)
		return done;
	return result < 0 ? 0 : result;
}

/* ---- actions at any time ---- */

static void delay_over(void *context, void *argument)
{
	struct interception *s = context;
	struct live_task *task = engine_find_task(s->launch.engine, (pid_t)(intptr_t)argument);
	struct thread *t = task ? task->user : NULL;

	if (!t || !t->delays)
		return;
	t->delays--;
	live_release(task);
}

static void delay(struct interception *s, struct thread *t, uint64_t ns)
{
	t->delays++;
	live_hold(t->task);
	engine_timer(s->launch.engine, ns, delay_over, (void *)(intptr_t)t->task->tracee.tid);
}

static void send_signal(struct thread *t, int signal)
{
	t->sent = signal;
	syscall(SYS_tgkill, t->task->tracee.tgid, t->task->tracee.tid, signal);
}

/* True if the action is one of these. */
static bool act_aside(struct interception *s, struct thread *t, const struct rule_action *action)
{
	switch (action->kind) {
	case RULE_DELAY:
		delay(s, t, action->number);
		return true;
	case RULE_SIGNAL:
		send_signal(t, (int)action->number);
		return true;
	case RULE_LOG:
		return true;
	default:
		return false;
	}
}

/* ---- before a call ---- */

/* What becomes of the call at hand. */
struct change {
	int nr;
	uint64_t args[SC_ARGS];
	bool changed;
};

static struct expr_call seen_by_rules(const struct thread *t, const struct sc_call *call)
{
	return (struct expr_call){.call = call, .memory = &t->memory, .process = &t->caller};
}

static void skip_call(struct thread *t, int64_t result)
{
	t->made = false;
	live_call_skip(t->task, result);
}

static void change_path(struct thread *t, const struct rule_action *action, struct change *change)
{
	taddr at = lend(t, &action->bytes);

	if (!at) {
		skip_call(t, -ENOMEM);
		return;
	}
	change->args[rule_arg(action, t->task->call.nr)] = at;
	change->changed = true;
}

static void act_before(struct thread *t, const struct rule_action *action, struct change *change)
{
	const struct sc_call *call = &t->task->call;
	struct expr_call at = seen_by_rules(t, call);
	int arg = rule_arg(action, call->nr);

	switch (action->kind) {
	case RULE_EXIT:
		t->made = false;
		t->exiting = true;
		*change = (struct change){SYS_exit_group, {action->number}, true};
		break;
	case RULE_FAIL:
		skip_call(t, -(int64_t)action->number);
		break;
	case RULE_RETURN:
		skip_call(t, (int64_t)rule_value(action, &at));
		break;
	case RULE_DATA:
		skip_call(t, filled_result(t, arg, fill(t, call, arg, &action->bytes), 0));
		break;
	case RULE_SET:
		change->args[arg] = rule_value(action, &at);
		change->changed = true;
		break;
	case RULE_CALL:
		change->nr = (int)action->number;
		change->changed = true;
		break;
	case RULE_PATH:
		change_path(t, action, change);
		break;
	default:
		break;
	}
}

/* `again`: the same call as before, after an interruption: nothing that was done aside is
 * repeated. */
static void apply_before(struct interception *s, struct thread *t, bool again)
{
	struct change change = {.nr = t->task->call.nr};

	memcpy(change.args, t->task->call.args, sizeof(change.args));
	for (size_t i = 0; i < s->options->rule_count && t->made; i++) {
		const struct rule *rule = s->options->rules[i];

		if (!t->due[i] || rule->after)
			continue;
		vec_foreach (&rule->actions, action)
			if (again ? action->kind == RULE_DELAY || action->kind == RULE_SIGNAL
				  : act_aside(s, t, action))
				continue;
			else
				act_before(t, action, &change);
	}
	if (change.changed && (t->made || t->exiting))
		live_call_change(t->task, change.nr, change.args);
}

static bool logs(const struct rule *rule)
{
	vec_foreach (&rule->actions, action)
		if (action->kind == RULE_LOG)
			return true;
	return false;
}

/* Which rules act on the call; none behind one that decides before the call what it results in.
 * True if one does or may. */
static bool decide(struct interception *s, struct thread *t)
{
	struct expr_call at = seen_by_rules(t, &t->task->call);
	bool any = false, decided = false;

	for (size_t i = 0; i < s->options->rule_count; i++) {
		struct rule *rule = s->options->rules[i];
		enum expr_answer answer = EXPR_NO;

		t->memos[i] = (struct expr_memo){0};
		if (!decided)
			answer = expr_match_entry(rule->expr, &at, &t->memos[i]);
		t->due[i] = !rule->after && answer == EXPR_YES && rule_due(rule);
		decided = decided || (t->due[i] && rule->decides);
		any |= t->due[i] || (rule->after && answer != EXPR_NO);
		t->log |= logs(rule) && (t->due[i] || (rule->after && answer != EXPR_NO));
	}
	return any;
}

static bool is_again(const struct thread *t)
{
	const struct live_task *task = t->task;

	return t->interrupted.ended && task->call_pc == t->interrupted_pc &&
	       task->call_sp == t->interrupted_sp &&
	       (sc_row_restarts(sc_row(task->call.nr)) ||
		(task->call.nr == t->interrupted.nr &&
		 !memcmp(task->call.args, t->interrupted.args, sizeof(task->call.args))));
}

static void before_call(void *context, struct live_task *task)
{
	struct interception *s = context;
	struct thread *t = task->user;
	bool again = is_again(t);

	t->interrupted.ended = false;
	if (task->foreign_call || t->exiting)
		return;
	t->row = sc_row(task->call.nr);
	t->made = true;
	if (!again) {
		t->log = false;
		if (!decide(s, t))
			return;
		if (t->log)
			begin_line(t);
	}
	task->want_after = true;
	apply_before(s, t, again);
	if (t->exiting || (t->row && t->row->flags & SC_NEVER_RETURNS))
		end_line(s, t, NULL);
}

/* ---- after a call ---- */

/* From its end, a call of exit_group is made in the program's next instruction. */
static void exit_after(struct thread *t, uint64_t status)
{
	struct regs *regs = tracee_regs_mut(&t->task->tracee);

	t->exiting = true;
	arch.call_rewind(regs, SYS_exit_group);
	arch.set_call_arg(regs, 0, status);
}

static void act_after(struct thread *t, const struct rule_action *action)
{
	struct live_task *task = t->task;
	struct sc_call call = task->call;
	struct expr_call at = seen_by_rules(t, &call);
	int arg = rule_arg(action, call.nr);

	switch (action->kind) {
	case RULE_EXIT:
		exit_after(t, action->number);
		break;
	case RULE_FAIL:
		live_call_result(task, -(int64_t)action->number);
		break;
	case RULE_RETURN:
		live_call_result(task, (int64_t)rule_value(action, &at));
		break;
	case RULE_DATA:
		live_call_result(task, filled_result(t, arg, fill(t, &call, arg, &action->bytes),
						     call.result));
		break;
	default:
		break;
	}
}

static void apply_after(struct interception *s, struct thread *t)
{
	for (size_t i = 0; i < s->options->rule_count && !t->exiting; i++) {
		struct rule *rule = s->options->rules[i];
		struct sc_call call = t->task->call;
		struct expr_call at = seen_by_rules(t, &call);

		if (!rule->after || !expr_match_exit(rule->expr, &at, &t->memos[i]) ||
		    !rule_due(rule))
			continue;
		t->due[i] = true;
		vec_foreach (&rule->actions, action)
			if (!act_aside(s, t, action))
				act_after(t, action);
	}
}

/* Did a rule that logs act on it? A rule for the end may have been expected to, and has not. */
static bool has_logged(const struct interception *s, const struct thread *t)
{
	for (size_t i = 0; i < s->options->rule_count; i++)
		if (t->due[i] && logs(s->options->rules[i]))
			return true;
	return false;
}

static void note_interruption(struct thread *t)
{
	t->interrupted = t->task->call;
	t->interrupted.ended = true;
	t->interrupted_pc = t->task->call_pc;
	t->interrupted_sp = t->task->call_sp;
}

static void after_call(void *context, struct live_task *task)
{
	struct interception *s = context;
	struct thread *t = task->user;

	take_back(t);
	if (t->exiting)
		return;
	if (t->made && task->call.result <= -RESTART_FIRST && task->call.result >= -RESTART_LAST) {
		note_interruption(t);
		return;
	}
	if (t->made)
		apply_after(s, t);
	t->log = t->log && has_logged(s, t);
	end_line(s, t, &task->call);
}

/* ---- threads ---- */

static void new_task(void *context, struct live_task *task, struct live_task *parent,
		     enum live_birth birth)
{
	struct interception *s = context;
	struct thread *t = xcalloc(1, sizeof(*t));

	*t = (struct thread){.task = task,
			     .memory = live_memory(task),
			     .caller = live_caller(task),
			     .due = xcalloc(s->options->rule_count, sizeof(*t->due)),
			     .memos = xcalloc(s->options->rule_count, sizeof(*t->memos))};
	task->user = t;
	launch_new_task(&s->launch, task, birth);
}

/* Of a successful exec there is no end but this. Its result cannot be changed. */
static void exec(void *context, struct live_task *task, pid_t former)
{
	struct interception *s = context;
	struct thread *t = task->user;
	struct sc_call call = task->call;

	forget_lent(t);
	t->caller = live_caller(task);
	call.ended = true;
	call.result = 0;
	end_line(s, t, &call);
}

static void task_ended(void *context, struct live_task *task, int status)
{
	struct interception *s = context;
	struct thread *t = task->user;

	if (!t)
		return;
	end_line(s, t, NULL);
	forget_lent(t);
	vec_deinit(&t->lent);
	vec_deinit(&t->line);
	free(t->due);
	free(t->memos);
	free(t);
	task->user = NULL;
}

/* A signal of a rule looks as if the thread had raised it. */
static void signal_arrives(void *context, struct live_task *task, const siginfo_t *info)
{
	struct thread *t = task->user;
	siginfo_t own = *info;

	if (info->si_signo != t->sent || info->si_code != SI_TKILL || info->si_pid != getpid())
		return;
	t->sent = 0;
	own.si_pid = task->tracee.tgid;
	live_set_siginfo(task, &own);
}

static void process_ended(void *context, struct live_process *process, int status)
{
	struct interception *s = context;

	launch_process_ended(&s->launch, process, status);
}

static const struct live_hooks hooks = {
	.before_call = before_call,
	.after_call = after_call,
	.signal = signal_arrives,
	.new_task = new_task,
	.exec = exec,
	.task_ended = task_ended,
	.process_ended = process_ended,
};

/* ---- the tool ---- */

static struct error *run(struct interception *s)
{
	const struct intercept_options *options = s->options;
	const struct expr **exprs _cleanup_free_ = xcalloc(options->rule_count, sizeof(*exprs));
	struct launch_options launch = {
		.argv = options->argv, .exprs = exprs, .expr_count = options->rule_count};

	for (size_t i = 0; i < options->rule_count; i++)
		exprs[i] = options->rules[i]->expr;
	try(launch_open(&s->launch, options->output));
	try(launch_start(&s->launch, &launch));
	return engine_run(s->launch.engine);
}

struct error *live_intercept(const struct intercept_options *options, int *status)
{
	struct interception s = {.options = options};
	struct error *error, *unwritten;

	s.launch.engine = engine_create(&hooks, &s);
	error = run(&s);
	engine_destroy(s.launch.engine);
	unwritten = launch_finish(&s.launch, options->output);
	*status = s.launch.status;
	if (!error)
		return unwritten;
	error_free(unwritten);
	return error;
}
