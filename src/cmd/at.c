/* The state of a process right after an event, for warp dump --at and warp replay -a --until.
 *
 * What the recording holds is hostile: no byte of a name reaches the terminal as a control
 * character. */
#include "cmd/at.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "cmd/choose.h"
#include "cmd/dump.h"
#include "cmd/registers.h"
#include "cmd/text.h"
#include "timeline/timeline.h"
#include "util/cleanup.h"

#define FRAMES 64
/* Events before this one among which its call has begun, if that is to be shown in full. */
#define EARLIER 1000

struct view {
	struct timeline *timeline;
	struct timeline_where where;
	struct timeline_tids tids;
	struct timeline_maps maps;
	struct arch_layout layout;
	char *line;	/* what warp dump says of the event */
	uint64_t asked; /* the event that was asked for, if the process has ended before; else 0 */
};

/* ---- gathering ---- */

static void close_view(struct view *view)
{
	timeline_close(view->timeline);
	vec_deinit(&view->tids);
	vec_deinit(&view->maps);
	free(view->line);
}

static struct error *load_event(struct trace_reader *reader, uint64_t number, struct dump_event *e)
{
	struct dump_tasks *tasks = dump_tasks_create();
	struct trace_event event = {0};
	struct error *error = NULL;
	bool end = false;

	trace_reader_seek(reader, number > EARLIER ? number - EARLIER : 1);
	while (!error && !end && event.number < number) {
		error = trace_reader_next(reader, &event, &end);
		if (!error && !end)
			error = dump_event_load(reader, &event, tasks, e);
	}
	dump_tasks_destroy(tasks);
	return error;
}

static struct error *read_line(const char *directory, uint64_t number, char **line)
{
	struct trace_reader *reader _cleanup_(text_close_reader) = NULL;
	struct dump_event e = {0};
	size_t length;

	try(trace_reader_open(directory, &reader));
	struct error *error = load_event(reader, number, &e);
	FILE *out = open_memstream(line, &length);

	if (!out)
		alloc_failed(0);
	if (!error)
		dump_put_text(out, &e);
	fclose(out);
	dump_event_deinit(&e);
	return error;
}

static struct error *go_there(const struct at_request *request, struct view *view)
{
	struct choice chosen;

	if (request->process)
		try(choose_check_process(request->directory, request->process));
	try(choose_by_event(request->directory, request->event, &chosen));
	struct timeline_options options = {
		.directory = request->directory,
		.quiet = request->quiet,
		.process = request->process ? request->process : chosen.process,
		.from_fork = true,
	};
	struct timeline_stop stop;

	try(timeline_open(&options, &view->timeline));
	timeline_where(view->timeline, &view->where);
	if (view->where.event > chosen.event)
		return error_new("process %" PRIu32 " is not there yet at event %" PRIu64
				 ": it begins with event %" PRIu64,
				 options.process, chosen.event, view->where.event);
	try(timeline_go_to_event(view->timeline, chosen.event, &stop));
	timeline_where(view->timeline, &view->where);
	if (stop.cause == TIMELINE_END && view->where.event < chosen.event)
		view->asked = chosen.event;
	timeline_threads(view->timeline, &view->tids);
	timeline_maps(view->timeline, &view->maps);
	arch.layout(&view->layout);
	return read_line(request->directory, view->where.event, &view->line);
}

static bool get_state(struct view *view, uint32_t tid, struct arch_state *state)
{
	*state = (struct arch_state){.layout = &view->layout};
	return timeline_get_state(view->timeline, tid, 1u << ARCH_GENERAL, state);
}

/* As /proc/PID/maps has it. */
static void access_of(const struct timeline_map *map, char access[5])
{
	access[0] = map->prot & PROT_READ ? 'r' : '-';
	access[1] = map->prot & PROT_WRITE ? 'w' : '-';
	access[2] = map->prot & PROT_EXEC ? 'x' : '-';
	access[3] = map->shared ? 's' : 'p';
	access[4] = 0;
}

/* ---- text ---- */

static void put_frame(void *context, const struct replay_frame *frame)
{
	FILE *out = context;

	if (frame->repeated)
		fprintf(out, "    ... the last frame %u times more\n", frame->repeated);
	fprintf(out, "    #%-2u 0x%016" PRIx64, frame->number, frame->pc);
	if (frame->name) {
		putc(' ', out);
		text_put_plain(out, frame->name);
		fprintf(out, "+%#" PRIx64, frame->offset);
	}
	if (frame->file) {
		fputs(" (", out);
		text_put_plain(out, frame->file);
		putc(')', out);
	}
	putc('\n', out);
}

static void put_thread(struct view *view, uint32_t tid, FILE *out)
{
	struct arch_state state;
	char name[16];

	timeline_thread_name(view->timeline, tid, name);
	fprintf(out, "thread %" PRIu32 " ", tid);
	text_put_quoted(out, name, strlen(name));
	fputs(tid == view->where.tid ? ", whose event is next\n" : "\n", out);
	if (get_state(view, tid, &state))
		registers_put(out, &state, 1u << ARCH_GENERAL);
	vec_deinit(&state.vector);
	fputs("  stack:\n", out);
	timeline_walk_stack(view->timeline, tid, FRAMES, put_frame, out);
}

static void put_map(const struct timeline_map *map, FILE *out)
{
	char access[5];

	access_of(map, access);
	fprintf(out, "    %012" PRIx64 "-%012" PRIx64 " %s %08" PRIx64, (uint64_t)map->start,
		(uint64_t)map->end, access, map->offset);
	if (*map->name) {
		putc(' ', out);
		text_put_plain(out, map->name);
	}
	putc('\n', out);
}

static void put_view(struct view *view, FILE *out)
{
	const char *program = timeline_program(view->timeline);
	uint64_t us = view->where.time_ns / 1000;

	fprintf(out, "event %" PRIu64 " of %" PRIu64 ", %" PRIu64 ".%06" PRIu64 " s: %s\n",
		view->where.event, view->where.last, us / 1000000, us % 1000000, view->line);
	if (view->asked)
		fprintf(out,
			"event %" PRIu64 " is behind the end of the process: this is its last\n",
			view->asked);
	fprintf(out, "process %" PRIu32 " ", timeline_process(view->timeline));
	text_put_quoted(out, program, strlen(program));
	fprintf(out, ", %zu thread%s\n", view->tids.count, view->tids.count == 1 ? "" : "s");
	vec_foreach (&view->tids, tid)
		put_thread(view, *tid, out);
	fputs("maps:\n", out);
	vec_foreach (&view->maps, map)
		put_map(map, out);
}

/* ---- JSON ---- */

static void json_frame(void *context, const struct replay_frame *frame)
{
	struct json *json = context;

	json_begin_object(json);
	json_member_hex(json, "pc", frame->pc);
	if (frame->name) {
		json_member_text(json, "symbol", frame->name);
		json_member_uint(json, "offset", frame->offset);
	}
	if (frame->file)
		json_member_text(json, "file", frame->file);
	if (frame->repeated)
		json_member_uint(json, "previous_repeated", frame->repeated);
	json_end_object(json);
}

static void json_thread(struct view *view, uint32_t tid, struct json *json)
{
	struct arch_state state;
	char name[16];

	timeline_thread_name(view->timeline, tid, name);
	json_begin_object(json);
	json_member_uint(json, "tid", tid);
	json_member_text(json, "name", name);
	json_key(json, "next");
	json_bool(json, tid == view->where.tid);
	if (get_state(view, tid, &state))
		registers_put_json(json, &state, 1u << ARCH_GENERAL);
	vec_deinit(&state.vector);
	json_key(json, "stack");
	json_begin_array(json);
	timeline_walk_stack(view->timeline, tid, FRAMES, json_frame, json);
	json_end_array(json);
	json_end_object(json);
}

static void json_map(const struct timeline_map *map, struct json *json)
{
	char access[5];

	access_of(map, access);
	json_begin_object(json);
	json_member_hex(json, "start", map->start);
	json_member_hex(json, "end", map->end);
	json_member_text(json, "access", access);
	json_member_uint(json, "offset", map->offset);
	json_member_text(json, "name", map->name);
	json_end_object(json);
}

static void json_view(struct view *view, FILE *out)
{
	struct json json;

	json_init(&json, out);
	json_begin_object(&json);
	json_member_uint(&json, "event", view->where.event);
	json_member_uint(&json, "last", view->where.last);
	json_member_uint(&json, "time_ns", view->where.time_ns);
	json_member_text(&json, "text", view->line);
	if (view->asked)
		json_member_uint(&json, "asked", view->asked);
	json_member_uint(&json, "process", timeline_process(view->timeline));
	json_member_text(&json, "program", timeline_program(view->timeline));
	json_key(&json, "threads");
	json_begin_array(&json);
	vec_foreach (&view->tids, tid)
		json_thread(view, *tid, &json);
	json_end_array(&json);
	json_key(&json, "maps");
	json_begin_array(&json);
	vec_foreach (&view->maps, map)
		json_map(map, &json);
	json_end_array(&json);
	json_end_object(&json);
	putc('\n', out);
}

struct error *cmd_show_at(const struct at_request *request, FILE *out)
{
	struct view view _cleanup_(close_view) = {0};
	char *damage _cleanup_free_ = NULL;

	try(go_there(request, &view));
	if (request->json)
		json_view(&view, out);
	else
		put_view(&view, out);
	if (request->event != UINT64_MAX)
		return NULL;
	/* What was shown is no end of the program's. */
	try(choose_look_for_damage(request->directory, UINT64_MAX, &damage));
	return damage ? error_new("%s", damage) : NULL;
}
