/* A timeline's beginning and end, and its motions as others ask for them. */
#include <sched.h>
#include <string.h>

#include "timeline/state.h"
#include "util/cleanup.h"

/* To the process's beginning: the exec or start after which it is there, else its fork. */
static struct error *go_to_beginning(struct timeline *tl)
{
	bool end;

	for (;;) {
		try(rep_peek(&tl->s, &end));
		if (end || tl->s.event.kind == TRACE_EV_END)
			return error_new("the recording has no process %u; warp dump lists them",
					 tl->process);
		try(rep_replay_event(&tl->s));
		if (tl->s.done.kind == TRACE_EV_START && !tl->process)
			tl->process = tl->s.done.tid;
		tl_note_event(tl);
		if (tl->process && rep_find(&tl->s, tl->process))
			break;
	}
	return NULL;
}

/* A child that executes a program at once begins there. */
static bool executes_soon(struct timeline *tl)
{
	struct trace_event event;
	bool end = false, found = false;
	uint64_t here = tl->s.done.number;

	for (int i = 0; i < 2000 && !found; i++) {
		if (trace_reader_next(tl->s.reader, &event, &end) || end)
			break;
		found = event.kind == TRACE_EV_EXEC && event.tid == tl->process;
	}
	trace_reader_seek(tl->s.reader, here + 1);
	return found;
}

static struct error *go_to_program(struct timeline *tl)
{
	bool end;

	if (tl->s.done.kind == TRACE_EV_START || !executes_soon(tl))
		return NULL;
	while (tl->s.done.kind != TRACE_EV_EXEC || tl->s.done.tid != tl->process) {
		try(rep_peek(&tl->s, &end));
		if (end)
			return NULL;
		try(rep_replay_event(&tl->s));
		tl_note_event(tl);
	}
	return NULL;
}

static struct error *open_at_beginning(struct timeline *tl, const struct timeline_options *options)
{
	try(rep_open(&tl->s, &tl->replay));
	tl->pauser = breaks_pauser;
	tl->pauser.context = tl;
	tl->s.pauser = &tl->pauser;
	tl->deaf = true;
	try(go_to_beginning(tl));
	if (!options->from_fork)
		try(go_to_program(tl));
	tl->deaf = false;
	return checkpoint_take(tl);
}

struct error *timeline_open(const struct timeline_options *options, struct timeline **out)
{
	struct timeline *tl = xcalloc(1, sizeof(*tl));

	tl->directory = xstrdup(options->directory);
	tl->replay = (struct replay_options){.directory = tl->directory, .quiet = options->quiet};
	tl->process = options->process;
	tl->memory_limit = options->memory_limit ? options->memory_limit : 1ull << 30;
	struct error *error = open_at_beginning(tl, options);

	if (error) {
		timeline_close(tl);
		return error;
	}
	*out = tl;
	return NULL;
}

void timeline_close(struct timeline *tl)
{
	if (!tl)
		return;
	while (tl->checkpoints) {
		struct checkpoint *c = tl->checkpoints;

		tl->checkpoints = c->next;
		checkpoint_free(c);
	}
	checkpoint_free(tl->diverted);
	near_forget(tl);
	visits_forget(tl);
	checkpoint_end_tasks(tl);
	rep_close(&tl->s);
	vec_deinit(&tl->breakpoints);
	vec_deinit(&tl->inserted);
	vec_deinit(&tl->watches);
	vec_deinit(&tl->caught);
	tl_forget_place(tl);
	tl_forget_programs(tl);
	free(tl->directory);
	free(tl);
}

void timeline_leave_core(const struct timeline *tl)
{
	rep_leave_core(&tl->s);
}

/* ---- motion ---- */

static struct error *finish(struct timeline *tl, struct error *error, struct timeline_stop *stop)
{
	*stop = tl->stop;
	tl->interrupted = 0;
	tl->at = NULL;
	return error;
}

struct error *timeline_run(struct timeline *tl, enum timeline_direction direction,
			   struct timeline_stop *stop)
{
	breaks_look(tl);
	tl->position++;
	if (tl->diverted)
		return finish(tl, divert_go(tl, tl->diverted_tid, false), stop);
	struct error *error = direction == TIMELINE_FORWARDS ? tl_run(tl) : tl_run_back(tl);

	return finish(tl, error ? error : tl_settle_before_call(tl), stop);
}

struct error *timeline_step(struct timeline *tl, uint32_t tid, enum timeline_direction direction,
			    struct timeline_stop *stop)
{
	breaks_look(tl);
	tl->position += direction == TIMELINE_FORWARDS;
	if (tl->diverted)
		return finish(tl, divert_go(tl, tid, true), stop);
	struct error *error =
		direction == TIMELINE_FORWARDS ? tl_step(tl, tid) : tl_step_back(tl, tid);

	return finish(tl, error ? error : tl_settle_before_call(tl), stop);
}

struct error *timeline_go_to_event(struct timeline *tl, uint64_t event, struct timeline_stop *stop)
{
	struct timeline_mark mark = {.event = event, .moved = true};
	struct checkpoint *before = checkpoint_before(tl, &mark);
	struct rep_task *next = tl_next_task(tl);

	tl->position++;
	bool ahead =
		tl->s.done.number < event || (tl->s.done.number == event && !(next && next->moved));

	if (!before)
		before = tl->checkpoints;
	if (!ahead || before->done.number > tl->s.done.number)
		try(checkpoint_restore(tl, before));
	tl->deaf = true;
	tl->resolute = true;
	tl->stop.cause = TIMELINE_PLACE;
	struct error *error = tl_to_event(tl, event);

	tl->deaf = false;
	tl->resolute = false;
	if (error)
		return error;
	if (tl->stop.cause == TIMELINE_PLACE) {
		struct rep_task *t = tl_any_task(tl);

		tl->stop = (struct timeline_stop){.cause = TIMELINE_PLACE, .tid = t ? t->tid : 0};
	}
	return finish(tl, NULL, stop);
}
