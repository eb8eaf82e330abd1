/* Tasks, address spaces and groups: how they come, merge and go. */
#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/session.h"
#include "tracee/procfs.h"
#include "util/log.h"

/* ---- groups ---- */

struct rec_group *rec_group_of(struct rec_mm *mm)
{
	struct rec_group *group = mm->group;

	while (group->merged_into)
		group = group->merged_into;
	return mm->group = group;
}

struct rec_group *rec_group(struct rec_task *t)
{
	return rec_group_of(t->mm);
}

bool rec_alone(struct rec_task *t)
{
	return rec_group(t)->tasks == 1;
}

static struct rec_group *group_create(struct rec_session *s)
{
	struct rec_group *group = xcalloc(1, sizeof(*group));

	group->id = s->next_group++;
	vec_push(&s->groups, group);
	return group;
}

/* It has no tasks any more. Address spaces that are merged elsewhere may still point at it, so its
 * memory stays until the end. */
static void group_end(struct rec_session *s, struct rec_group *group)
{
	trace_writer_group_end(s->writer, group->id);
	vec_foreach (&s->groups, live) {
		if (*live != group)
			continue;
		vec_remove(&s->groups, live - s->groups.items);
		break;
	}
	vec_deinit(&group->ready);
	vec_push(&s->ended_groups, group);
}

static void group_leave(struct rec_session *s, struct rec_group *group)
{
	if (--group->tasks == 0)
		group_end(s, group);
}

/* Where tasks are inside calls, what they have computed before comes before what the other group
 * does from now on. */
static void commit_entries(struct rec_session *s, const struct rec_group *a,
			   const struct rec_group *b)
{
	struct rec_task *t, *next;

	HASH_ITER (hh, s->tasks, t, next)
		if ((rec_group(t) == a || rec_group(t) == b) && t->state == STATE_IN_CALL &&
		    t->call.open)
			rec_commit_enter(s, t);
}

void rec_merge_groups(struct rec_session *s, struct rec_mm *a, struct rec_mm *b)
{
	struct rec_group *keep = rec_group_of(a), *gone = rec_group_of(b);

	if (keep == gone)
		return;
	commit_entries(s, keep, gone);
	vec_append(&keep->ready, gone->ready.items, gone->ready.count);
	keep->running += gone->running;
	if (gone->running)
		keep->in_user = gone->in_user;
	keep->tasks += gone->tasks;
	gone->running = gone->tasks = 0;
	gone->merged_into = keep;
	group_end(s, gone);
	log_info("groups %u and %u share memory from now on", keep->id, gone->id);
}

/* ---- address spaces ---- */

struct rec_mm *rec_mm_create(struct rec_session *s, struct rec_group *group)
{
	struct rec_mm *mm = xcalloc(1, sizeof(*mm));

	mm->group = group ? group : group_create(s);
	mm->scratch_end = WARP_SCRATCH;
	return mm;
}

void rec_mm_release(struct rec_session *s, struct rec_mm *mm)
{
	if (--mm->users)
		return;
	rec_files_leave(s, mm);
	vec_deinit(&mm->agent.calls);
	vec_deinit(&mm->agent.records);
	vec_deinit(&mm->files);
	vec_deinit(&mm->spare);
	softpmu_probes_deinit(&mm->probes);
	free(mm);
}

/* What fork copies. */
static struct rec_mm *mm_copy(struct rec_session *s, struct rec_mm *from)
{
	struct rec_mm *mm = rec_mm_create(s, from->shares ? rec_group_of(from) : NULL);

	mm->shares = from->shares;
	mm->brk = from->brk;
	mm->scratch_end = from->scratch_end;
	softpmu_probes_copy(&mm->probes, &from->probes);
	rec_agent_copy(&mm->agent, &from->agent);
	vec_append(&mm->spare, from->spare.items, from->spare.count);
	vec_foreach (&from->files, file) {
		vec_push(&mm->files, *file);
		vec_push(&(*file)->mms, mm);
	}
	vec_foreach (&from->files, file) {
		bool shared = false;

		vec_foreach (&(*file)->shared, other)
			shared = shared || *other == from;
		if (shared)
			vec_push(&(*file)->shared, mm);
	}
	return mm;
}

/* For the next one of the address space. */
static void give_scratch_back(struct rec_task *t)
{
	if (t->scratch_size)
		vec_push(&t->mm->spare, (struct rec_scratch_piece){t->scratch, t->scratch_size});
	t->scratch = t->scratch_size = 0;
}

bool rec_scratch(struct rec_task *t, size_t size)
{
	if (t->scratch_size >= size)
		return true;
	size = (size + 0xffff) & ~0xffffull;
	struct rec_mm *mm = t->mm;

	give_scratch_back(t);
	for (size_t i = 0; i < mm->spare.count; i++) {
		if (mm->spare.items[i].size < size)
			continue;
		t->scratch = mm->spare.items[i].addr;
		t->scratch_size = mm->spare.items[i].size;
		vec_remove(&mm->spare, i);
		return true;
	}
	int64_t result =
		tracee_callv(&t->tracee, SYS_mmap, mm->scratch_end, size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1ull, 0);

	if (result < 0)
		return false;
	t->scratch = (taddr)result;
	t->scratch_size = size;
	mm->scratch_end = t->scratch + size;
	return true;
}

/* ---- tasks ---- */

struct rec_task *rec_find(struct rec_session *s, pid_t tid)
{
	struct rec_task *t;

	HASH_FIND_INT(s->tasks, &tid, t);
	return t;
}

struct rec_task *rec_find_named(struct rec_session *s, struct rec_task *t, pid_t number)
{
	struct rec_task *other, *next;

	if (proc_own_tid(t->tracee.tid) == t->tracee.tid)
		return rec_find(s, number);
	HASH_ITER (hh, s->tasks, other, next)
		if (proc_own_tid(other->tracee.tid) == number &&
		    proc_same_pid_namespace(other->tracee.tid, t->tracee.tid))
			return other;
	return NULL;
}

struct rec_task *rec_task_create(struct rec_session *s, pid_t tid, pid_t tgid, struct rec_mm *mm)
{
	struct rec_task *t = xcalloc(1, sizeof(*t));

	tracee_init(&t->tracee, tid, tgid);
	t->mm = mm;
	t->outer_rules = s->outer_rules;
	t->leader = t;
	mm->users++;
	rec_group_of(mm)->tasks++;
	HASH_ADD_INT(s->tasks, tracee.tid, t);
	return t;
}

static void unqueue(struct rec_task *t)
{
	struct rec_group *group = rec_group(t);

	for (size_t i = 0; t->queued && i < group->ready.count; i++) {
		if (group->ready.items[i] != t)
			continue;
		vec_remove(&group->ready, i);
		t->queued = false;
	}
}

void rec_task_remove(struct rec_session *s, struct rec_task *t)
{
	struct rec_group *group = rec_group(t);

	unqueue(t);
	give_scratch_back(t);
	if (t->state == STATE_RUNNING)
		group->running--;
	if (group->in_user == t)
		group->in_user = NULL;
	softpmu_unload(&t->mm->probes, &t->counter);
	HASH_DEL(s->tasks, t);
	rec_mm_release(s, t->mm);
	group_leave(s, group);
	rec_call_reset(&t->call);
	vec_deinit(&t->call.regions);
	vec_deinit(&t->call.homes);
	vec_deinit(&t->call.inputs);
	vec_deinit(&t->call.before);
	vec_deinit(&t->stash);
	vec_deinit(&t->sent);
	vec_deinit(&t->sample);
	vec_deinit(&t->wanted_sites);
	vec_deinit(&t->wanted_calls);
	rec_filter_release(t->filters);
	tracee_deinit(&t->tracee);
	free(t);
}

/* Waits for the first stop of a new thread, which may have been reported already. */
static bool await_first_stop(struct rec_session *s, struct rec_task *child)
{
	vec_foreach (&s->early, early) {
		if (early->tid != child->tracee.tid)
			continue;
		int status = early->status;

		vec_remove(&s->early, early - s->early.items);
		if (!WIFSTOPPED(status))
			return false;
		tracee_stopped(&child->tracee, status);
		return true;
	}
	int status = tracee_wait(&child->tracee, 0);

	if (!child->tracee.gone && tracee_event(status) == PTRACE_EVENT_EXIT) {
		tracee_resume(&child->tracee, PTRACE_CONT, 0); /* killed before it began */
		return false;
	}
	return !child->tracee.gone;
}

static struct rec_task *make_child(struct rec_session *s, struct rec_task *t, pid_t tid)
{
	uint64_t flags = t->call.clone.flags;
	bool thread = flags & CLONE_THREAD;
	struct rec_mm *mm = flags & CLONE_VM ? t->mm : mm_copy(s, t->mm);
	struct rec_task *child = rec_task_create(s, tid, thread ? t->tracee.tgid : tid, mm);

	if (thread)
		child->leader = t->leader;
	child->affinity = t->affinity;
	child->filters = t->filters;
	rec_filter_hold(child->filters);
	rec_faults_inherit(child, t);
	child->no_new_privs = t->no_new_privs;
	child->undumpable = t->leader->undumpable;
	child->tsc_mode = t->tsc_mode;
	child->cpuid_faults = t->cpuid_faults;
	if (flags & CLONE_CHILD_CLEARTID)
		child->clear_tid = t->call.clone.child_tid;
	if (!(flags & CLONE_VM)) {
		child->scratch = t->scratch;
		child->scratch_size = t->scratch_size;
	}
	rec_agent_new_task(t, child, flags);
	return child;
}

/* The ids that the kernel wrote for the child to see: in its own memory, and in the parent's where
 * that is the same. */
static void child_ids(struct rec_session *s, struct rec_task *t, struct rec_task *child)
{
	uint64_t flags = t->call.clone.flags;

	if (flags & CLONE_CHILD_SETTID)
		rec_memory(s, child, TRACE_D_MEMORY, t->call.clone.child_tid, sizeof(int));
	if ((flags & CLONE_PARENT_SETTID) && (flags & CLONE_VM))
		rec_memory(s, child, TRACE_D_MEMORY, t->call.clone.parent_tid, sizeof(int));
}

/* The event of a new task is its parent's, and so is the stream that gets its records. */
static void commit_new(struct rec_session *s, struct rec_task *t, struct rec_task *child)
{
	struct trace_task task = {
		.tid = (uint32_t)child->tracee.tid,
		.tgid = (uint32_t)child->tracee.tgid,
		.parent_tid = (uint32_t)t->tracee.tid,
		.group = rec_group(child)->id,
		.clone_flags = t->call.clone.flags,
		.stack = arch.sp(tracee_regs(&child->tracee)),
	};
	struct trace_event event = {
		.time_ns = rec_now() - s->start_ns,
		.tid = (uint32_t)t->tracee.tid,
		.kind = TRACE_EV_TASK_NEW,
		.result = child->tracee.tid,
	};
	struct rec_mm *own = child->mm;

	memcpy(event.regs, tracee_regs(&child->tracee)->word, sizeof(event.regs));
	rec_datum(s, t, TRACE_D_TASK, 0, &task, sizeof(task));
	child->mm = t->mm;
	child_ids(s, t, child);
	child->mm = own;
	trace_writer_commit(s->writer, rec_group(t)->id, &event);
}

static void adopt_child(struct rec_session *s, struct rec_task *t, pid_t tid)
{
	struct rec_task *child = make_child(s, t, tid);

	if (!await_first_stop(s, child)) {
		rec_task_remove(s, child);
		return;
	}
	commit_new(s, t, child);
	rec_queue(s, child, TODO_RESUME);
}

void rec_on_clone(struct rec_session *s, struct rec_task *t)
{
	pid_t tid = (pid_t)tracee_event_message(&t->tracee);

	if (t->tracee.gone || !tid)
		return;
	adopt_child(s, t, tid);
	/* It may have been killed meanwhile, and must not be taken past the stop at its exit. */
	int status = tracee_wait(&t->tracee, WNOHANG);

	if (status) {
		rec_take_status(s, t, status);
		return;
	}
	rec_resume_in_call(t, PTRACE_SYSCALL);
	if (!(t->call.clone.flags & CLONE_VFORK))
		rec_await(s, t);
}

/* Was the task killed while it made a child, before it could tell? The child lives on. (A thread
 * does not, and one with CLONE_PARENT is not found.) */
static void adopt_lost_child(struct rec_session *s, struct rec_task *t)
{
	const struct rec_call *c = &t->call;
	struct proc_tids children = {0};

	if (!c->open || !c->clone.asked)
		return;
	proc_read_children(t->tracee.tid, &children);
	vec_foreach (&children, child)
		if (!rec_find(s, *child))
			adopt_child(s, t, *child);
	vec_deinit(&children);
}

/* ---- the end of a task ---- */

/* Words that the kernel will write when the task ends, with the values it will give them. */
struct exit_word {
	taddr addr;
	uint32_t value;
};

struct exit_words vec(struct exit_word);

/* The owner of a robust futex dies (handle_futex_death() in kernel/futex/core.c). */
static void add_robust_word(struct rec_task *t, pid_t own, taddr addr, struct exit_words *words)
{
	uint32_t value;

	if (tracee_read(&t->tracee, addr, &value, sizeof(value)) != sizeof(value) ||
	    (value & FUTEX_TID_MASK) != (uint32_t)own)
		return;
	vec_push(words, (struct exit_word){addr, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED});
}

/* The list's entries point at each other; bit 0 marks priority inheritance. The kernel follows at
 * most 2048 of them (ROBUST_LIST_LIMIT). */
static void add_robust_words(struct rec_task *t, struct exit_words *words)
{
	struct robust_list_head head;
	taddr list = 0;
	size_t length = 0;

	syscall(SYS_get_robust_list, t->tracee.tid, &list, &length);
	if (!list || tracee_read(&t->tracee, list, &head, sizeof(head)) != sizeof(head))
		return;
	taddr entry = (taddr)head.list.next & ~1ull;
	taddr pending = (taddr)head.list_op_pending & ~1ull;
	pid_t own = proc_own_tid(t->tracee.tid); /* what the words hold */

	for (unsigned limit = 2048; entry && entry != list && limit; limit--) {
		taddr next = 0;

		if (entry != pending)
			add_robust_word(t, own, entry + (taddr)head.futex_offset, words);
		if (tracee_read(&t->tracee, entry, &next, sizeof(next)) != sizeof(next))
			break;
		entry = next & ~1ull;
	}
	if (pending)
		add_robust_word(t, own, pending + (taddr)head.futex_offset, words);
}

/* kernel/fork.c mm_release(): the word of set_tid_address(2) only while others use the memory. */
static void find_exit_words(struct rec_task *t, struct exit_words *words)
{
	if (rec_alone(t))
		return;
	add_robust_words(t, words);
	if (t->clear_tid && t->mm->users > 1)
		vec_push(words, (struct exit_word){t->clear_tid, 0});
}

enum death {
	DEATH_REAPED,
	DEATH_ZOMBIE,
	DEATH_REPLACED, /* the task does not exist any more, for us either */
};

/* Before 5.16 threads wait for each other's ends behind the stop at the exit, later before it
 * (coredump_task_exit() in kernel/exit.c). */
static bool dumps_late(void)
{
	struct utsname host;
	unsigned major, minor;

	return !uname(&host) && sscanf(host.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 5 || (major == 5 && minor < 16));
}

/* Has it come to where it waits for the others, so that a core can be dumped? Any other
 * uninterruptible sleep, such as for a page of a file, is one on the way there. */
static bool awaits_dump(const struct rec_task *t)
{
	struct bytes text = {0};

	if (!t->leader->dying || !dumps_late())
		return false;
	bool known = proc_read(t->tracee.tid, "wchan", &text) && text.count;

	vec_push(&text, 0);
	const char *where = (const char *)text.items;
	/* "0": a kernel without symbols. exit_mm() may be inlined. */
	bool there = !known || !strcmp(where, "0") || !strcmp(where, "exit_mm") ||
		     !strcmp(where, "do_exit");

	vec_deinit(&text);
	return there;
}

/* Until the kernel has done what it does to memory at a thread's end. A leader whose threads live
 * on becomes a zombie that wait does not report. Where a signal dumps core, kernels before 5.16 let
 * each thread sleep after that, until all others have come as far (exit_mm() in kernel/exit.c). */
static enum death await_death(struct rec_session *s, struct rec_task *t)
{
	for (;;) {
		t->tracee.gone = false;
		t->status = tracee_wait(&t->tracee, WNOHANG);
		if (t->tracee.gone)
			return DEATH_REAPED;
		if (t->status) { /* another thread has executed a program under this id */
			rec_on_wait(s, t->tracee.tid, t->status);
			return DEATH_REPLACED;
		}
		char state = proc_state(t->tracee.tid);

		if (state == 'Z' || state == 'X' || state == 0 || (state == 'D' && awaits_dump(t)))
			return DEATH_ZOMBIE;
		sched_yield();
	}
}

void rec_on_exit(struct rec_session *s, struct rec_task *t)
{
	int status = (int)tracee_event_message(&t->tracee);
	struct regs regs = *tracee_regs(&t->tracee);
	struct exit_words words = {0};

	adopt_lost_child(s, t);
	find_exit_words(t, &words);
	vec_foreach (&words, word)
		rec_datum(s, t, TRACE_D_MEMORY, word->addr, &word->value, sizeof(word->value));
	rec_commit(s, t, TRACE_EV_TASK_EXIT, 0, 0, status, &regs);
	t->exit_event = !t->tracee.gone;
	t->state = STATE_DYING;
	tracee_resume(&t->tracee, PTRACE_CONT, 0);
	vec_deinit(&words);
	enum death death = rec_alone(t) ? DEATH_ZOMBIE : await_death(s, t);

	if (death == DEATH_REPLACED)
		return;
	if (death == DEATH_REAPED)
		rec_on_gone(s, t, t->status);
}

void rec_on_gone(struct rec_session *s, struct rec_task *t, int status)
{
	if (!t->exit_event) {
		t->tracee.gone = false;
		rec_commit(s, t, TRACE_EV_TASK_EXIT, 0, 0, status, NULL);
	}
	if (t->tracee.tid == s->first) {
		s->first_status = status;
		s->first_ended = true;
	}
	log_stop("task %d is gone, status %#x", t->tracee.tid, status);
	rec_task_remove(s, t);
}
