/* Marks: positions that can be recognised. On the way between events a position is known by its
 * state: all registers, and hashes of memory; no state comes twice on the way to one event, or the
 * program would never get there. */
#include <string.h>

#include "timeline/state.h"

#define STACK_BYTES 8192u
/* Witness pages: enough to tell states apart, few enough to be cheap (16 MB hash in 5 ms). */
#define PAGES 4096u

static void read_state(struct rep_task *t, struct timeline_mark *mark)
{
	struct softpmu_target *target = &mark->target;
	struct softpmu_witnesses witnesses = {0};
	uint8_t stack[STACK_BYTES];

	target->regs = *tracee_regs(&t->tracee);
	target->is_fixed = !softpmu_code_changes(&t->tracee, arch.pc(&target->regs));
	arch.clear_resume(&target->regs);
	target->place.kind = t->at_hits ? TRACE_PLACE_EXACT : TRACE_PLACE_STATE;
	target->place.hits = t->hits;
	target->place.steps = t->at_hits ? t->steps : 0;
	target->place.vector_hash = softpmu_vector_hash(&t->tracee);
	softpmu_witness(&t->tracee, PAGES, &witnesses);
	target->witnesses = witnesses.items;
	target->count = witnesses.count;
	taddr at = arch.sp(&target->regs) & ~7ull;
	size_t got = tracee_read(&t->tracee, at, stack, sizeof(stack)) & ~(size_t)7;
	struct softpmu_contents piece = {at, got, xmemdup(stack, got)};

	vec_push(&mark->contents, piece);
	target->contents = mark->contents.items;
	target->contents_count = mark->contents.count;
}

struct timeline_mark *mark_make(struct timeline *tl)
{
	struct timeline_mark *mark = xcalloc(1, sizeof(*mark));
	struct rep_task *t = tl_next_task(tl);

	mark->event = tl->s.done.number;
	mark->moved = t && t->moved;
	if (!mark->moved)
		return mark;
	mark->tid = t->tid;
	read_state(t, mark);
	return mark;
}

void mark_free(struct timeline_mark *mark)
{
	if (!mark)
		return;
	rep_free_target(&mark->target);
	rep_free_contents(&mark->contents);
	free(mark);
}

bool mark_is_here(struct timeline *tl, const struct timeline_mark *mark)
{
	struct rep_task *t = tl_next_task(tl);

	if (tl->s.done.number != mark->event || mark->moved != (t && t->moved))
		return false;
	return !mark->moved || tl_has_state(t, &mark->target);
}

struct softpmu_target mark_target(struct timeline *tl, const struct timeline_mark *mark,
				  struct rep_task *t)
{
	struct softpmu_target target = mark->target;

	target.keep_code = trace_reader_meta(tl->s.reader)->numbers.flags & TRACE_META_NO_SITES;
	if (target.place.kind == TRACE_PLACE_STATE)
		target.place.hits = softpmu_read(&t->tracee, &t->mm->probes, &t->counter);
	return target;
}

struct error *mark_seek(struct timeline *tl, const struct timeline_mark *mark)
{
	struct rep_task *t = tl_next_task(tl);
	int status = 0;

	if (!t)
		return error_new("no task is on its way at event %llu",
				 (unsigned long long)mark->event);
	struct softpmu_target target = mark_target(tl, mark, t);
	enum softpmu_result result = tl_seek(tl, t, &target, &status);

	if (tl->s.paused)
		return rep_pause(&tl->s);
	tl->visits = result == SOFTPMU_FOUND ? target.visits : 0;
	if (result == SOFTPMU_FOUND)
		return NULL;
	return rep_diverged(&tl->s, t,
			    "a position at %#llx that was visited before was not found again",
			    (unsigned long long)arch.pc(&mark->target.regs));
}

struct error *mark_reach(struct timeline *tl, const struct timeline_mark *mark)
{
	bool deaf = tl->deaf, resolute = tl->resolute;
	struct error *error;

	tl->deaf = true;
	tl->resolute = true;
	error = tl_to_event(tl, mark->event);
	if (!error && mark->moved && !mark_is_here(tl, mark))
		error = mark_seek(tl, mark);
	tl->deaf = deaf;
	tl->resolute = resolute;
	return error;
}

/* ---- the user's ---- */

struct timeline_mark *timeline_mark(struct timeline *tl)
{
	return mark_make(tl);
}

void timeline_drop_mark(struct timeline *tl, struct timeline_mark *mark)
{
	mark_free(mark);
}

struct error *timeline_go_to_mark(struct timeline *tl, const struct timeline_mark *mark,
				  struct timeline_stop *stop)
{
	struct checkpoint *before = checkpoint_before(tl, mark);
	struct rep_task *t;

	if (!before)
		before = tl->checkpoints;
	tl->position++;
	try(checkpoint_restore(tl, before));
	try(mark_reach(tl, mark));
	t = tl_any_task(tl);
	*stop = (struct timeline_stop){.cause = TIMELINE_PLACE,
				       .tid = mark->tid ? mark->tid
					      : t	? t->tid
							: 0};
	tl->reported = true;
	return NULL;
}
