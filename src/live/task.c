/* Tasks, processes and address spaces: how they come and go.
 *
 * Invariants: a task is found under its thread id, and belongs to one process; a process has at
 * least one task, but while it is being made or ended; an address space has as many users as
 * processes refer to it. */
#include <errno.h>
#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/state.h"
#include "tracee/procfs.h"

/* ---- address spaces ---- */

struct mm *mm_create(void)
{
	struct mm *mm = xcalloc(1, sizeof(*mm));

	mm->users = 1;
	tracee_init(&mm->memory, 0, 0);
	return mm;
}

void mm_put(struct mm *mm)
{
	struct breakpoint *b, *next;

	if (--mm->users)
		return;
	DL_FOREACH_SAFE(mm->breakpoints, b, next)
	free(b);
	vec_deinit(&mm->removed);
	tracee_deinit(&mm->memory);
	free(mm);
}

/* ---- finding ---- */

struct task *task_find(struct engine *e, pid_t tid)
{
	struct task *t;

	HASH_FIND_INT(e->tasks, &tid, t);
	return t;
}

struct process *process_find(struct engine *e, pid_t pid)
{
	struct process *p;

	DL_FOREACH (e->processes, p)
		if (p->pub.pid == pid)
			return p;
	return NULL;
}

struct live_task *engine_find_task(struct engine *engine, pid_t tid)
{
	struct task *t = task_find(engine, tid);

	return t && !process_of_task(t)->hidden ? &t->pub : NULL;
}

struct live_process *engine_find_process(struct engine *engine, pid_t pid)
{
	struct process *p = process_find(engine, pid);

	return p && !p->hidden ? &p->pub : NULL;
}

struct live_process *engine_next_process(struct engine *engine, struct live_process *after)
{
	struct process *p = after ? process_of(after)->next : engine->processes;

	while (p && p->hidden)
		p = p->next;
	return p ? &p->pub : NULL;
}

struct live_task *live_next_task(struct live_process *process, struct live_task *after)
{
	struct task *t = after ? task_of(after)->next : process_of(process)->tasks;

	while (t && t->ended)
		t = t->next;
	return t ? &t->pub : NULL;
}

/* ---- coming and going ---- */

struct process *process_create(struct engine *e, pid_t pid, struct mm *mm)
{
	struct process *p = xcalloc(1, sizeof(*p));

	p->pub.pid = pid;
	p->pub.engine = e;
	p->mm = mm;
	DL_APPEND(e->processes, p);
	return p;
}

struct task *task_create(struct engine *e, struct process *p, pid_t tid, enum live_birth birth,
			 pid_t parent)
{
	struct task *t = xcalloc(1, sizeof(*t));

	tracee_init(&t->pub.tracee, tid, p->pub.pid);
	t->pub.engine = e;
	t->pub.process = &p->pub;
	t->pub.wants = p->pub.wants;
	t->birth = birth;
	t->parent = parent;
	HASH_ADD_INT(e->tasks, pub.tracee.tid, t);
	DL_APPEND(p->tasks, t);
	p->pub.task_count++;
	e->task_count++;
	return t;
}

void process_free(struct process *p)
{
	struct engine *e = p->pub.engine;

	if (p->leaving && p->shown && e->hooks.detached)
		e->hooks.detached(e->context, &p->pub);
	DL_DELETE(e->processes, p);
	mm_put(p->mm);
	free(p);
}

void task_remove(struct task *t)
{
	struct engine *e = t->pub.engine;
	struct process *p = process_of_task(t);

	if (task_find(e, t->pub.tracee.tid) == t)
		HASH_DEL(e->tasks, t);
	if (t->queued)
		DL_DELETE2(e->queue, t, queue_prev, queue_next);
	if (p->mm->stepper == t)
		break_stepper_gone(t);
	DL_DELETE(p->tasks, t);
	p->pub.task_count--;
	e->task_count--;
	tracee_deinit(&t->pub.tracee);
	free(t);
	if (!p->tasks)
		process_free(p);
}

/* ---- children ---- */

/* Of the parent that made it. A call of the parent's that was made up by flags of clone tells no
 * more than this: threads are threads of its process, and kcmp(2) knows who shares memory. */
static bool same_process(const struct task *parent, pid_t child)
{
	return syscall(SYS_tgkill, parent->pub.tracee.tgid, child, 0) == 0 || errno == EPERM;
}

static bool shares_memory(const struct task *parent, pid_t child)
{
	long answer = syscall(SYS_kcmp, parent->pub.tracee.tid, child, KCMP_VM, 0, 0);

	return answer >= 0 ? answer == 0 : tracee_event(parent->status) == PTRACE_EVENT_VFORK;
}

static enum live_birth birth_of(const struct task *parent, bool thread)
{
	if (thread)
		return LIVE_THREAD;
	return tracee_event(parent->status) == PTRACE_EVENT_VFORK ? LIVE_VFORK : LIVE_FORK;
}

static struct process *child_process(struct engine *e, struct process *parent, pid_t pid,
				     bool shares)
{
	struct mm *mm = shares ? parent->mm : mm_create();
	struct process *p = process_create(e, pid, mm);

	if (shares)
		mm->users++;
	p->pub.wants = parent->pub.wants;
	p->pub.follow = parent->pub.follow;
	p->pub.attached = parent->pub.attached;
	p->pub.filtered = parent->pub.filtered;
	p->every_call = parent->every_call;
	p->hidden = parent->hidden || !parent->pub.follow;
	p->parent = parent->pub.pid;
	if (!shares)
		break_clean_copy(e, parent->mm, pid);
	return p;
}

/* A hidden process that can be let go is, but not while it runs in memory that has breakpoints. */
static bool can_leave(const struct process *p)
{
	return p->hidden && !p->pub.filtered && (p->mm->users == 1 || !p->mm->breakpoints);
}

static void adopt(struct engine *e, struct process *p, pid_t tid, int status, enum live_birth birth,
		  pid_t parent)
{
	struct task *t = task_create(e, p, tid, birth, parent);

	t->status = status;
	t->newborn = true;
	t->leave = can_leave(p);
	t->ended = !WIFSTOPPED(status);
	if (t->ended) {
		t->pub.tracee.gone = true;
	} else {
		t->pub.stop = LIVE_STOP_PLAIN;
		tracee_stopped(&t->pub.tracee, status);
	}
	engine_enqueue(t);
}

/* The child's first report; it was created with its stop pending, so that this does not take
 * long. */
static bool first_status(struct engine *e, pid_t child, int *status)
{
	for (size_t i = 0; i < e->early.count; i++) {
		if (e->early.items[i].tid != child)
			continue;
		*status = e->early.items[i].status;
		vec_remove(&e->early, i);
		return true;
	}
	pid_t got;

	do
		got = waitpid(child, status, __WALL);
	while (got < 0 && errno == EINTR);
	return got == child;
}

void task_adopt_child(struct task *parent)
{
	struct engine *e = parent->pub.engine;
	struct process *p = process_of_task(parent);
	pid_t child = (pid_t)tracee_event_message(&parent->pub.tracee);
	int status;

	if (child <= 0 || task_find(e, child) || !first_status(e, child, &status))
		return;
	bool thread = same_process(parent, child);

	if (!thread)
		p = child_process(e, p, child, shares_memory(parent, child));
	adopt(e, p, child, status, birth_of(parent, thread), parent->pub.tracee.tid);
}

static void adopt_orphan(struct engine *e, const struct early *early)
{
	pid_t pid = proc_status_number(early->tid, "Tgid");
	struct process *p = process_find(e, pid);
	struct process *parent = process_find(e, proc_status_number(early->tid, "PPid"));

	if (!WIFSTOPPED(early->status))
		return; /* it came and went unseen */
	if (!p && parent)
		p = child_process(e, parent, pid, false);
	if (!p) { /* its parent's process is gone as well: nobody is left who wanted it */
		p = process_create(e, pid, mm_create());
		p->hidden = true;
	}
	adopt(e, p, early->tid, early->status, p->pub.pid == early->tid ? LIVE_FORK : LIVE_THREAD,
	      0);
}

/* A parent that is killed between making a child and reporting it never reports. When some task has
 * ended that may have been this; a report that comes after all finds its child known. */
void task_adopt_orphans(struct engine *e)
{
	while (e->early.count) {
		struct early early = e->early.items[0];

		vec_remove(&e->early, 0);
		adopt_orphan(e, &early);
	}
}

/* ---- exec ---- */

static void new_image(struct process *p, struct task *t)
{
	/* Breakpoints were in the old address space; who shares that keeps them. */
	if (p->mm->stepper == t)
		break_stepper_gone(t);
	mm_put(p->mm);
	p->mm = mm_create();
	t->hit = 0;
	tracee_forget_memory(&t->pub.tracee);
}

struct task *task_rename_exec(struct engine *e, pid_t tid)
{
	struct task *leader = task_find(e, tid), *t;
	struct tracee named = {.tid = tid, .mem = -1};
	pid_t former = (pid_t)tracee_event_message(&named);

	t = former == tid ? leader : task_find(e, former);
	if (!t)
		t = leader;
	if (!t)
		return NULL;
	if (t != leader) {
		HASH_DEL(e->tasks, t);
		if (leader) {
			HASH_DEL(e->tasks, leader);
			leader->running = leader->ready = false;
			leader->ended = leader->pub.tracee.gone = true;
			leader->status = STATUS_VANISHED;
			engine_enqueue(leader);
		}
		t->pub.tracee.tid = tid;
		HASH_ADD_INT(e->tasks, pub.tracee.tid, t);
	}
	new_image(process_of_task(t), t);
	t->former = former;
	return t;
}
