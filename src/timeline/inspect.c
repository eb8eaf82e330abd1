/* What can be seen of the process that is looked at. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "timeline/state.h"
#include "tracee/procfs.h"

bool tl_is_ours(const struct timeline *tl, const struct rep_task *t)
{
	return t->tgid == tl->process;
}

struct rep_task *tl_task(struct timeline *tl, uint32_t tid)
{
	struct rep_task *t = rep_find(&tl->s, tid);

	return t && tl_is_ours(tl, t) ? t : NULL;
}

struct rep_task *tl_any_task(struct timeline *tl)
{
	struct rep_task *t, *next;

	t = tl_next_task(tl);
	if (t && tl_is_ours(tl, t))
		return t;
	HASH_ITER (hh, tl->s.tasks, t, next)
		if (tl_is_ours(tl, t))
			return t;
	return NULL;
}

struct rep_task *tl_next_task(struct timeline *tl)
{
	const struct trace_event *event = &tl->s.event;
	bool end;

	error_free(rep_peek(&tl->s, &end)); /* comes again where the event is replayed */
	if (!tl->s.pending)
		return NULL;
	return rep_find(&tl->s, event->kind == TRACE_EV_EXEC ? event->arg : event->tid);
}

/* ---- the program ---- */

/* The last entry of the process up to here. */
static struct executed *find_program(struct timeline *tl, uint32_t process)
{
	struct executed *found = NULL;

	vec_foreach (&tl->programs, one)
		if (one->process == process && one->event <= tl->s.done.number)
			found = one;
	return found;
}

static void note_exec(struct timeline *tl, struct executed *one)
{
	struct trace_datum_view view;
	bool end = false;

	trace_reader_rewind(tl->s.reader);
	while (!trace_reader_datum(tl->s.reader, &view, &end) && !end) {
		if (view.kind == TRACE_D_EXEC_PATH && !one->path)
			one->path = xasprintf("%.*s", (int)view.length, (const char *)view.bytes);
		else if (view.kind == TRACE_D_AUXV && !one->auxv.count)
			vec_append(&one->auxv, (const char *)view.bytes, view.length);
	}
}

/* A new process executes what its parent does. */
static bool note_fork(struct timeline *tl, struct executed *one)
{
	const struct rep_task *parent = rep_find(&tl->s, tl->s.done.tid);
	const struct rep_task *child = rep_find(&tl->s, (uint32_t)tl->s.done.result);
	const struct executed *own = parent ? find_program(tl, parent->tgid) : NULL;

	if (!own || !child || child->tgid == parent->tgid)
		return false;
	one->process = child->tgid;
	one->path = own->path ? xstrdup(own->path) : NULL;
	vec_append(&one->auxv, own->auxv.items, own->auxv.count);
	return true;
}

void tl_note_event(struct timeline *tl)
{
	const struct trace_event *event = &tl->s.done;
	struct executed one = {.event = event->number, .process = event->tid};

	if (tl->programs.count && tl->programs.items[tl->programs.count - 1].event >= event->number)
		return; /* known from an earlier pass */
	if (event->kind == TRACE_EV_EXEC || event->kind == TRACE_EV_START)
		note_exec(tl, &one);
	else if (event->kind != TRACE_EV_TASK_NEW || !note_fork(tl, &one))
		return;
	vec_push(&tl->programs, one);
}

void tl_forget_programs(struct timeline *tl)
{
	vec_foreach (&tl->programs, one) {
		free(one->path);
		vec_deinit(&one->auxv);
	}
	vec_deinit(&tl->programs);
}

const char *timeline_program(struct timeline *tl)
{
	const struct executed *own = find_program(tl, tl->process);

	return own && own->path ? own->path : "";
}

uint32_t timeline_process(const struct timeline *tl)
{
	return tl->process;
}

const struct trace_reader *timeline_reader(const struct timeline *tl)
{
	return tl->s.reader;
}

/* ---- threads ---- */

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

void timeline_threads(struct timeline *tl, struct timeline_tids *out)
{
	struct rep_task *t, *next;

	vec_clear(out);
	HASH_ITER (hh, tl->s.tasks, t, next)
		if (tl_is_ours(tl, t))
			vec_push(out, t->tid);
	if (out->count)
		qsort(out->items, out->count, sizeof(*out->items), by_number);
}

void timeline_thread_name(struct timeline *tl, uint32_t tid, char out[16])
{
	struct rep_task *t = tl_task(tl, tid);

	struct bytes name = {0};

	if (t && proc_read(t->tracee.tid, "comm", &name) && name.count > 1)
		snprintf(out, 16, "%.*s", (int)name.count - 1, name.items);
	else
		out[0] = 0;
	vec_deinit(&name);
}

/* ---- registers and memory ---- */

bool timeline_get_state(struct timeline *tl, uint32_t tid, unsigned flavors,
			struct arch_state *state)
{
	struct rep_task *t = tl_task(tl, tid);

	if (!t)
		return false;
	tracee_write_regs(&t->tracee);
	if (!arch.state_read(t->tracee.tid, flavors, state))
		return false;
	arch.set_pc(&state->regs, breaks_pc(t));
	return true;
}

/* Where our jumps are, the program's bytes. */
static void show_sites(struct rep_task *t, taddr addr, uint8_t *bytes, size_t length)
{
	vec_foreach (&t->mm->probes.sites, probe)
		for (unsigned i = 0; i < probe->length; i++)
			if (probe->pc + i >= addr && probe->pc + i < addr + length)
				bytes[probe->pc + i - addr] = probe->saved[i];
}

size_t timeline_read(struct timeline *tl, taddr addr, void *to, size_t length)
{
	struct rep_task *t = tl_any_task(tl);
	size_t got = t ? tracee_read(&t->tracee, addr, to, length) : 0;

	if (got)
		show_sites(t, addr, to, got);
	return got;
}

/* In a stub there is nothing to unwind by: the thread is shown where the program knows it. */
void timeline_walk_stack(struct timeline *tl, uint32_t tid, unsigned most, replay_frame_fn show,
			 void *context)
{
	struct rep_task *t = tl_task(tl, tid);

	if (!t)
		return;
	struct regs own = *tracee_regs(&t->tracee), shown = own;

	arch.set_pc(&shown, breaks_pc(t));
	tracee_set_regs(&t->tracee, &shown);
	rep_walk_stack(&tl->s, t, most, show, context);
	tracee_set_regs(&t->tracee, &own);
}

void timeline_auxv(struct timeline *tl, struct bytes *out)
{
	const struct executed *own = find_program(tl, tl->process);

	vec_clear(out);
	if (own)
		vec_append(out, own->auxv.items, own->auxv.count);
}

/* ---- maps ---- */

/* The recording's file that is mapped there. */
static uint32_t file_of(struct timeline *tl, const struct proc_map *map)
{
	struct rep_file *file, *next;
	struct stat status;

	HASH_ITER (hh, tl->s.files, file, next)
		if (fstat(file->fd, &status) == 0 && status.st_ino == map->inode &&
		    status.st_dev == map->device)
			return file->id;
	return UINT32_MAX;
}

void timeline_maps(struct timeline *tl, struct timeline_maps *out)
{
	struct rep_task *t = tl_any_task(tl);
	struct proc_maps maps = {0};

	vec_clear(out);
	if (!t)
		return;
	proc_read_maps(t->tracee.tid, &maps);
	vec_foreach (&maps, map) {
		struct timeline_map one = {map->start,	map->end,
					   map->prot,	map->shared,
					   map->offset, map->inode ? file_of(tl, map) : UINT32_MAX,
					   ""};
		const char *name = map->name;

		if (map->start >= WARP_CODE_PAGE && map->start < WARP_RESERVED_END)
			continue;
		if (one.file != UINT32_MAX)
			name = trace_reader_file_path(tl->s.reader, one.file);
		snprintf(one.name, sizeof(one.name), "%s", name ? name : "");
		vec_push(out, one);
	}
	proc_maps_deinit(&maps);
}

uint64_t timeline_memory_hash(struct timeline *tl)
{
	struct rep_task *t = tl_any_task(tl);

	return t ? softpmu_memory_hash(&t->tracee) : 0;
}

/* ---- where ---- */

void timeline_where(struct timeline *tl, struct timeline_where *out)
{
	struct rep_task *t = tl_next_task(tl);
	struct trace_counts counts;

	trace_reader_counts(tl->s.reader, &counts);
	*out = (struct timeline_where){.event = tl->s.done.number,
				       .time_ns = tl->s.done.time_ns,
				       .tid = t && tl_is_ours(tl, t) ? t->tid : 0,
				       .last = counts.last};
}
