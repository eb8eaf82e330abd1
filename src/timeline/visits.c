/* The last visit of a breakpoint on the way of one task to its next event, or to a mark on that way.
 *
 * Each breakpoint's instruction gets a site that counts (softpmu/visits.h), the task runs to the
 * end at full speed, is made again from a copy, and runs to the last visit. Where no site can be
 * made there is a breakpoint; if that is passed, or something else is in the way, all stops are
 * counted one by one. */
#include <string.h>

#include "softpmu/visits.h"
#include "timeline/state.h"

/* Visits before the one that is gone to, from where the one before it is gone to. */
#define NEAR 100u

struct visits {
	struct timeline *tl;
	const struct timeline_mark *until; /* NULL: the next event */
	taddr pcs[SOFTPMU_VISITS];	   /* the breakpoints that are looked at */
	uint64_t counts[SOFTPMU_VISITS];
	unsigned number;
	bool keep;
};

/* ---- stop by stop ---- */

/* Runs from here to the end of the way, or to break number `most`. *count: how many there were. */
static struct error *count_breaks(struct timeline *tl, const struct timeline_mark *until,
				  uint64_t most, uint64_t *count)
{
	struct error *error;
	bool end;

	*count = 0;
	error = rep_peek(&tl->s, &end);
	tl->at = until;
	tl->halt = until ? 0 : tl->s.event.number;
	while (!error && *count < most) {
		error = tl_run(tl);
		if (error || tl->stop.cause != TIMELINE_BREAKPOINT)
			break;
		++*count;
	}
	tl->at = NULL;
	tl->halt = 0;
	return error;
}

/* Counting may take long: a run can be interrupted there, and is anywhere then. */
static struct error *by_stops(const struct visits *v, struct checkpoint *start, bool *found)
{
	struct timeline *tl = v->tl;
	uint64_t count;

	tl->resolute = !v->keep;
	struct error *error = count_breaks(tl, v->until, UINT64_MAX, &count);

	tl->resolute = true;
	*found = count && tl->stop.cause != TIMELINE_INTERRUPTED;
	if (error || tl->stop.cause == TIMELINE_INTERRUPTED)
		return error;
	try(checkpoint_restore(tl, start));
	return count ? count_breaks(tl, v->until, count, &count) : NULL;
}

/* ---- to a visit ---- */

/* From where they were counted. */
static struct error *go_to_visit(struct timeline *tl, taddr pc, uint64_t number)
{
	struct rep_task *t = tl_next_task(tl);

	if (number == 1 && !t->moved && breaks_pc(t) == pc)
		return NULL;
	struct breaks_aside aside = breaks_only(tl, NULL, 0);
	struct error *error = tl_go_to_visit(tl, pc, number);

	breaks_put_back(tl, &aside);
	return error;
}

/* Of those that are kept, from anywhere. */
static struct error *go_to_kept(struct timeline *tl, uint64_t number)
{
	typeof(tl->visit) *visit = &tl->visit;

	if (visit->near && visit->near_number <= number) {
		try(checkpoint_restore(tl, visit->near));
		return go_to_visit(tl, visit->pc, number - visit->near_number + 1);
	}
	checkpoint_free(visit->near);
	visit->near = NULL;
	try(checkpoint_restore(tl, visit->start));
	if (number <= NEAR)
		return go_to_visit(tl, visit->pc, number);
	try(go_to_visit(tl, visit->pc, number - NEAR));
	try(checkpoint_copy(tl, &visit->near));
	visit->near_number = number - NEAR;
	return go_to_visit(tl, visit->pc, NEAR + 1);
}

void visits_forget(struct timeline *tl)
{
	checkpoint_free(tl->visit.start);
	checkpoint_free(tl->visit.near);
	memset(&tl->visit, 0, sizeof(tl->visit));
}

void visits_keep(struct timeline *tl, struct checkpoint *start, taddr pc, uint64_t number)
{
	visits_forget(tl);
	tl->visit.event = tl->s.done.number;
	tl->visit.position = tl->position;
	tl->visit.pc = pc;
	tl->visit.number = number;
	tl->visit.start = start;
}

/* ---- by counting ---- */

/* Is the end stepped to? Steps through a site's stub would count as the program's. */
static struct error *is_stepped_to(struct timeline *tl, const struct timeline_mark *until,
				   bool *stepped)
{
	const struct trace_place *place = &tl->place.target.place;

	*stepped = false;
	if (until)
		place = &until->target.place;
	else if (tl_has_place(&tl->s.event))
		try(tl_know_place(tl, tl_next_task(tl)));
	else
		return NULL;
	*stepped = place->kind == TRACE_PLACE_EXACT && place->steps;
	return NULL;
}

/* The mark's own instruction is counted by the search for the mark. */
static bool is_marks(const struct visits *v, unsigned i)
{
	const struct softpmu_target *target = v->until ? &v->until->target : NULL;

	return target && target->place.kind == TRACE_PLACE_STATE &&
	       arch.pc(&target->regs) == v->pcs[i];
}

/* False: the mark's own were not counted. */
static bool read_counts(struct visits *v, struct rep_task *t)
{
	for (unsigned i = 0; i < v->number; i++) {
		if (is_marks(v, i) && !v->tl->visits)
			return false;
		v->counts[i] =
			is_marks(v, i) ? v->tl->visits - 1 : softpmu_visits_read(&t->tracee, i);
	}
	return true;
}

/* Counts visits of all on the way from here to the end, where it leaves the task with its sites. */
static struct error *count_all(struct visits *v, bool *counted)
{
	struct timeline *tl = v->tl;
	struct rep_task *t = tl_next_task(tl);
	struct breaks_aside aside = breaks_only(tl, NULL, 0);
	uint64_t stops = 0;

	for (unsigned i = 0; i < v->number; i++)
		if (!is_marks(v, i) &&
		    !softpmu_visits_begin(&t->tracee, &t->mm->probes, v->pcs[i], i))
			vec_push(&tl->breakpoints, v->pcs[i]);
	tl->visits = 0;
	struct error *error = count_breaks(tl, v->until, 1, &stops);

	breaks_put_back(tl, &aside);
	*counted = !error && !stops &&
		   tl->stop.cause == (v->until ? TIMELINE_PLACE : TIMELINE_STEPPED) &&
		   read_counts(v, t);
	return error;
}

/* Keeps those that were visited. */
static void keep_visited(struct visits *v)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < v->number; i++) {
		if (!v->counts[i])
			continue;
		v->pcs[kept] = v->pcs[i];
		v->counts[kept++] = v->counts[i];
	}
	v->number = kept;
}

/* To the last visit of the first of them, which is one no longer. */
static struct error *go_to_first(struct visits *v, struct checkpoint **start)
{
	taddr pc = v->pcs[0];
	uint64_t number = v->counts[0];

	v->counts[0] = 0;
	keep_visited(v);
	if (!v->keep)
		return go_to_visit(v->tl, pc, number);
	visits_keep(v->tl, *start, pc, number);
	*start = NULL;
	return go_to_kept(v->tl, number);
}

/* To the last visit of one; then those that are visited behind that are looked at. *pc: where it
 * has come to; 0: nothing is visited. */
static struct error *by_counting(struct visits *v, bool *counted, taddr *pc)
{
	struct timeline *tl = v->tl;
	struct checkpoint *start = NULL;
	struct error *error = NULL;

	for (*pc = 0, *counted = true; !error && v->number;) {
		error = checkpoint_copy(tl, &start);
		if (!error)
			error = count_all(v, counted);
		if (!error && *counted)
			error = checkpoint_restore(tl, start);
		keep_visited(v);
		if (!error && *counted && v->number) {
			*pc = v->pcs[0];
			error = go_to_first(v, &start);
		}
		checkpoint_free(start);
		start = NULL;
		if (!*counted)
			break;
	}
	return error;
}

static bool prepare(struct visits *v)
{
	struct timeline *tl = v->tl;

	if (tl->breakpoints.count > SOFTPMU_VISITS ||
	    (trace_reader_meta(tl->s.reader)->numbers.flags & TRACE_META_NO_SITES))
		return false;
	vec_foreach (&tl->breakpoints, pc)
		v->pcs[v->number++] = *pc;
	return true;
}

static void stop_at(struct timeline *tl, taddr pc)
{
	struct rep_task *t = tl_next_task(tl);

	tl->stop = (struct timeline_stop){.cause = TIMELINE_BREAKPOINT, .tid = t->tid, .addr = pc};
	tl->reported = true;
}

static struct error *look(struct visits *v, struct checkpoint *start, bool *found)
{
	struct timeline *tl = v->tl;
	bool stepped, counted = false;
	taddr pc;

	try(is_stepped_to(tl, v->until, &stepped));
	if (!stepped && prepare(v)) {
		try(by_counting(v, &counted, &pc));
		if (!counted)
			try(checkpoint_restore(tl, start));
	}
	if (!counted)
		return by_stops(v, start, found);
	*found = pc;
	if (pc)
		stop_at(tl, pc);
	return NULL;
}

struct error *visits_go_to_last(struct timeline *tl, const struct timeline_mark *until, bool keep,
				bool *found)
{
	struct visits v = {.tl = tl, .until = until, .keep = keep};
	struct rep_task *t = tl_next_task(tl);
	struct checkpoint *start;

	*found = false;
	if (!t || !tl_has_way(&tl->s.event) || !tl->breakpoints.count)
		return NULL;
	try(checkpoint_copy(tl, &start));
	bool resolute = tl->resolute;

	tl->resolute = true;
	struct error *error = look(&v, start, found);

	tl->resolute = resolute;
	tl->reported = *found;
	checkpoint_free(start);
	return error;
}

/* ---- what is known of here ---- */

static bool is_known(const struct timeline *tl, const struct timeline_mark *here)
{
	return tl->visit.number > 1 && tl->visit.position + 1 == tl->position && here->moved &&
	       tl->visit.event == here->event;
}

bool visits_are_known(const struct timeline *tl, const struct timeline_mark *here)
{
	return is_known(tl, here) && tl->visit.pc == arch.pc(&here->target.regs);
}

struct error *visits_go_back(struct timeline *tl)
{
	return go_to_kept(tl, tl->visit.number - 1);
}

/* Of the other breakpoints, those that are visited behind the one that is known come later. */
static struct error *go_before(struct visits *v, bool *found)
{
	struct timeline *tl = v->tl;
	taddr known = tl->visit.pc, pc = 0;
	bool counted;

	try(go_to_kept(tl, --tl->visit.number));
	for (unsigned i = 0; i < v->number; i++)
		v->counts[i] = v->pcs[i] != known;
	keep_visited(v);
	tl->visit.position = tl->position;
	try(by_counting(v, &counted, &pc));
	if (!counted || pc)
		visits_forget(tl);
	*found = counted;
	if (counted)
		stop_at(tl, pc ? pc : known);
	return NULL;
}

struct error *visits_go_before(struct timeline *tl, const struct timeline_mark *here, bool *found)
{
	struct visits v = {.tl = tl, .until = here};
	bool stepped, resolute = tl->resolute;

	*found = false;
	try(is_stepped_to(tl, here, &stepped));
	if (stepped || !is_known(tl, here) || !breaks_has(tl, tl->visit.pc) || !prepare(&v))
		return NULL;
	tl->resolute = true;
	struct error *error = go_before(&v, found);

	tl->resolute = resolute;
	return error;
}

void visits_stepped_back(struct timeline *tl, bool known)
{
	struct rep_task *t = tl_next_task(tl);

	if (!known || !t || !t->moved || tl->s.done.number != tl->visit.event) {
		visits_forget(tl);
		return;
	}
	tl->visit.position = tl->position;
	tl->visit.number -= breaks_pc(t) == tl->visit.pc;
}
