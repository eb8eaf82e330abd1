/* Processes of a recording, by what they execute and by their events. */
#include "cmd/choose.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/text.h"
#include "util/cleanup.h"

/* ---- by program ---- */

/* Is `name` the path, or the last part of it? */
static bool is_named(const struct trace_datum_view *path, const char *name)
{
	const char *text = path->bytes;
	size_t length = path->length, wanted = strlen(name);

	if (length < wanted || memcmp(text + length - wanted, name, wanted))
		return false;
	return length == wanted || (text[length - wanted - 1] == '/' && !strchr(name, '/'));
}

static struct error *find_program(struct trace_reader *reader, const char *name, struct choice *out)
{
	struct trace_event event;
	struct trace_datum_view path;
	bool end;

	for (;;) {
		try(trace_reader_next(reader, &event, &end));
		if (end)
			return error_new(
				"no process of the recording executes a program '%s'; warp dump "
				"shows which there are",
				name);
		if (event.kind != TRACE_EV_START && event.kind != TRACE_EV_EXEC)
			continue;
		try(trace_reader_find(reader, TRACE_D_EXEC_PATH, &path));
		if (!path.bytes || !is_named(&path, name))
			continue;
		*out = (struct choice){event.tid, event.number};
		return NULL;
	}
}

struct error *choose_by_program(const char *directory, const char *name, struct choice *out)
{
	struct trace_reader *reader _cleanup_(text_close_reader) = NULL;

	try(trace_reader_open(directory, &reader));
	return find_program(reader, name, out);
}

/* ---- by number ---- */

/* How many processes an error names. */
#define NAMED 12

/* Names the process in *list (the caller's), as far as there is room. */
static void name_process(uint32_t process, size_t count, char **list)
{
	if (count > NAMED)
		return;
	char *more = count == NAMED ? xasprintf("%s, ...", *list)
				    : xasprintf("%s%s%" PRIu32, *list, count ? ", " : "", process);

	free(*list);
	*list = more;
}

/* The task that is new with this event; *any: there is one. */
static struct error *new_task(struct trace_reader *reader, const struct trace_event *event,
			      struct trace_task *task, bool *any)
{
	struct trace_datum_view view;

	*any = event->kind == TRACE_EV_START;
	*task = (struct trace_task){.tid = event->tid, .tgid = event->tid};
	if (event->kind != TRACE_EV_TASK_NEW)
		return NULL;
	try(trace_reader_find(reader, TRACE_D_TASK, &view));
	*any = view.bytes;
	if (*any)
		memcpy(task, view.bytes, sizeof(*task));
	return NULL;
}

static struct error *find_number(struct trace_reader *reader, const char *directory,
				 uint32_t process)
{
	char *list _cleanup_free_ = xstrdup("");
	struct trace_event event;
	struct trace_task task;
	size_t count = 0;
	bool end, any;

	for (;;) {
		try(trace_reader_next(reader, &event, &end));
		if (end)
			return error_new("the recording %s has no process %" PRIu32 "; it has %s "
					 "(warp dump shows what they do)",
					 directory, process, *list ? list : "none");
		try(new_task(reader, &event, &task, &any));
		if (any && task.tid == process)
			return NULL;
		if (any && task.tid == task.tgid)
			name_process(task.tid, count++, &list);
	}
}

struct error *choose_check_process(const char *directory, uint32_t process)
{
	struct trace_reader *reader _cleanup_(text_close_reader) = NULL;

	try(trace_reader_open(directory, &reader));
	return find_number(reader, directory, process);
}

/* ---- by event ---- */

struct tasks vec(struct trace_task);

/* The process that the task is of when its event comes: numbers may be given again. */
static uint32_t process_of(const struct tasks *tasks, uint32_t tid)
{
	for (size_t i = tasks->count; i-- > 0;)
		if (tasks->items[i].tid == tid)
			return tasks->items[i].tgid;
	return tid;
}

/* Reads up to the event, or as far as one can. *found: the last event that was read. */
static struct error *read_up_to(struct trace_reader *reader, uint64_t number, struct tasks *tasks,
				struct trace_event *found)
{
	struct trace_event event;
	struct trace_datum_view view;
	bool end;

	while (found->number < number) {
		try(trace_reader_next(reader, &event, &end));
		if (end)
			break;
		*found = event;
		if (event.kind != TRACE_EV_TASK_NEW)
			continue;
		try(trace_reader_find(reader, TRACE_D_TASK, &view));
		if (view.bytes)
			vec_push(tasks, *(const struct trace_task *)view.bytes);
	}
	return NULL;
}

static struct error *find_event(struct trace_reader *reader, uint64_t number, struct choice *out)
{
	struct trace_event found = {0};
	struct tasks tasks = {0};
	struct error *error = read_up_to(reader, number, &tasks, &found);
	const char *damage = trace_reader_damage(reader);

	*out = (struct choice){process_of(&tasks, found.tid), found.number};
	vec_deinit(&tasks);
	if (error || found.number == number || (number == UINT64_MAX && found.number))
		return error;
	if (damage && number == UINT64_MAX)
		return error_new("cannot go to the end: %s", damage);
	if (damage)
		return error_new("cannot go to event %" PRIu64 ": %s", number, damage);
	return error_new("the recording has no event %" PRIu64 "; its last is %" PRIu64
			 " (END names it)",
			 number, found.number);
}

struct error *choose_by_event(const char *directory, uint64_t event, struct choice *out)
{
	struct trace_reader *reader _cleanup_(text_close_reader) = NULL;

	try(trace_reader_open(directory, &reader));
	return find_event(reader, event, out);
}

/* ---- what is wrong ---- */

struct error *choose_look_for_damage(const char *directory, uint64_t most, char **damage)
{
	struct trace_reader *reader _cleanup_(text_close_reader) = NULL;
	struct trace_event event;
	struct trace_counts counts;
	bool end = false;

	*damage = NULL;
	try(trace_reader_open(directory, &reader));
	trace_reader_counts(reader, &counts);
	if (counts.bytes > most)
		return NULL;
	while (!end)
		try(trace_reader_next(reader, &event, &end));
	if (trace_reader_damage(reader))
		*damage = xstrdup(trace_reader_damage(reader));
	return NULL;
}

/* ---- on command lines ---- */

static bool parse_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && !errno && !*end && *number;
}

bool choose_parse_event(const char *text, uint64_t *event)
{
	if (strcmp(text, "END"))
		return parse_number(text, event);
	*event = UINT64_MAX;
	return true;
}

bool choose_parse_process(const char *text, uint32_t *process)
{
	uint64_t number;

	if (!parse_number(text, &number) || number > INT32_MAX)
		return false;
	*process = (uint32_t)number;
	return true;
}
