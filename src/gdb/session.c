/* One client's session: packets in, answers out.
 *
 * Invariant: after `error` or `over` no packet is answered any more. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "gdb/session.h"
#include "util/cleanup.h"

struct error *gdb_session_init(struct gdb_session *s, struct timeline *timeline,
			       const struct gdb_options *options)
{
	struct timeline_where where;

	*s = (struct gdb_session){.timeline = timeline, .options = options};
	try(trace_reader_open(options->directory, &s->reader));
	timeline_where(timeline, &where);
	s->beginning = timeline_mark(timeline);
	s->features = trace_reader_meta(s->reader)->numbers.xstate_features;
	s->stop = (struct timeline_stop){.cause = TIMELINE_PLACE, .tid = where.tid};
	gdb_program_changed(s);
	arch.layout(&s->layout);
	return NULL;
}

void gdb_session_deinit(struct gdb_session *s)
{
	gdb_close_files(s);
	vec_deinit(&s->reply);
	vec_deinit(&s->document);
	vec_deinit(&s->points);
	vec_deinit(&s->withdrawn);
	vec_deinit(&s->caught);
	vec_deinit(&s->homes);
	gdb_forget_checkpoints(s);
	vec_deinit(&s->checkpoints);
	if (s->beginning)
		timeline_drop_mark(s->timeline, s->beginning);
	free(s->program);
	error_free(s->error);
	trace_reader_destroy(s->reader);
}

void gdb_ok(struct gdb_session *s)
{
	bytes_put(&s->reply, "OK");
}

void gdb_refuse(struct gdb_session *s, int errnum)
{
	bytes_format(&s->reply, "E%02x", (unsigned)errnum & 0xff);
}

/* A text of the console is a packet of its own; long ones are several. */
#define SAY_MAX 2048

void gdb_say(struct gdb_session *s, const char *format, ...)
{
	struct bytes text = {0}, packet = {0};
	va_list args;

	va_start(args, format);
	bytes_vformat(&text, format, args);
	va_end(args);
	for (size_t at = 0; at < text.count; at += SAY_MAX) {
		size_t left = text.count - at;

		vec_clear(&packet);
		bytes_put(&packet, "O");
		gdb_put_hex(&packet, text.items + at, left < SAY_MAX ? left : SAY_MAX);
		gdb_wire_send(s->wire, &packet);
	}
	vec_deinit(&text);
	vec_deinit(&packet);
}

bool gdb_failed(struct gdb_session *s, struct error *error)
{
	if (error && !s->error)
		s->error = error;
	else
		error_free(error);
	return error;
}

bool gdb_next_event(struct gdb_session *s, struct trace_event *event)
{
	bool end = true;

	error_free(trace_reader_next(s->reader, event, &end));
	return !end;
}

bool gdb_is_alive(struct gdb_session *s, uint32_t tid)
{
	struct timeline_tids tids = {0};
	bool found = false;

	timeline_threads(s->timeline, &tids);
	vec_foreach (&tids, each)
		found = found || *each == tid;
	vec_deinit(&tids);
	return found;
}

/* The thread that moves next, else the oldest. */
static uint32_t some_thread(struct gdb_session *s)
{
	struct timeline_tids tids = {0};
	struct timeline_where where;
	uint32_t tid;

	timeline_where(s->timeline, &where);
	timeline_threads(s->timeline, &tids);
	tid = where.tid ? where.tid : tids.count ? tids.items[0] : 0;
	vec_deinit(&tids);
	return tid;
}

uint32_t gdb_general_thread(struct gdb_session *s)
{
	if (s->general != GDB_ANY && s->general != GDB_EVERY && gdb_is_alive(s, s->general))
		return s->general;
	if (s->stop.tid && gdb_is_alive(s, s->stop.tid))
		return s->stop.tid;
	return some_thread(s);
}

void gdb_thread_name(struct gdb_session *s, uint32_t tid, char out[16])
{
	timeline_thread_name(s->timeline, tid, out);
	out[15] = 0;
	for (char *c = out; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

void gdb_put_thread(struct gdb_session *s, struct bytes *out, uint32_t tid)
{
	bytes_format(out, "p%" PRIx32 ".%" PRIx32, timeline_process(s->timeline), tid);
}

void gdb_forget_points(struct gdb_session *s)
{
	gdb_enable_points(s, false);
	vec_clear(&s->points);
	vec_clear(&s->caught);
	s->catches = false;
	timeline_catch_calls(s->timeline, false, NULL, 0);
}

static void answer(struct gdb_session *s)
{
	vec_clear(&s->reply);
	s->quiet = false;
	gdb_dispatch(s, &s->wire->framer.packet);
	if (s->error)
		return;
	if (!s->quiet)
		gdb_wire_send(s->wire, &s->reply);
}

/* The client is told what happened, and that there is no program any more. */
static void tell_failure(struct gdb_session *s)
{
	gdb_say(s, "warp: %s\n", s->error->text);
	vec_clear(&s->reply);
	bytes_format(&s->reply, "X09;process:%" PRIx32, timeline_process(s->timeline));
	gdb_wire_send(s->wire, &s->reply);
}

void gdb_session_run(struct gdb_session *s)
{
	gdb_watch_input(s, true);
	while (!s->over && !s->error) {
		enum gdb_arrival arrival = gdb_wire_next(s->wire);

		if (arrival == GDB_ARRIVED_NOTHING_MORE) {
			s->over = s->detached;
			break;
		}
		/* It was on its way when a motion ended by itself: it means the next one. */
		if (arrival == GDB_ARRIVED_INTERRUPT)
			s->interrupted = true;
		else
			answer(s);
	}
	if (s->error)
		tell_failure(s);
	gdb_watch_input(s, false);
}
