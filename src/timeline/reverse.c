/* Motion backwards.
 *
 * A run goes to the checkpoint before here and looks for the last stop on the way from there to
 * here: visits of breakpoints are counted from event to event (visits.c), stops by watchpoints one
 * by one. If there is none, the stretch before that checkpoint is next. A step backwards is the
 * last position of the thread before this one from which a step leads here: at an event, or by
 * stepping from the last visit of the same instruction, or of one in a loop near it. */
#include <string.h>

#include "timeline/state.h"
#include "util/cleanup.h"

/* Steps that are cheaper than to look for a nearer beginning. */
#define STEPS 3000u
/* Steps from where the next step backwards begins. */
#define NEAR 200u

static void stop_at_beginning(struct timeline *tl)
{
	struct rep_task *t = tl_any_task(tl);

	tl->stop = (struct timeline_stop){.cause = TIMELINE_BEGIN, .tid = t ? t->tid : tl->process};
}

static void free_mark(struct timeline_mark **mark)
{
	mark_free(*mark);
}

/* ---- runs ---- */

static bool is_over(struct timeline *tl, const struct timeline_mark *until)
{
	return tl->stop.cause == TIMELINE_PLACE || tl->stop.cause == TIMELINE_END ||
	       tl->stop.cause == TIMELINE_INTERRUPTED ||
	       mark_is_here(tl, until); /* of the event behind which it is, say */
}

/* All stops are counted, to stop number `most`. A write that leads to the mark is before it. */
static struct error *count_stops(struct timeline *tl, const struct timeline_mark *until,
				 uint64_t most, uint64_t *count)
{
	struct error *error = NULL;

	tl->at = until;
	for (*count = 0; !error && *count < most;) {
		error = tl_run(tl);
		bool over = error || is_over(tl, until);

		*count += !over || (!error && tl->stop.cause == TIMELINE_WATCHPOINT);
		if (over)
			break;
	}
	tl->at = NULL;
	return error;
}

/* The last stop on a stretch. */
struct last {
	uint64_t count; /* 0: there is none. All stops, if there are watchpoints. */
	uint64_t event;
	bool behind; /* it is behind that event; else on the way from there to the next */
	struct timeline_stop stop;
};

static void note_last(struct timeline *tl, struct last *last)
{
	last->count++;
	last->event = tl->s.done.number;
	last->stop = tl->stop;
	last->behind = tl->stop.cause == TIMELINE_EXEC ||
		       (tl->stop.cause == TIMELINE_CALL && !tl->stop.before);
}

/* Runs forwards from here to the mark. Of breakpoints on the way to an event only the first is
 * stopped at. */
static struct error *find_last_stop(struct timeline *tl, const struct timeline_mark *until,
				    struct last *last)
{
	bool stopped = false;
	struct error *error = NULL;

	*last = (struct last){0};
	if (tl->watches.count)
		return count_stops(tl, until, UINT64_MAX, &last->count);
	for (tl->at = until; !error;) {
		if (!stopped)
			error = tl_run(tl);
		if (error || is_over(tl, until))
			break;
		note_last(tl, last);
		stopped = false;
		if (last->stop.cause != TIMELINE_BREAKPOINT)
			continue;
		if (last->event == until->event)
			break; /* the rest of that way is looked at again */
		error = tl_pass_event(tl, &stopped);
	}
	tl->at = NULL;
	return error;
}

/* From an earlier position. */
static struct error *run_to_last(struct timeline *tl, const struct last *last,
				 const struct timeline_mark *until)
{
	const struct timeline_mark event = {.event = last->event};
	bool found = true;
	uint64_t count;

	if (tl->watches.count)
		return count_stops(tl, until, last->count, &count);
	try(mark_reach(tl, &event));
	if (last->stop.cause == TIMELINE_BREAKPOINT)
		try(visits_go_to_last(tl, until->event == last->event ? until : NULL, true,
				      &found));
	else if (!last->behind)
		try(tl_pass_event(tl, &found));
	else
		tl->stop = last->stop;
	if (tl->stop.cause == (found ? last->stop.cause : TIMELINE_INTERRUPTED))
		return NULL;
	return rep_diverged(&tl->s, tl_any_task(tl), "a stop was not found again");
}

/* An interrupt would leave it before the stop, as if that had been passed. */
static struct error *go_to_last(struct timeline *tl, struct checkpoint *from,
				const struct timeline_mark *until, const struct last *last)
{
	bool resolute = tl->resolute;

	try(checkpoint_restore(tl, from));
	tl->resolute = true;
	struct error *error = run_to_last(tl, last, until);

	tl->resolute = resolute;
	if (error)
		return error;
	/* Backwards, a write is about to be done when one stops at it. */
	if (tl->stop.cause == TIMELINE_WATCHPOINT) {
		struct timeline_stop stop = tl->stop;

		try(tl_step_back(tl, stop.tid));
		tl->stop = stop;
	} else if (tl->stop.cause == TIMELINE_EXEC) {
		/* The last place of the old program, of the thread that is about to execute the new
		 * one. */
		uint32_t tid = tl->s.done.arg;

		try(tl_step_back(tl, tid));
		tl->stop = (struct timeline_stop){.cause = TIMELINE_EXEC, .tid = tid};
	}
	return NULL;
}

/* An interrupt that came before the motion: it does not begin. */
static bool is_interrupted(struct timeline *tl)
{
	struct rep_task *t = tl_any_task(tl);

	if (tl->interrupted)
		tl->stop = (struct timeline_stop){.cause = TIMELINE_INTERRUPTED,
						  .tid = t ? t->tid : tl->process};
	return tl->interrupted;
}

static struct error *return_to(struct timeline *tl, struct checkpoint *from,
			       const struct timeline_mark *here)
{
	struct timeline_stop stop = tl->stop;

	try(checkpoint_restore(tl, from));
	try(mark_reach(tl, here));
	tl->stop = stop;
	tl->reported = true;
	return NULL;
}

struct error *tl_run_back(struct timeline *tl)
{
	if (is_interrupted(tl))
		return NULL;
	struct timeline_mark *here _cleanup_(free_mark) = mark_make(tl);
	struct checkpoint *from = checkpoint_before(tl, here);
	bool found;

	if (!tl->watches.count) {
		try(visits_go_before(tl, here, &found));
		if (found)
			return NULL;
	}
	while (from) {
		struct last last;

		try(checkpoint_restore(tl, from));
		struct timeline_mark *begin = mark_make(tl);
		struct error *error = find_last_stop(tl, here, &last);

		bool interrupted = !error && is_interrupted(tl);

		if (!error && !interrupted && last.count) {
			error = go_to_last(tl, from, here, &last);
			interrupted = !error && tl->stop.cause == TIMELINE_INTERRUPTED;
		}
		tl->interrupted = 0;
		if (interrupted) /* nothing was passed between here and where the motion began */
			error = return_to(tl, from, here);
		if (error || last.count || interrupted) {
			mark_free(begin);
			return error;
		}
		mark_free(here);
		here = begin;
		from = from->prev;
	}
	try(checkpoint_restore(tl, tl->checkpoints));
	stop_at_beginning(tl);
	return NULL;
}

/* ---- steps ---- */

struct pcs vec(taddr);

static int by_address(const void *a, const void *b)
{
	taddr x = *(const taddr *)a, y = *(const taddr *)b;

	return (x > y) - (x < y);
}

/* Of instructions that were executed at least twice, one that is executed least often: the
 * outermost loop that shows. 0: none. */
static taddr rarest(struct pcs *pcs)
{
	size_t least = SIZE_MAX;
	taddr best = 0;

	if (pcs->count)
		qsort(pcs->items, pcs->count, sizeof(*pcs->items), by_address);
	for (size_t i = 0, run; i < pcs->count; i += run) {
		for (run = 1; i + run < pcs->count && pcs->items[i + run] == pcs->items[i];)
			run++;
		if (run < 2 || run >= least)
			continue;
		least = run;
		best = pcs->items[i];
	}
	return best;
}

/* Steps from the present position to `here`, but not more than STEPS. `pcs`: where each began. */
static struct error *count_steps(struct timeline *tl, uint32_t tid,
				 const struct timeline_mark *here, struct pcs *pcs, unsigned *count,
				 bool *reached)
{
	struct error *error = NULL;

	vec_clear(pcs);
	*reached = mark_is_here(tl, here);
	for (*count = 0; !error && !*reached && *count < STEPS; ++*count) {
		struct rep_task *t = tl_task(tl, tid);

		vec_push(pcs, t ? breaks_pc(t) : 0);
		error = tl_step(tl, tid);
		*reached = mark_is_here(tl, here) || tl->s.done.number > here->event;
		if (tl->stop.cause == TIMELINE_END)
			break;
	}
	return error;
}

static struct error *step_from(struct timeline *tl, struct checkpoint *from, uint32_t tid,
			       unsigned count)
{
	try(checkpoint_restore(tl, from));
	for (unsigned i = 0; i < count; i++)
		try(tl_step(tl, tid));
	tl->reported = true;
	return NULL;
}

void near_forget(struct timeline *tl)
{
	checkpoint_free(tl->near.from);
	tl->near.from = NULL;
}

/* To `count` steps from there. Who steps backwards once does so again: a copy is kept near here. */
static struct error *step_from_and_keep(struct timeline *tl, struct checkpoint *from, uint32_t tid,
					unsigned count)
{
	unsigned far = count > NEAR ? count - NEAR : 0;

	near_forget(tl);
	try(step_from(tl, from, tid, far));
	try(checkpoint_copy(tl, &tl->near.from));
	for (unsigned i = far; i < count; i++)
		try(tl_step(tl, tid));
	tl->reported = true;
	tl->near.tid = tid;
	tl->near.count = count - far;
	tl->near.position = tl->position;
	return NULL;
}

static bool is_near(const struct timeline *tl, uint32_t tid)
{
	return tl->near.from && tl->near.tid == tid && tl->near.position == tl->position &&
	       tl->near.count;
}

/* A position before `here`, on the way to the same event, as near as visits of its instruction
 * lead. */
static struct error *come_near(struct timeline *tl, const struct timeline_mark *here)
{
	struct checkpoint *from = checkpoint_before(tl, here);
	struct timeline_mark event = {.event = here->event};
	int status;

	if (visits_are_known(tl, here))
		return visits_go_back(tl);
	if (from && from->done.number == here->event && from->moved)
		from = from->prev;
	try(checkpoint_restore(tl, from ? from : tl->checkpoints));
	try(mark_reach(tl, &event));
	struct rep_task *t = tl_next_task(tl);

	if (here->target.place.kind != TRACE_PLACE_STATE || !t)
		return NULL;
	struct softpmu_target target = mark_target(tl, here, t);
	struct checkpoint *begin;

	try(checkpoint_copy(tl, &begin));
	enum softpmu_result result = tl_seek(tl, t, &target, &status);
	struct error *error = result == SOFTPMU_FOUND
				      ? checkpoint_restore(tl, begin)
				      : rep_diverged(&tl->s, t, "a position was not found again");

	if (!error && target.visits > 1)
		error = tl_go_to_visit(tl, arch.pc(&here->target.regs), target.visits - 1);
	if (error || !target.visits)
		checkpoint_free(begin);
	else
		visits_keep(tl, begin, arch.pc(&here->target.regs), target.visits);
	return error;
}

/* From here to the last visit of `pc` before the mark, if there is one. */
static struct error *leap(struct timeline *tl, taddr pc, const struct timeline_mark *here)
{
	struct breaks_aside aside = breaks_only(tl, &pc, 1);
	bool found;
	struct error *error = visits_go_to_last(tl, here, false, &found);

	breaks_put_back(tl, &aside);
	return error;
}

/* The thread has moved since its event: the instruction before this one. */
static struct error *step_back_on_way(struct timeline *tl, uint32_t tid,
				      const struct timeline_mark *here)
{
	struct checkpoint *from = NULL;
	struct error *error;
	struct pcs pcs = {0};
	unsigned count = 0;
	bool reached = false;

	for (error = come_near(tl, here); !error;) {
		error = checkpoint_copy(tl, &from);
		if (!error)
			error = count_steps(tl, tid, here, &pcs, &count, &reached);
		if (error || reached || tl->stop.cause == TIMELINE_END)
			break;
		checkpoint_free(from);
		from = NULL;
		taddr pc = rarest(&pcs);

		if (pc)
			error = leap(tl, pc, here);
	}
	vec_deinit(&pcs);
	if (!error && reached && count)
		error = step_from_and_keep(tl, from, tid, count - 1);
	checkpoint_free(from);
	return error;
}

/* ---- over events ---- */

static struct error *go_behind(struct timeline *tl, uint64_t event)
{
	struct timeline_mark mark = {.event = event};
	struct checkpoint *from = checkpoint_before(tl, &mark);

	try(checkpoint_restore(tl, from ? from : tl->checkpoints));
	return mark_reach(tl, &mark);
}

/* A system call changes registers when it is made, which cannot be taken back: the thread goes
 * there again, and stops before it. It comes to that instruction once only, or there would be
 * another event. */
static struct error *stop_before_call(struct timeline *tl, uint32_t tid, uint64_t event)
{
	struct rep_task *t = tl_task(tl, tid);
	taddr pc = t ? arch.pc(tracee_regs(&t->tracee)) : 0;

	try(go_behind(tl, event - 1));
	t = tl_task(tl, tid);
	if (!t || arch.pc(tracee_regs(&t->tracee)) == pc)
		return NULL;
	struct breaks_aside aside = breaks_only(tl, &pc, 1);

	tl->resolute = true;
	struct error *error = tl_run(tl);

	breaks_put_back(tl, &aside);
	return error;
}

/* So it does at a signal that comes before one. */
static bool is_before_call(const struct timeline *tl)
{
	if (tl->stop.cause == TIMELINE_SIGNAL)
		return tl->s.pending && (tl->s.event.flags & TRACE_F_BEFORE_CALL);
	return tl->stop.cause == TIMELINE_CALL && tl->stop.before;
}

struct error *tl_settle_before_call(struct timeline *tl)
{
	struct timeline_stop stop = tl->stop;
	uint64_t event = tl->s.event.number;

	if (!is_before_call(tl))
		return NULL;
	try(stop_before_call(tl, stop.tid, event));
	tl->stop = stop;
	tl->announced = event;
	tl->reported = true;
	return NULL;
}

/* To where the thread is about to come to the event. */
static struct error *halt_at(struct timeline *tl, uint32_t tid, const struct trace_event *event)
{
	bool call = event->kind == TRACE_EV_SYSCALL || event->kind == TRACE_EV_SYSCALL_ENTER ||
		    (event->flags & TRACE_F_BEFORE_CALL);

	try(go_behind(tl, event->number - 1));
	tl->halt = event->number;
	struct error *error = tl_run(tl);

	tl->halt = 0;
	if (!error && call)
		error = stop_before_call(tl, tid, event->number);
	tl->reported = true;
	return error;
}

/* Events that the thread's own instructions lead to. */
static bool is_own(const struct trace_event *event, uint32_t tid)
{
	return event->tid == tid &&
	       (event->kind == TRACE_EV_SYSCALL || event->kind == TRACE_EV_SYSCALL_ENTER ||
		event->kind == TRACE_EV_INSN || event->kind == TRACE_EV_SIGNAL ||
		event->kind == TRACE_EV_SCHED);
}

/* The last of them up to here; number 0: none since the beginning. */
static struct error *find_last(struct timeline *tl, uint32_t tid, struct trace_event *out)
{
	uint64_t here = tl->s.done.number, first = tl->checkpoints->done.number;
	struct trace_event event;
	bool end = false;

	*out = (struct trace_event){0};
	for (uint64_t window = 64; !out->number; window *= 8) {
		uint64_t from = here > first + window ? here - window : first;

		trace_reader_seek(tl->s.reader, from + 1);
		for (uint64_t at = from; at < here && !end; at++) {
			try(trace_reader_next(tl->s.reader, &event, &end));
			if (!end && is_own(&event, tid))
				*out = event;
		}
		if (from == first)
			break;
	}
	tl->s.pending = false;
	trace_reader_seek(tl->s.reader, here + 1);
	return NULL;
}

static struct error *step_back_over_event(struct timeline *tl, uint32_t tid, bool *begin)
{
	struct trace_event last;

	try(find_last(tl, tid, &last));
	*begin = !last.number;
	if (*begin)
		return checkpoint_restore(tl, tl->checkpoints);
	try(halt_at(tl, tid, &last));
	if (last.kind != TRACE_EV_SCHED)
		return NULL;
	struct timeline_mark *place _cleanup_(free_mark) = mark_make(tl);

	if (place->moved)
		return step_back_on_way(tl, tid, place);
	return step_back_over_event(tl, tid, begin);
}

struct error *tl_step_back(struct timeline *tl, uint32_t tid)
{
	struct timeline_mark *here _cleanup_(free_mark) = NULL;
	bool deaf = tl->deaf, resolute = tl->resolute, begin = false;
	struct error *error;

	bool known = tl->visit.number && tl->visit.position == tl->position;

	tl->deaf = true;
	tl->resolute = true;
	if (is_near(tl, tid)) {
		error = step_from(tl, tl->near.from, tid, --tl->near.count);
	} else {
		here = mark_make(tl);
		tl->position++;
		if (here->moved && here->tid == tid)
			error = step_back_on_way(tl, tid, here);
		else
			error = step_back_over_event(tl, tid, &begin);
	}
	tl->deaf = deaf;
	tl->resolute = resolute;
	if (!error)
		visits_stepped_back(tl, tl->visit.number &&
						(known || tl->visit.position == tl->position));
	if (!error && begin)
		stop_at_beginning(tl);
	else if (!error)
		tl->stop = (struct timeline_stop){.cause = TIMELINE_STEPPED, .tid = tid};
	return error;
}
