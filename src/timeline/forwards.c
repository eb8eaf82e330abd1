/* Motion forwards: whole events, with stops on the way; and single instructions. */
#include <string.h>
#include <sys/wait.h>

#include "timeline/state.h"
#include "util/cleanup.h"

/* ---- events ---- */

static bool is_end(struct timeline *tl)
{
	const struct trace_event *event = &tl->s.event;
	struct timeline_tids tids = {0};

	if (event->kind == TRACE_EV_END)
		return true;
	if (event->kind != TRACE_EV_TASK_EXIT)
		return false;
	struct rep_task *t = rep_find(&tl->s, event->tid);

	if (!t || !tl_is_ours(tl, t))
		return false;
	timeline_threads(tl, &tids);
	bool last = tids.count == 1;

	vec_deinit(&tids);
	return last;
}

/* The end of what there is of the process: its last thread stays. */
static void stop_at_end(struct timeline *tl, bool end)
{
	struct rep_task *t = tl_any_task(tl);

	tl->stop = (struct timeline_stop){.cause = TIMELINE_END,
					  .tid = t ? t->tid : tl->process,
					  .ended = !end,
					  .status = end ? 0 : (int)tl->s.event.result};
}

/* What an event that was replayed is to those who want to stop. */
static bool stops_after(struct timeline *tl)
{
	const struct trace_event *event = &tl->s.done;
	struct rep_task *t = rep_find(&tl->s, event->tid);

	if (tl->deaf)
		return false;
	if (breaks_changed(tl))
		return true;
	if (!t || !tl_is_ours(tl, t))
		return false;
	if (event->kind == TRACE_EV_EXEC) {
		tl->stop = (struct timeline_stop){.cause = TIMELINE_EXEC, .tid = t->tid};
		return true;
	}
	if (event->kind != TRACE_EV_SYSCALL && event->kind != TRACE_EV_SYSCALL_EXIT)
		return false;
	tl->stop = (struct timeline_stop){
		.cause = TIMELINE_CALL, .tid = t->tid, .number = (int)event->arg};
	if (tl->catch_all)
		return true;
	vec_foreach (&tl->caught, number)
		if (*number == (int)event->arg)
			return true;
	return false;
}

/* An interrupted task has perhaps not moved at all, but counts as if it had: so that it does, it
 * executes an instruction. If it must not, it has not moved; nor has it from a breakpoint, to which
 * it cannot have come back unnoticed. */
static void move_indeed(struct timeline *tl, struct rep_task *t, const struct regs *before)
{
	int status;

	if (memcmp(before->word, tracee_regs(&t->tracee)->word, sizeof(before->word)))
		return;
	if (breaks_has(tl, breaks_pc(t)) || tl_step_once(tl, t, &status) == SOFTPMU_EVENT)
		t->moved = false;
	breaks_changed(tl);
}

/* Replays the next event. *stopped: on its way, or behind it: tl->stop. */
static struct error *replay_event(struct timeline *tl, bool *stopped)
{
	struct rep_task *t = tl_next_task(tl);
	bool stood = t && !t->moved;
	struct regs before = {0};

	if (stood)
		before = *tracee_regs(&t->tracee);
	struct error *error = rep_replay_event(&tl->s);

	*stopped = error && tl->s.paused;
	if (*stopped) {
		error_free(error);
		tl->s.paused = false;
		tl->reported = true;
		if (stood && tl->stop.cause == TIMELINE_INTERRUPTED)
			move_indeed(tl, t, &before);
		return NULL;
	}
	if (error)
		return error;
	tl->reported = false;
	tl_note_event(tl);
	*stopped = stops_after(tl);
	return NULL;
}

/* ---- instructions ---- */

bool tl_has_way(const struct trace_event *event)
{
	switch (event->kind) {
	case TRACE_EV_SYSCALL:
	case TRACE_EV_SYSCALL_ENTER:
	case TRACE_EV_INSN:
	case TRACE_EV_SCHED:
		return true;
	case TRACE_EV_SIGNAL:
	case TRACE_EV_SIGNAL_FATAL:
		return event->flags & (TRACE_F_SYNC_FAULT | TRACE_F_ASYNC | TRACE_F_BEFORE_CALL);
	default:
		return false;
	}
}

bool tl_has_place(const struct trace_event *event)
{
	return tl_has_way(event) &&
	       (event->kind == TRACE_EV_SCHED || (event->flags & TRACE_F_ASYNC)) &&
	       !(event->flags & TRACE_F_BEFORE_CALL);
}

static bool is_at(struct rep_task *t, const struct softpmu_target *target)
{
	uint64_t hits = softpmu_read(&t->tracee, &t->mm->probes, &t->counter);

	if (target->place.kind == TRACE_PLACE_EXACT) {
		if (!t->at_hits && !t->moved && hits == target->place.hits) {
			t->at_hits = true;
			t->hits = hits;
		}
		return t->at_hits && t->steps == target->place.steps;
	}
	return hits == target->place.hits && tl_has_state(t, target);
}

struct error *tl_know_place(struct timeline *tl, struct rep_task *t)
{
	uint64_t hash;

	if (tl->place.event == tl->s.event.number)
		return NULL;
	tl_forget_place(tl);
	tl->place.target.regs = rep_event_regs(&tl->s);
	trace_reader_rewind(tl->s.reader);
	try(rep_read_target(&tl->s, t, &tl->place.target, &tl->place.contents, &hash));
	tl->place.event = tl->s.event.number;
	return NULL;
}

void tl_forget_place(struct timeline *tl)
{
	rep_free_target(&tl->place.target);
	rep_free_contents(&tl->place.contents);
	memset(&tl->place, 0, sizeof(tl->place));
}

/* One instruction towards a place. *there: the task is at it already. */
static struct error *step_to_place(struct timeline *tl, struct rep_task *t, bool *there,
				   enum softpmu_result *result, int *status)
{
	try(tl_know_place(tl, t));
	struct softpmu_target target = tl->place.target;

	*there = is_at(t, &target);
	if (*there)
		return NULL;
	if (target.place.kind == TRACE_PLACE_EXACT && !t->at_hits)
		softpmu_arm(&t->tracee, &t->mm->probes, &t->counter, target.place.hits);
	*result = tl_step_once(tl, t, status);
	if (target.place.kind != TRACE_PLACE_EXACT || t->at_hits || t->tracee.gone)
		return NULL;
	bool hit = tl_is_hit(t);

	softpmu_arm(&t->tracee, &t->mm->probes, &t->counter, 0);
	if (!hit)
		return NULL;
	/* Before the site's instruction, where it stood before. */
	softpmu_stand_at_site(&t->tracee, &t->mm->probes);
	t->at_hits = true;
	t->hits = target.place.hits;
	t->steps = 0;
	*there = is_at(t, &target);
	if (!*there)
		*result = tl_step_once(tl, t, status);
	return NULL;
}

/* One instruction of the next event's task, or its event. *done: something was executed. */
static struct error *step_task(struct timeline *tl, struct rep_task *t, bool *done, bool *stopped)
{
	enum softpmu_result result = SOFTPMU_EVENT;
	bool there = false;
	int status = 0;

	*stopped = false;
	if (tl_has_place(&tl->s.event))
		try(step_to_place(tl, t, &there, &result, &status));
	else if (tl_has_way(&tl->s.event))
		result = tl_step_once(tl, t, &status);
	if (t->tracee.gone)
		return rep_diverged(&tl->s, t, "the replayed task is gone");
	*done = !there && result == SOFTPMU_FOUND;
	if (*done) {
		tl->reported = true;
		return NULL;
	}
	uint16_t kind = tl->s.event.kind;

	/* The instruction that leads to the event is next; a breakpoint at it would trap first. */
	tl->at_event = true;
	struct error *error = replay_event(tl, stopped);

	tl->at_event = false;
	if (error)
		return error;
	*done = !*stopped && (kind == TRACE_EV_SYSCALL || kind == TRACE_EV_SYSCALL_EXIT ||
			      kind == TRACE_EV_INSN || kind == TRACE_EV_SIGNAL);
	return NULL;
}

/* ---- breakpoints where a task stands ---- */

/* The task that is next stands where a stop was reported: it must get past that. */
static struct error *leave_reported(struct timeline *tl, bool *stopped)
{
	struct rep_task *t = tl_next_task(tl);
	bool done;

	*stopped = false;
	if (!tl->reported || tl->deaf || !t || !tl_is_ours(tl, t) || !breaks_has(tl, breaks_pc(t)))
		return NULL;
	try(step_task(tl, t, &done, stopped));
	tl->reported = false;
	return NULL;
}

/* The task that is next stands at a breakpoint since its last event. That is a stop before it runs:
 * what it would trap at is still that event's place, and no way from there. */
static struct error *stop_where_it_stands(struct timeline *tl, bool *stopped)
{
	struct rep_task *t = tl_next_task(tl);

	*stopped = false;
	if (tl->reported || tl->deaf || !t || !tl_is_ours(tl, t) || t->moved ||
	    !tl_has_way(&tl->s.event) || !breaks_has(tl, breaks_pc(t)))
		return NULL;
	if (tl_has_place(&tl->s.event)) {
		try(tl_know_place(tl, t));
		if (is_at(t, &tl->place.target))
			return NULL; /* others run before it goes on */
	}
	tl->stop = (struct timeline_stop){
		.cause = TIMELINE_BREAKPOINT, .tid = t->tid, .addr = breaks_pc(t)};
	*stopped = tl->reported = true;
	return NULL;
}

/* ---- marks ---- */

static bool at_mark(struct timeline *tl)
{
	if (!tl->at || !mark_is_here(tl, tl->at))
		return false;
	tl->stop = (struct timeline_stop){.cause = TIMELINE_PLACE, .tid = tl->at->tid};
	return true;
}

/* The stretch from the mark's event to the mark. */
static struct error *run_to_mark(struct timeline *tl)
{
	struct error *error = mark_seek(tl, tl->at);

	if (!error) {
		tl->stop = (struct timeline_stop){.cause = TIMELINE_PLACE, .tid = tl->at->tid};
		return NULL;
	}
	if (!tl->s.paused)
		return error;
	error_free(error);
	tl->s.paused = false;
	tl->reported = true;
	return NULL;
}

/* ---- events and what stops before them ---- */

/* The next event, or a stop on the way there. What leads past a reported stop may lead to it, too. */
static struct error *run_event(struct timeline *tl, bool *stopped)
{
	uint64_t event = tl->s.done.number;

	try(leave_reported(tl, stopped));
	if (*stopped || tl->s.done.number != event)
		return NULL;
	*stopped = at_mark(tl);
	if (*stopped)
		return NULL;
	try(stop_where_it_stands(tl, stopped));
	if (*stopped)
		return NULL;
	*stopped = tl->at && tl->at->moved && tl->s.done.number == tl->at->event;
	return *stopped ? run_to_mark(tl) : replay_event(tl, stopped);
}

struct error *tl_pass_event(struct timeline *tl, bool *stopped)
{
	typeof(tl->breakpoints) aside = tl->breakpoints;
	uint64_t event = tl->s.done.number;
	struct error *error = NULL;

	*stopped = false;
	memset(&tl->breakpoints, 0, sizeof(tl->breakpoints));
	while (!error && !*stopped && tl->s.done.number == event)
		error = run_event(tl, stopped);
	tl->breakpoints = aside;
	return error;
}

/* ---- steps ---- */

/* A breakpoint at which it is another's turn is still to be told. */
static struct error *note_stepped(struct timeline *tl, uint32_t tid)
{
	bool end;

	try(rep_peek(&tl->s, &end));
	struct rep_task *next = end ? NULL : tl_next_task(tl);

	tl->reported = !next || next->tid == tid;
	return NULL;
}

struct error *tl_step(struct timeline *tl, uint32_t tid)
{
	bool end, done = false, stopped = false;

	for (;;) {
		try(rep_peek(&tl->s, &end));
		if (end || is_end(tl)) {
			stop_at_end(tl, end);
			return NULL;
		}
		struct rep_task *t = tl_next_task(tl);

		if (t && tl_is_ours(tl, t) && (!tid || t->tid == tid)) {
			uint32_t own = t->tid;

			try(step_task(tl, t, &done, &stopped));
			if (stopped)
				return NULL;
			if (!done)
				continue;
			if (!breaks_changed(tl))
				tl->stop = (struct timeline_stop){.cause = TIMELINE_STEPPED,
								  .tid = own};
			return note_stepped(tl, own);
		}
		try(run_event(tl, &stopped));
		if (stopped)
			return NULL;
	}
}

/* ---- runs ---- */

struct error *tl_run(struct timeline *tl)
{
	bool end, stopped;

	for (;;) {
		try(rep_peek(&tl->s, &end));
		if (at_mark(tl))
			return NULL;
		if (end || is_end(tl)) {
			stop_at_end(tl, end);
			return NULL;
		}
		if (tl_is_interrupted(tl)) {
			struct rep_task *t = tl_any_task(tl);

			tl->stop = (struct timeline_stop){.cause = TIMELINE_INTERRUPTED,
							  .tid = t ? t->tid : tl->process};
			return NULL;
		}
		try(run_event(tl, &stopped));
		if (stopped)
			return NULL;
		if (!tl->at && !tl->diverted)
			try(checkpoint_if_due(tl));
	}
}

struct error *tl_to_event(struct timeline *tl, uint64_t event)
{
	bool end, stopped;

	while (tl->s.done.number < event) {
		try(rep_peek(&tl->s, &end));
		if (end || is_end(tl)) {
			stop_at_end(tl, end);
			return NULL;
		}
		try(replay_event(tl, &stopped));
		if (!tl->diverted)
			try(checkpoint_if_due(tl));
	}
	return NULL;
}
