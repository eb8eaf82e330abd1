/* The monitor's motions: to events and times, to checkpoints, to the last write of a piece of
 * memory.
 *
 * Invariant: the client's breakpoints are the timeline's again when a command is done. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gdb/session.h"
#include "util/cleanup.h"

#define CHECKPOINTS_MAX 1000

static void say_place(struct gdb_session *s)
{
	struct timeline_where where;
	struct arch_state state = {0};
	uint32_t tid = gdb_general_thread(s);
	char name[16] = "";

	timeline_where(s->timeline, &where);
	gdb_say(s, "event %" PRIu64 " of %" PRIu64 ", %" PRIu64 ".%06" PRIu64 " s", where.event,
		where.last, where.time_ns / 1000000000, where.time_ns / 1000 % 1000000);
	if (gdb_get_state(s, tid, 1u << ARCH_GENERAL, &state)) {
		gdb_thread_name(s, tid, name);
		gdb_say(s, ", thread %" PRIu32 " (%s) at 0x%" PRIx64, tid, name,
			(uint64_t)arch.pc(&state.regs));
	}
	vec_deinit(&state.vector);
	gdb_say(s, "%s\n", timeline_diverted(s->timeline) ? ", in what did not happen" : "");
}

/* Shows where a motion has led; the client sees it with its next step. */
static void arrive(struct gdb_session *s, const struct timeline_stop *stop)
{
	struct timeline_stop here = *stop;

	here.cause = TIMELINE_PLACE;
	gdb_arrive(s, &here);
	s->general = here.tid;
	say_place(s);
}

void gdb_place_when(struct gdb_session *s, char **words)
{
	say_place(s);
}

/* ---- events and times ---- */

/* The last event that is not later; times do not decrease. */
static uint64_t event_at_time(struct gdb_session *s, uint64_t time_ns, uint64_t last)
{
	uint64_t low = 1, high = last;

	while (low < high) {
		uint64_t middle = low + (high - low + 1) / 2;
		struct trace_event event;

		if (!trace_reader_seek(s->reader, middle) || !gdb_next_event(s, &event))
			break;
		if (event.time_ns <= time_ns)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

bool gdb_parse_place(struct gdb_session *s, const char *text, uint64_t *event)
{
	struct timeline_where where;
	char *end;

	timeline_where(s->timeline, &where);
	if (!strcmp(text, "END")) {
		*event = UINT64_MAX;
		return true;
	}
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*event = strtoull(text, &end, 10);
	if (!*end)
		return !errno;
	double seconds = strtod(text, &end);

	if (strcmp(end, "s") || !(seconds < 1e9))
		return false;
	*event = event_at_time(s, (uint64_t)(seconds * 1e9), where.last);
	return true;
}

void gdb_place_seek(struct gdb_session *s, char **words)
{
	struct timeline_where where;
	struct timeline_stop stop;
	uint64_t event;

	if (!gdb_parse_place(s, words[0], &event)) {
		gdb_say(s, "'%s' is no place: give an event's number, seconds (1.5s), or END\n",
			words[0]);
		return;
	}
	timeline_where(s->timeline, &where);
	if (event > where.last && event != UINT64_MAX)
		gdb_say(s,
			"there is no event %" PRIu64 ": the last one is %" PRIu64
			"; this is the end\n",
			event, where.last);
	if (gdb_leave(s) && !gdb_failed(s, timeline_go_to_event(s->timeline, event, &stop)))
		arrive(s, &stop);
}

bool gdb_begin_again(struct gdb_session *s)
{
	struct timeline_stop stop;

	gdb_forget_points(s);
	if (!gdb_leave(s) || gdb_failed(s, timeline_go_to_mark(s->timeline, s->beginning, &stop)))
		return false;
	s->general = GDB_ANY;
	s->stop = (struct timeline_stop){.cause = TIMELINE_PLACE, .tid = stop.tid};
	return true;
}

/* ---- checkpoints ---- */

void gdb_place_checkpoint(struct gdb_session *s, char **words)
{
	struct timeline_where where;

	if (s->checkpoints.count >= CHECKPOINTS_MAX) {
		gdb_say(s, "there are %d checkpoints already: delete some\n", CHECKPOINTS_MAX);
		return;
	}
	timeline_where(s->timeline, &where);
	struct gdb_checkpoint checkpoint = {++s->last_checkpoint, where.event,
					    timeline_mark(s->timeline)};

	vec_push(&s->checkpoints, checkpoint);
	gdb_say(s, "checkpoint %u: ", checkpoint.number);
	say_place(s);
}

static void list_checkpoints(struct gdb_session *s)
{
	vec_foreach (&s->checkpoints, each)
		gdb_say(s, "  %u at event %" PRIu64 "\n", each->number, each->event);
}

void gdb_place_checkpoints(struct gdb_session *s, char **words)
{
	if (!s->checkpoints.count)
		gdb_say(s, "there are no checkpoints: \"checkpoint\" makes one\n");
	list_checkpoints(s);
}

static struct gdb_checkpoint *find_checkpoint(struct gdb_session *s, const char *word)
{
	vec_foreach (&s->checkpoints, each)
		if (strtoul(word, NULL, 10) == each->number)
			return each;
	gdb_say(s, "there is no checkpoint '%s'; %s\n", word,
		s->checkpoints.count ? "these are there:"
				     : "there are none, \"checkpoint\" makes one");
	list_checkpoints(s);
	return NULL;
}

void gdb_place_restart(struct gdb_session *s, char **words)
{
	const struct gdb_checkpoint *checkpoint = find_checkpoint(s, words[0]);
	struct timeline_stop stop;

	if (checkpoint && gdb_leave(s) &&
	    !gdb_failed(s, timeline_go_to_mark(s->timeline, checkpoint->mark, &stop)))
		arrive(s, &stop);
}

void gdb_place_delete(struct gdb_session *s, char **words)
{
	const struct gdb_checkpoint *checkpoint = find_checkpoint(s, words[1]);

	if (!checkpoint)
		return;
	timeline_drop_mark(s->timeline, checkpoint->mark);
	vec_remove(&s->checkpoints, (size_t)(checkpoint - s->checkpoints.items));
}

void gdb_forget_checkpoints(struct gdb_session *s)
{
	vec_foreach (&s->checkpoints, each)
		timeline_drop_mark(s->timeline, each->mark);
	vec_clear(&s->checkpoints);
}

/* ---- the last write ---- */

/* "ADDR[:LENGTH]", hexadecimal with 0x, else decimal. */
static bool parse_stretch(const char *text, taddr *addr, uint64_t *length)
{
	char *end;

	*length = 8;
	*addr = strtoull(text, &end, 0);
	if (end == text || (*end && *end != ':'))
		return false;
	if (*end == ':') {
		text = end + 1;
		*length = strtoull(text, &end, 0);
		if (end == text || *end)
			return false;
	}
	return *length;
}

/* Backwards to what stops by that watchpoint; signals and programs on the way do not matter. */
static bool run_back_to_write(struct gdb_session *s, struct timeline_stop *stop)
{
	do {
		if (!gdb_run(s, TIMELINE_BACKWARDS, stop))
			return false;
	} while (stop->cause == TIMELINE_SIGNAL || stop->cause == TIMELINE_EXEC);
	return true;
}

/* To where that memory was written. If it was not, or the search was interrupted: where it was. */
static bool find_write(struct gdb_session *s, struct timeline_stop *stop)
{
	struct timeline_mark *here = timeline_mark(s->timeline);
	struct timeline_stop back;
	bool done = run_back_to_write(s, stop);

	if (done && stop->cause != TIMELINE_WATCHPOINT)
		done = !gdb_failed(s, timeline_go_to_mark(s->timeline, here, &back));
	timeline_drop_mark(s->timeline, here);
	return done;
}

static void say_write(struct gdb_session *s, const struct timeline_stop *stop, taddr addr)
{
	if (stop->cause == TIMELINE_WATCHPOINT) {
		gdb_say(s, "the instruction here writes to 0x%" PRIx64 ": ", (uint64_t)addr);
		arrive(s, stop);
	} else if (stop->cause == TIMELINE_BEGIN) {
		gdb_say(s, "nothing writes to 0x%" PRIx64 " before this place\n", (uint64_t)addr);
	} else {
		gdb_say(s, "interrupted: this is where it was\n");
	}
}

void gdb_place_last_write(struct gdb_session *s, char **words)
{
	struct timeline_stop stop;
	uint64_t length;
	taddr addr;

	if (!parse_stretch(words[0], &addr, &length)) {
		gdb_say(s, "'%s' is no piece of memory: give ADDRESS or ADDRESS:LENGTH\n",
			words[0]);
		return;
	}
	gdb_enable_points(s, false);
	timeline_catch_calls(s->timeline, false, NULL, 0);
	bool fits = timeline_set_watchpoint(s->timeline, ARCH_DEBUG_WRITE, addr, length, true);
	bool done = fits && gdb_leave(s) && find_write(s, &stop);

	if (fits)
		timeline_set_watchpoint(s->timeline, ARCH_DEBUG_WRITE, addr, length, false);
	gdb_enable_points(s, true);
	timeline_catch_calls(s->timeline, s->catches, s->caught.items, s->caught.count);
	if (!fits)
		gdb_say(s, "%" PRIu64 " bytes at 0x%" PRIx64 " are too much to watch\n", length,
			(uint64_t)addr);
	if (done)
		say_write(s, &stop, addr);
}
