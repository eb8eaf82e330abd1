/* Checkpoints: forked, stopped copies of all processes, that a replay can go on from, as often as
 * wanted.
 *
 * A copy has one thread for each address space; the others are made again when it is restored, by
 * cloning, since what they are is in their registers. Memory that processes share is not copied by
 * fork: its bytes are kept, and written back. Copies never run. */
#include <errno.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "timeline/state.h"
#include "tracee/procfs.h"

#define PAGE 4096ull
/* Between checkpoints of a long motion. */
#define EVERY_NS 100000000ull
#define MOST	 64u

#define THREAD_FLAGS \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define PROCESS_FLAGS (CLONE_PARENT | SIGCHLD)

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* A child of ours with the flags, stopped before it executes anything. */
static struct error *clone_from(struct tracee *from, uint64_t flags, struct tracee *child)
{
	const uint64_t args[SC_ARGS] = {flags};
	pid_t tid = 0;
	int64_t result = tracee_call_clone(from, SYS_clone, args, &tid);

	if (result < 0 || !tid)
		return error_os(result < 0 ? (int)-result : ECHILD,
				"cannot copy the replayed process %d for a checkpoint", from->tgid);
	tracee_init(child, tid, flags & CLONE_THREAD ? from->tgid : tid);
	tracee_wait(child, 0);
	tracee_set_sigmask(child, 0);
	return child->gone ? error_new("a copy of the replayed process %d is gone", from->tgid)
			   : NULL;
}

/* ---- what is shared ---- */

static void keep_bytes(struct checkpoint *c, size_t process, struct tracee *tracee, taddr at,
		       uint64_t length)
{
	struct shared_bytes piece = {.process = process, .at = at};

	vec_reserve(&piece.bytes, length);
	piece.bytes.count = tracee_read(tracee, at, piece.bytes.items, length);
	c->bytes += piece.bytes.count;
	vec_push(&c->shared, piece);
}

/* Mapped files have contents of their own (keep_file). */
static void keep_shared_memory(struct checkpoint *c, size_t process)
{
	struct tracee *tracee = &c->processes.items[process].tracee;
	struct proc_maps maps = {0};

	proc_read_maps(tracee->tid, &maps);
	vec_foreach (&maps, map)
		if (map->shared && (map->prot & PROT_WRITE) && !strstr(map->name, "warp-file"))
			keep_bytes(c, process, tracee, map->start, map->end - map->start);
	proc_maps_deinit(&maps);
}

static void keep_file(struct checkpoint *c, const struct rep_file *file)
{
	struct shared_bytes piece = {.process = SIZE_MAX, .file = file->id};
	struct stat status;

	if (file->stale)
		return;
	vec_push(&c->files, file->id);
	if (!file->changing || fstat(file->fd, &status) < 0)
		return;
	vec_reserve(&piece.bytes, (size_t)status.st_size + 1);
	ssize_t got = pread(file->fd, piece.bytes.items, (size_t)status.st_size, 0);

	piece.bytes.count = got > 0 ? (size_t)got : 0;
	c->bytes += piece.bytes.count;
	vec_push(&c->shared, piece);
}

static struct error *write_file(struct timeline *tl, const struct shared_bytes *piece)
{
	struct rep_file *file;

	try(rep_file_get(&tl->s, piece->file, &file));
	if (ftruncate(file->fd, (off_t)piece->bytes.count) < 0 ||
	    pwrite(file->fd, piece->bytes.items, piece->bytes.count, 0) !=
		    (ssize_t)piece->bytes.count)
		return error_os(errno, "cannot give mapped file %u its earlier contents",
				piece->file);
	return NULL;
}

/* ---- taking one ---- */

static size_t process_of(struct checkpoint *c, struct timeline *tl, const struct rep_mm *mm)
{
	size_t at = 0;
	struct rep_task *t, *next;

	/* In the order in which copy_processes() came by them. */
	HASH_ITER (hh, tl->s.tasks, t, next) {
		struct rep_task *first, *after;
		bool earlier = false;

		HASH_ITER (hh, tl->s.tasks, first, after) {
			if (first == t)
				break;
			earlier |= first->mm == t->mm;
		}
		if (earlier)
			continue;
		if (t->mm == mm)
			return at;
		at++;
	}
	return c->processes.count;
}

static void copy_task(struct timeline *tl, struct checkpoint *c, struct rep_task *t)
{
	struct copied_task copy = {.tid = t->tid,
				   .tgid = t->tgid,
				   .process = process_of(c, tl, t->mm),
				   .in_call = t->in_call,
				   .moved = t->moved,
				   .at_hits = t->at_hits,
				   .leader = t->tracee.tid == t->tracee.tgid,
				   .hits = t->hits,
				   .steps = t->steps,
				   .last_ns = t->last_ns,
				   .regs = *tracee_regs(&t->tracee),
				   .counter = t->counter,
				   .counts = t->mm->probes.loaded == &t->counter};

	tracee_get_xstate(&t->tracee, &copy.xstate);
	c->moved |= t->moved;
	vec_push(&c->tasks, copy);
}

static struct error *copy_process(struct checkpoint *c, struct rep_task *t)
{
	struct copied_process process = {0};

	try(clone_from(&t->tracee, PROCESS_FLAGS, &process.tracee));
	softpmu_probes_copy(&process.probes, &t->mm->probes);
	vec_push(&c->processes, process);
	return NULL;
}

static struct error *copy_all(struct timeline *tl, struct checkpoint *c)
{
	struct rep_task *t, *next;
	struct rep_file *file, *after;

	HASH_ITER (hh, tl->s.tasks, t, next) {
		if (process_of(c, tl, t->mm) == c->processes.count)
			try(copy_process(c, t));
		copy_task(tl, c, t);
	}
	for (size_t i = 0; i < c->processes.count; i++)
		keep_shared_memory(c, i);
	HASH_ITER (hh, tl->s.files, file, after)
		keep_file(c, file);
	return NULL;
}

struct error *checkpoint_copy(struct timeline *tl, struct checkpoint **out)
{
	struct checkpoint *c = xcalloc(1, sizeof(*c));
	struct error *error = copy_all(tl, c);

	c->done = tl->s.done;
	if (error) {
		checkpoint_free(c);
		return error;
	}
	*out = c;
	return NULL;
}

static void end_process(struct tracee *tracee)
{
	kill(tracee->tgid, SIGKILL);
	while (!tracee->gone)
		tracee_wait(tracee, 0);
	tracee_deinit(tracee);
}

void checkpoint_free(struct checkpoint *c)
{
	if (!c)
		return;
	vec_foreach (&c->processes, process) {
		end_process(&process->tracee);
		softpmu_probes_deinit(&process->probes);
	}
	vec_foreach (&c->tasks, task)
		vec_deinit(&task->xstate);
	vec_foreach (&c->shared, piece)
		vec_deinit(&piece->bytes);
	vec_deinit(&c->processes);
	vec_deinit(&c->tasks);
	vec_deinit(&c->shared);
	vec_deinit(&c->files);
	free(c);
}

/* ---- going back to one ---- */

/* Threads first: a leader is reported when it is the last. */
void checkpoint_end_tasks(struct timeline *tl)
{
	struct rep_task *t, *next;

	HASH_ITER (hh, tl->s.tasks, t, next)
		kill(t->tracee.tgid, SIGKILL);
	HASH_ITER (hh, tl->s.tasks, t, next) {
		pid_t leader = t->tracee.tgid;

		if (t->tracee.tid == leader)
			continue;
		while (!t->tracee.gone)
			tracee_wait(&t->tracee, 0);
		rep_task_drop(&tl->s, t);
	}
	HASH_ITER (hh, tl->s.tasks, t, next) {
		while (!t->tracee.gone)
			tracee_wait(&t->tracee, 0);
		rep_task_drop(&tl->s, t);
	}
}

/* Files stay the same ones, since copies have them mapped. */
static void leave_later_files(struct timeline *tl, const struct checkpoint *c)
{
	struct rep_file *file, *next;

	HASH_ITER (hh, tl->s.files, file, next) {
		file->stale = true;
		vec_foreach (&c->files, id)
			if (*id == file->id)
				file->stale = false;
	}
}

/* Whom a task is cloned from: one of its process, else one of its address space, else the copy. */
static struct error *make_again(struct timeline *tl, struct checkpoint *c,
				const struct copied_task *copy)
{
	struct rep_task *t, *next, *same_mm = NULL, *same_process = NULL;
	struct copied_process *process = &c->processes.items[copy->process];
	struct tracee tracee;

	HASH_ITER (hh, tl->s.tasks, t, next) {
		const struct copied_task *other = t->copy;

		if (other->process != copy->process)
			continue;
		same_mm = t;
		if (other->tgid == copy->tgid)
			same_process = t;
	}
	if (same_process)
		try(clone_from(&same_process->tracee, THREAD_FLAGS, &tracee));
	else if (same_mm)
		try(clone_from(&same_mm->tracee, CLONE_VM | PROCESS_FLAGS, &tracee));
	else
		try(clone_from(&process->tracee, PROCESS_FLAGS, &tracee));
	t = rep_task_add(&tl->s, copy->tid, copy->tgid, &tracee, same_mm ? same_mm->mm : NULL);
	if (!same_mm)
		softpmu_probes_copy(&t->mm->probes, &process->probes);
	t->copy = copy;
	return NULL;
}

static void set_task(struct rep_task *t)
{
	const struct copied_task *copy = t->copy;

	t->in_call = copy->in_call;
	t->moved = copy->moved;
	t->at_hits = copy->at_hits;
	t->hits = copy->hits;
	t->steps = copy->steps;
	t->last_ns = copy->last_ns;
	t->counter = copy->counter;
	if (copy->counts)
		t->mm->probes.loaded = &t->counter;
	if (copy->xstate.count)
		tracee_set_xstate(&t->tracee, copy->xstate.items, copy->xstate.count);
	struct regs regs = copy->regs;

	arch.call_skip(&regs); /* the kernel is in no call of the new thread's */
	tracee_set_regs(&t->tracee, &regs);
	t->copy = NULL;
}

/* Leaders first: threads are cloned from them. */
static struct error *make_all_again(struct timeline *tl, struct checkpoint *c)
{
	struct rep_task *t, *next;

	for (int leaders = 1; leaders >= 0; leaders--)
		vec_foreach (&c->tasks, copy)
			if (copy->leader == leaders)
				try(make_again(tl, c, copy));
	vec_foreach (&c->shared, piece) {
		if (piece->process == SIZE_MAX) {
			try(write_file(tl, piece));
			continue;
		}
		HASH_ITER (hh, tl->s.tasks, t, next)
			if (((const struct copied_task *)t->copy)->process == piece->process)
				break;
		if (t)
			tracee_write(&t->tracee, piece->at, piece->bytes.items, piece->bytes.count);
	}
	HASH_ITER (hh, tl->s.tasks, t, next)
		set_task(t);
	return NULL;
}

struct error *checkpoint_restore(struct timeline *tl, struct checkpoint *c)
{
	checkpoint_end_tasks(tl);
	leave_later_files(tl, c);
	tl->s.event = tl->s.done = c->done;
	tl->s.pending = tl->s.ended = tl->s.paused = false;
	trace_reader_seek(tl->s.reader, c->done.number + 1);
	tl->announced = 0;
	tl->reported = false;
	for (struct checkpoint *each = tl->checkpoints; each; each = each->next)
		if (each == c)
			tl->last = c;
	tl->checkpoint_ns = now_ns();
	try(make_all_again(tl, c));
	breaks_look(tl);
	return NULL;
}

/* ---- the list ---- */

static void put_behind(struct timeline *tl, struct checkpoint *c)
{
	struct checkpoint *before = tl->last;

	c->prev = before;
	c->next = before ? before->next : NULL;
	if (c->next)
		c->next->prev = c;
	if (before)
		before->next = c;
	else
		tl->checkpoints = c;
	tl->last = c;
}

static void drop(struct timeline *tl, struct checkpoint *c)
{
	c->prev->next = c->next;
	if (c->next)
		c->next->prev = c->prev;
	if (tl->last == c)
		tl->last = c->prev;
	checkpoint_free(c);
}

/* The one whose loss costs least: near its neighbours, and far from here. The first stays. */
static void thin_out(struct timeline *tl)
{
	struct checkpoint *worst = NULL;
	double least = 0;
	uint64_t bytes = 0;
	unsigned count = 0;

	for (struct checkpoint *c = tl->checkpoints; c; c = c->next) {
		bytes += c->bytes;
		count++;
		if (!c->prev || c == tl->last)
			continue;
		uint64_t end = c->next ? c->next->done.time_ns : tl->s.done.time_ns;
		double gap = (double)end - (double)c->prev->done.time_ns;
		double far = (double)tl->s.done.time_ns - (double)c->done.time_ns;
		double loss = gap / ((far < 0 ? -far : far) + 1e6);

		if (!worst || loss < least) {
			worst = c;
			least = loss;
		}
	}
	if (worst && (count > MOST || bytes > tl->memory_limit))
		drop(tl, worst);
}

struct error *checkpoint_take(struct timeline *tl)
{
	struct checkpoint *c;

	try(checkpoint_copy(tl, &c));
	put_behind(tl, c);
	tl->checkpoint_ns = now_ns();
	thin_out(tl);
	return NULL;
}

struct error *checkpoint_if_due(struct timeline *tl)
{
	while (tl->last && tl->last->next && tl->last->next->done.number <= tl->s.done.number) {
		tl->last = tl->last->next;
		tl->checkpoint_ns = now_ns();
	}
	if (now_ns() - tl->checkpoint_ns < EVERY_NS ||
	    (tl->last && tl->last->done.number == tl->s.done.number))
		return NULL;
	return checkpoint_take(tl);
}

struct checkpoint *checkpoint_before(struct timeline *tl, const struct timeline_mark *mark)
{
	struct checkpoint *best = NULL;

	for (struct checkpoint *c = tl->checkpoints; c; c = c->next)
		if (c->done.number < mark->event || (c->done.number == mark->event && mark->moved))
			best = c;
	return best;
}
