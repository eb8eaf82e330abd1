/* Going on: how a stopped task is resumed, and what keeps it.
 *
 * Invariant: a task is resumed only when it is ready (its stop was handled) and nothing keeps it:
 * no hold, no suspended process, nobody else who is being stepped over a breakpoint in its address
 * space. */
#include <sys/wait.h>

#include "live/state.h"

bool task_may_run(const struct task *t)
{
	const struct process *p = process_of_task(t);

	return !t->holds && (!p->suspended || t->alone) && (!p->mm->stepper || p->mm->stepper == t);
}

/* Before one instruction is executed: will it show that it was stepped? */
static void look_at_step(struct task *t)
{
	const struct regs *regs = tracee_regs(&t->pub.tracee);
	size_t length = LIVE_CODE;

	t->shows = ARCH_SHOW_NOTHING;
	t->step_pc = arch.pc(regs);
	if (!t->pub.code_known)
		length = live_read(&t->pub, t->step_pc, t->pub.code, LIVE_CODE);
	t->pub.code_known = false;
	if (arch.makes_call(t->pub.code, length))
		step_unsure(t);
	if (!arch.traces_itself(regs))
		t->shows = arch.shows_step(t->pub.code, length);
}

void step_hide(struct task *t)
{
	enum arch_show shows = t->shows;
	uint64_t word;

	t->shows = ARCH_SHOW_NOTHING;
	if (shows == ARCH_SHOW_NOTHING || t->pub.tracee.gone)
		return;
	const struct regs *regs = tracee_regs(&t->pub.tracee);
	taddr pc = arch.pc(regs), sp = arch.sp(regs);

	if (pc <= t->step_pc || pc > t->step_pc + arch.insn_max)
		return; /* it was not executed, or a handler was entered */
	if (shows == ARCH_SHOW_REGISTER) {
		arch.hide_step(tracee_regs_mut(&t->pub.tracee));
	} else if (live_read(&t->pub, sp, &word, sizeof(word)) == sizeof(word)) {
		word &= ~arch.step_flag;
		live_write(&t->pub, sp, &word, sizeof(word));
	}
}

void task_resume(struct task *t, int how, int signal)
{
	if (how != PTRACE_SINGLESTEP)
		step_disarm(t);
	else if (step_run(t))
		how = PTRACE_CONT;
	if (how == PTRACE_SINGLESTEP) {
		t->stepped = true;
		look_at_step(t);
	}
	t->pub.run_to = 0;
	t->ready = false;
	t->running = true;
	t->pub.stop = LIVE_RUNNING;
	tracee_resume(&t->pub.tracee, how, signal);
}

/* Does the call that it is in have to be seen ending? */
static bool needs_end(const struct task *t)
{
	return t->pub.in_call && (t->pub.wants & LIVE_CALLS || t->pub.want_after || t->changed ||
				  t->sets_rules || process_of_task(t)->every_call);
}

/* With LIVE_STEPS, a call that is to be seen is not stepped over: it would show no stops. */
static bool enters_call(struct task *t)
{
	uint8_t bytes[4];
	size_t got = live_read(&t->pub, arch.pc(tracee_regs(&t->pub.tracee)), bytes, sizeof(bytes));

	return t->pub.stop != LIVE_STOP_BEFORE && arch.makes_call(bytes, got);
}

static int how_to_resume(struct task *t)
{
	if (t->pub.stop == LIVE_STOP_GROUP)
		return PTRACE_LISTEN;
	if (needs_end(t))
		return PTRACE_SYSCALL;
	if (t->pub.wants & LIVE_STEPS)
		return t->pub.wants & LIVE_CALLS && enters_call(t) ? PTRACE_SYSCALL
								   : PTRACE_SINGLESTEP;
	return t->pub.wants & LIVE_CALLS || process_of_task(t)->every_call ? PTRACE_SYSCALL
									   : PTRACE_CONT;
}

void task_try_run(struct task *t)
{
	if (!t->ready || t->running || t->ended || !task_may_run(t))
		return;
	if (t->end_missed) {
		call_end_missed(t);
		if (!task_may_run(t))
			return;
	}
	if (t->pub.stop == LIVE_STOP_SIGNAL && !t->pub.signal)
		call_signal_suppressed(t);
	if (break_step_over(t))
		return;
	int how = how_to_resume(t);

	if (how != PTRACE_SYSCALL)
		t->pub.in_call = false;
	task_resume(t, how, t->pub.stop == LIVE_STOP_SIGNAL ? t->pub.signal : 0);
}

void task_finish(struct task *t)
{
	struct process *p = process_of_task(t);

	t->ready = true;
	if (t->leave || p->leaving)
		task_leave(t);
	else
		task_try_run(t);
}

void process_try_run(struct process *p)
{
	struct task *t, *next;

	DL_FOREACH_SAFE(p->tasks, t, next)
	task_try_run(t);
}

void mm_try_run(struct engine *e, struct mm *mm)
{
	struct process *p;

	DL_FOREACH (e->processes, p)
		if (p->mm == mm)
			process_try_run(p);
}

/* ---- holding ---- */

void live_hold(struct live_task *task)
{
	task_of(task)->holds++;
}

void live_release(struct live_task *task)
{
	struct task *t = task_of(task);

	if (t->holds)
		t->holds--;
	task_try_run(t);
}

bool live_held(const struct live_task *task)
{
	return ((const struct task *)task)->holds;
}

void live_interrupt(struct live_task *task)
{
	struct task *t = task_of(task);

	t->wants_interrupted = true;
	task_interrupt(t);
}

void task_interrupt(struct task *t)
{
	if (!t->running || t->interrupting)
		return;
	t->interrupting = true;
	tracee_interrupt(&t->pub.tracee);
}

void live_set_wants(struct live_process *process, unsigned wants)
{
	struct task *t;

	process->wants = wants;
	DL_FOREACH (process_of(process)->tasks, t) {
		if (wants & ~t->pub.wants)
			task_interrupt(t);
		t->pub.wants = wants;
	}
}

/* ---- suspending ---- */

static size_t count_running(const struct process *p)
{
	size_t count = 0;
	const struct task *t;

	DL_FOREACH (p->tasks, t)
		count += t->running && !t->vforking;
	return count;
}

size_t process_stop_all(struct process *p, const struct task *but, unsigned timeout_ms)
{
	struct engine *e = p->pub.engine;
	uint64_t end = engine_now() + timeout_ms * 1000000ull;
	struct task *t;

	DL_FOREACH (p->tasks, t)
		if (t != but)
			task_interrupt(t);
	size_t allowed = but && but->running, left;

	while ((left = count_running(p)) > allowed && engine_now() < end) {
		bell_set(e, end);
		struct error *error = engine_wait(e, true);

		if (error) {
			error_free(error);
			break;
		}
		/* Threads that were made meanwhile stop by themselves: they are new. */
	}
	bell_set(e, 0);
	return left - allowed;
}

void engine_suspend(struct live_process *process, unsigned timeout_ms, size_t *running)
{
	struct process *p = process_of(process);

	p->suspended++;
	size_t left = process_stop_all(p, NULL, timeout_ms);

	if (running)
		*running = left;
}

void live_set_alone(struct live_task *task, bool alone)
{
	struct task *t = task_of(task);

	t->alone = alone;
	if (!t->in_hook)
		task_try_run(t);
}

void engine_resume(struct live_process *process)
{
	struct process *p = process_of(process);

	if (p->suspended && --p->suspended == 0)
		process_try_run(p);
}
