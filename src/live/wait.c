/* Waiting: what the kernel reports is noted at once, and handled later.
 *
 * Notes change only what must be changed before anything else is asked of the task: that it is
 * stopped, that it has another id after an exec, that it has a child. No hooks are called from
 * here, so that it can be waited for some tasks in the middle of a hook of another.
 *
 * Invariant: a stopped task that was not handled is in the queue, in the order of the reports. */
#include <errno.h>
#include <sys/wait.h>

#include "live/state.h"
#include "util/log.h"

/* Reports taken at once before some are handled. The kernel offers them in a fixed order of tasks,
 * so that without this a busy one could starve others. */
#define BATCH 64

void engine_enqueue(struct task *t)
{
	struct engine *e = t->pub.engine;

	if (t->queued)
		return;
	t->queued = true;
	DL_APPEND2(e->queue, t, queue_prev, queue_next);
}

static bool is_birth(int status)
{
	int event = tracee_event(status);

	return event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK ||
	       event == PTRACE_EVENT_VFORK;
}

static void note_stop(struct task *t, int status)
{
	t->pub.stop = LIVE_STOP_PLAIN;
	t->pub.signal = 0;
	tracee_stopped(&t->pub.tracee, status);
	if (is_birth(status))
		task_adopt_child(t);
	if (tracee_event(status) == PTRACE_EVENT_VFORK)
		t->vforking = true;
	else if (tracee_event(status) == PTRACE_EVENT_VFORK_DONE)
		t->vforking = false;
}

/* The end of a process's leader is reported when all other threads are gone. One that we still know
 * was killed in its exec, when it had the leader's id already, and is what has ended. */
static void note_vanished(struct task *leader)
{
	struct task *t;

	if (leader->pub.tracee.tid != leader->pub.process->pid)
		return;
	DL_FOREACH (process_of_task(leader)->tasks, t) {
		if (t == leader || t->ended)
			continue;
		t->running = t->ready = false;
		t->ended = t->pub.tracee.gone = true;
		t->pub.stop = LIVE_RUNNING;
		t->status = STATUS_VANISHED;
		if (mm_of(t)->stepper == t)
			break_stepper_gone(t);
		engine_enqueue(t);
	}
}

static void note_end(struct task *t)
{
	note_vanished(t);
	t->ended = true;
	t->pub.tracee.gone = true;
	t->pub.stop = LIVE_RUNNING;
	if (mm_of(t)->stepper == t)
		break_stepper_gone(t);
	task_adopt_orphans(t->pub.engine);
}

static void note(struct engine *e, pid_t tid, int status)
{
	log_stop("task %d: status %#x", tid, status);
	if (tid == e->bell.pid) {
		bell_rang(e, status);
		return;
	}
	struct task *t = WIFSTOPPED(status) && tracee_event(status) == PTRACE_EVENT_EXEC
				 ? task_rename_exec(e, tid)
				 : task_find(e, tid);

	if (!t) {
		vec_push(&e->early, (struct early){tid, status});
		return;
	}
	t->running = t->ready = false;
	t->status = status;
	if (WIFSTOPPED(status))
		note_stop(t, status);
	else
		note_end(t);
	engine_enqueue(t);
}

struct error *engine_wait(struct engine *e, bool block)
{
	int flags = __WALL | __WNOTHREAD | (block ? 0 : WNOHANG);
	int status;

	for (unsigned i = 0; i < BATCH; i++) {
		pid_t tid = waitpid(-1, &status, flags);

		if (tid == 0 || (tid < 0 && (errno == EINTR || !block || i > 0)))
			return NULL;
		if (tid < 0)
			return error_os(errno, "cannot wait for the traced processes");
		note(e, tid, status);
		if (e->task_count < 2)
			return NULL;
		flags |= WNOHANG;
	}
	return NULL;
}
