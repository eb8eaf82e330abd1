/* What a stop means: a wait status becomes the call of a hook, or nothing.
 *
 * Invariant: a task is handled once for each stop; afterwards it is ready, or gone. */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "live/state.h"

/* si_code of the stop that a signal frame makes while its thread is single-stepped (ptrace_notify()
 * in kernel/signal.c). */
#define CODE_NOTIFIED SIGTRAP

/* ---- beginnings and ends ---- */

static void on_birth(struct task *t)
{
	struct task *parent = task_find(t->pub.engine, t->parent);

	t->newborn = false;
	process_of_task(t)->shown = true;
	if (!t->ended && parent)
		step_born(t, parent);
	if (!t->ended)
		break_arm_thread(t);
	hook(t, new_task, parent ? &parent->pub : NULL, t->birth);
}

static void on_end(struct task *t)
{
	struct engine *e = t->pub.engine;
	struct process *p = process_of_task(t);
	bool last = p->pub.task_count == 1;
	int status = t->status;

	if (t->newborn)
		on_birth(t);
	hook(t, task_ended, status);
	if (last && !p->hidden && e->hooks.process_ended)
		e->hooks.process_ended(e->context, &p->pub, status);
	task_remove(t);
}

static void on_exec(struct task *t)
{
	struct process *p = process_of_task(t);

	t->fresh = true;
	step_forget(t); /* debug registers do not survive it */
	hook(t, exec, t->former);
	if (p->hidden && !p->pub.filtered)
		t->leave = true; /* it was kept for the memory it shared */
}

/* ---- stops ---- */

/* PTRACE_EVENT_STOP: a group stop (again, if we have interrupted it there), or we have asked, or a
 * group stop has ended (ptrace(2), "Group-stop"). */
static void on_event_stop(struct task *t, bool interrupted)
{
	int signal = WSTOPSIG(t->status);

	if (signal == SIGTRAP) {
		t->group_stopped = false;
		if (interrupted)
			call_take_back(t);
		return;
	}
	t->pub.stop = LIVE_STOP_GROUP;
	if (t->group_stopped)
		return;
	t->group_stopped = true;
	hook(t, group_stop, signal);
}

static void on_signal(struct task *t, int signal, const siginfo_t *info)
{
	t->pub.stop = LIVE_STOP_SIGNAL;
	t->pub.signal = signal;
	call_on_signal(t, signal);
	hook(t, signal, info);
}

static bool is_step(const struct task *t, const siginfo_t *info)
{
	return t->stepped &&
	       (info->si_code == TRAP_TRACE || info->si_code == TRAP_BRKPT ||
		info->si_code == CODE_NOTIFIED || (info->si_code == TRAP_HWBKPT && t->armed));
}

static void on_trap(struct task *t)
{
	siginfo_t info;

	tracee_get_siginfo(&t->pub.tracee, &info);
	if (break_on_trap(t, &info))
		return;
	if (is_step(t, &info)) {
		t->stepped = false;
		if (t->fresh) { /* that was the end of the exec, no instruction */
			t->fresh = false;
			return;
		}
		if (t->pub.wants & LIVE_STEPS)
			hook(t, step);
		return;
	}
	on_signal(t, SIGTRAP, &info);
}

static void on_signal_stop(struct task *t)
{
	int signal = WSTOPSIG(t->status);
	siginfo_t info;

	if (signal == (SIGTRAP | 0x80)) {
		t->fresh = false;
		call_on_stop(t);
		return;
	}
	if (signal == SIGTRAP) {
		on_trap(t);
		return;
	}
	tracee_get_siginfo(&t->pub.tracee, &info);
	on_signal(t, signal, &info);
}

static void on_stop(struct task *t, bool interrupted)
{
	switch (tracee_event(t->status)) {
	case PTRACE_EVENT_SECCOMP:
		call_on_seccomp(t);
		return;
	case PTRACE_EVENT_EXEC:
		on_exec(t);
		return;
	case PTRACE_EVENT_STOP:
		on_event_stop(t, interrupted);
		return;
	case 0:
		on_signal_stop(t);
		return;
	default: /* births are noted already */
		return;
	}
}

void task_handle(struct task *t)
{
	if (t->ended) {
		on_end(t);
		return;
	}
	bool interrupted = t->interrupting;

	step_hide(t);
	t->in_hook = true;
	t->interrupting = false;
	if (t->newborn)
		on_birth(t);
	if (t->wants_interrupted) {
		t->wants_interrupted = false;
		hook(t, interrupted);
	}
	if (!break_stepped(t)) {
		t->interrupted = interrupted;
		on_stop(t, interrupted);
	}
	t->in_hook = false;
	task_finish(t);
}
