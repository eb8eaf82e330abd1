/* Targets: how processes come under the engine and how they leave it.
 *
 * Invariant: a process that leaves runs on, or stays stopped, as if nothing had been: each of its
 * threads is let go at a stop where nothing of ours is pending: no trap of a breakpoint, no changed
 * argument. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/state.h"
#include "tracee/procfs.h"
#include "util/cleanup.h"

#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | \
	 PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXEC)

/* How long it is waited for threads to stop. They do within microseconds, but where the kernel does
 * not let them: in uninterruptible sleeps, in vfork. */
#define PATIENCE_MS 2000

/* ---- spawning ---- */

/* What hooks are to see of the exec that starts a program. */
struct show {
	const struct live_spawn *spawn;
	struct task *task;
	bool shown;
};

static void show_task(struct show *show, struct tracee *tracee)
{
	struct task *t = show->task;
	struct engine *e = t->pub.engine;

	if (show->shown)
		return;
	show->shown = true;
	process_of_task(t)->pub.pid = tracee->tid;
	HASH_ADD_INT(e->tasks, pub.tracee.tid, t);
	t->pub.stop = LIVE_STOP_PLAIN;
	process_of_task(t)->shown = true;
	hook(t, new_task, NULL, LIVE_SPAWNED);
}

static void show_exec_call(void *context, struct tracee *tracee, bool entry)
{
	struct show *show = context;

	show_task(show, tracee);
	show->task->in_hook = show->task->show_calls = true;
	call_on_stop(show->task);
	show->task->in_hook = show->task->show_calls = false;
}

static struct task *make_first(struct engine *e, const struct live_spawn *spawn)
{
	struct process *p = process_create(e, 0, mm_create());

	p->pub.wants = spawn->wants;
	p->pub.follow = spawn->follow;
	p->pub.filtered = spawn->filter;
	struct task *t = task_create(e, p, 0, LIVE_SPAWNED, 0);

	HASH_DEL(e->tasks, t); /* it has no id yet */
	return t;
}

static unsigned long spawn_flags(const struct live_spawn *spawn)
{
	return OPTIONS | (spawn->filter ? PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL : 0) |
	       (spawn->kill_on_exit ? PTRACE_O_EXITKILL : 0);
}

static struct error *spawn_failed(struct show *show, struct error *error)
{
	struct task *t = show->task;
	struct engine *e = t->pub.engine;

	if (show->shown) {
		hook(t, task_ended, W_EXITCODE(error->kind, 0));
		if (e->hooks.process_ended)
			e->hooks.process_ended(e->context, t->pub.process,
					       W_EXITCODE(error->kind, 0));
	}
	task_remove(t);
	return error;
}

struct error *engine_spawn(struct engine *engine, const struct live_spawn *spawn,
			   struct live_process **process)
{
	try(bell_start(engine));
	struct show show = {.spawn = spawn, .task = make_first(engine, spawn)};
	struct task *t = show.task;

	engine->sets_rules = spawn->sets_rules;
	struct spawn_result result;
	struct spawn_options options = {
		.argv = spawn->argv,
		.envp = spawn->envp,
		.image = -1,
		.filter = spawn->filter,
		.new_session = spawn->new_session,
		.ptrace_options = spawn_flags(spawn),
		.cpus = spawn->cpus,
		.descriptors = spawn->descriptors,
		.mask = spawn->mask,
		.ignored = spawn->ignored,
		.exec_call = spawn->show_exec ? show_exec_call : NULL,
		.context = &show,
	};
	struct error *error = tracee_spawn(&options, &t->pub.tracee, &result);

	if (error)
		return spawn_failed(&show, error);
	t->status = W_STOPCODE(SIGTRAP | PTRACE_EVENT_EXEC << 8);
	*process = t->pub.process;
	t->in_hook = t->fresh = true;
	tracee_forget_memory(&process_of_task(t)->mm->memory);
	show_task(&show, &t->pub.tracee);
	t->pub.stop = LIVE_STOP_PLAIN;
	if (spawn->show_exec)
		hook(t, exec, t->pub.tracee.tid);
	t->in_hook = false;
	task_finish(t);
	return NULL;
}

/* ---- attaching ---- */

static struct error *seize_thread(struct process *p, pid_t tid, bool *seized)
{
	struct engine *e = p->pub.engine;

	*seized = false;
	if (task_find(e, tid))
		return NULL;
	if (ptrace(PTRACE_SEIZE, tid, NULL, (void *)OPTIONS) < 0) {
		int errnum = errno;
		char state = proc_state(tid);

		/* It has ended, or is a new thread of one that we have: then it reports itself. */
		if (errnum == ESRCH || state == 0 || state == 'Z' || state == 'X' ||
		    proc_status_number(tid, "TracerPid") == gettid())
			return NULL;
		return attach_refused(p->pub.pid, tid, errnum);
	}
	struct task *t = task_create(e, p, tid, LIVE_ATTACHED, 0);

	*seized = t->running = p->shown = true;
	hook(t, new_task, NULL, LIVE_ATTACHED);
	return NULL;
}

static struct error *seize_listed(struct process *p, DIR *threads, size_t *seized)
{
	struct dirent *entry;
	bool one;

	*seized = 0;
	rewinddir(threads);
	while ((entry = readdir(threads))) {
		pid_t tid = atoi(entry->d_name);

		if (tid <= 0)
			continue;
		try(seize_thread(p, tid, &one));
		*seized += one;
	}
	return NULL;
}

/* New threads of seized ones are ours by themselves; of others they are in the list next time. */
static struct error *seize_all(struct process *p)
{
	char path[48];
	size_t seized;
	struct error *error;

	snprintf(path, sizeof(path), "/proc/%d/task", p->pub.pid);
	DIR *threads = opendir(path);

	if (!threads)
		return attach_refused(p->pub.pid, p->pub.pid, errno == ENOENT ? ESRCH : errno);
	do
		error = seize_listed(p, threads, &seized);
	while (!error && seized);
	closedir(threads);
	if (!error && !p->tasks)
		return attach_refused(p->pub.pid, p->pub.pid, ESRCH);
	return error;
}

struct error *engine_attach(struct engine *engine, pid_t pid, const struct live_attach *attach,
			    struct live_process **process)
{
	pid_t tgid = proc_status_number(pid, "Tgid");

	if (tgid <= 0)
		return attach_refused(pid, pid, ESRCH);
	if (process_find(engine, tgid))
		return attach_refused(tgid, tgid, EBUSY);
	try(bell_start(engine));
	struct process *p = process_create(engine, tgid, mm_create());

	p->pub.wants = attach->wants;
	p->pub.follow = attach->follow;
	p->pub.attached = true;
	struct error *error = seize_all(p);

	if (error) {
		process_leave(p, false);
		return error;
	}
	struct task *t;

	if (attach->wants)
		DL_FOREACH (p->tasks, t)
			task_interrupt(t);
	if (attach->stop)
		engine_suspend(&p->pub, PATIENCE_MS, NULL);
	*process = &p->pub;
	return NULL;
}

/* ---- leaving ---- */

/* Letting go of a thread makes it look for signals (__ptrace_unlink() in kernel/ptrace.c), and a
 * call that it is about to make would end with EINTR for that. So the call is not made now, but
 * after the thread was let go. */
static bool postpone_call(struct task *t)
{
	if (t->pub.stop != LIVE_STOP_BEFORE || t->skipped || t->changed)
		return false;
	struct regs *regs = tracee_regs_mut(&t->pub.tracee);

	t->postponed = true;
	t->rewound = *regs;
	arch.call_rewind(&t->rewound, arch.call_nr(regs));
	arch.call_skip(regs);
	task_resume(t, PTRACE_SYSCALL, 0);
	return true;
}

void task_leave(struct task *t)
{
	struct process *p = process_of_task(t);
	int signal = t->pub.stop == LIVE_STOP_SIGNAL ? t->pub.signal : 0;

	t->leave = true;
	if (break_trap_pending(t)) {
		task_resume(t, PTRACE_CONT, signal); /* to that trap */
		return;
	}
	if (postpone_call(t))
		return;
	if (t->changed && t->pub.in_call) {
		task_resume(t, PTRACE_SYSCALL, 0); /* to the call's end */
		return;
	}
	if (t->pub.stop == LIVE_STOP_SIGNAL && !signal)
		call_signal_suppressed(t);
	if (p->leave_stopped)
		syscall(SYS_tgkill, p->pub.pid, t->pub.tracee.tid, SIGSTOP);
	break_disarm_thread(t);
	step_disarm(t);
	call_leave(t);
	p->leave_stopped = false; /* one is enough, and must come before the first goes on */
	tracee_detach(&t->pub.tracee, signal);
	task_remove(t);
}

/* Tasks whose stop was noted are handled as ever, silently, and that lets them go. */
static void leave_queued(struct engine *e, pid_t pid)
{
	struct task *t, *next;
	struct process *p;

	DL_FOREACH_SAFE2(e->queue, t, next, queue_next)
	{
		if (t->pub.process->pid != pid ||
		    (process_of_task(t)->mm->stepper && process_of_task(t)->mm->stepper != t))
			continue;
		DL_DELETE2(e->queue, t, queue_prev, queue_next);
		t->queued = false;
		task_handle(t);
		next = e->queue; /* it may have been followed by one that is gone now */
	}
	p = process_find(e, pid);
	DL_FOREACH_SAFE(p ? p->tasks : NULL, t, next)
	if (t->ready && !t->running && !t->in_hook)
		task_leave(t);
}

static bool still_leaving(struct engine *e, pid_t pid)
{
	struct process *p = process_find(e, pid);
	struct task *t;

	DL_FOREACH (p ? p->tasks : NULL, t)
		if (!t->in_hook)
			return true;
	return false;
}

void process_leave(struct process *p, bool stopped)
{
	struct engine *e = p->pub.engine;
	uint64_t end = engine_now() + PATIENCE_MS * 1000000ull;
	pid_t pid = p->pub.pid;
	struct task *t;

	p->leaving = p->hidden = true;
	p->leave_stopped = stopped;
	p->suspended = 0;
	if (!p->tasks) {
		process_free(p);
		return;
	}
	break_remove_all(e, p->mm);
	DL_FOREACH (p->tasks, t)
		task_interrupt(t);
	leave_queued(e, pid);
	e->let_go_ns = engine_now();
	while (still_leaving(e, pid) && engine_now() < end) {
		bell_set(e, end);
		struct error *error = engine_wait(e, true);

		if (error) {
			error_free(error);
			break;
		}
		leave_queued(e, pid);
	}
	bell_set(e, 0);
}

static struct error *check_can_leave(const struct process *p)
{
	if (!p->pub.filtered)
		return NULL;
	return error_new("cannot let go of process %d: it runs under a seccomp program of warp's, "
			 "and calls that "
			 "this stops would fail without warp; choose a method without seccomp",
			 p->pub.pid);
}

struct error *engine_detach(struct live_process *process)
{
	struct process *p = process_of(process);

	try(check_can_leave(p));
	if (!p->leaving)
		process_leave(p, false);
	return NULL;
}

uint64_t engine_let_go_ns(const struct engine *engine)
{
	return engine->let_go_ns;
}

struct error *engine_detach_stopped(struct live_process *process)
{
	struct process *p = process_of(process);

	try(check_can_leave(p));
	if (!p->leaving)
		process_leave(p, true);
	return NULL;
}

void engine_kill(struct live_process *process)
{
	kill(process->pid, SIGKILL);
}
