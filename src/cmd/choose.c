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

static struct error *find_event(struct trace_reader *reader, uint64_t number,
				struct trace_event *event)
{
	struct trace_counts counts;
	bool end = true;

	trace_reader_counts(reader, &counts);
	if (number == UINT64_MAX)
		number = counts.last;
	if (trace_reader_seek(reader, number))
		try(trace_reader_next(reader, event, &end));
	if (end)
		return error_new("the recording has no event %" PRIu64 "; its last is %" PRIu64,
				 number, counts.last);
	return NULL;
}

/* The process that the task is of when its event comes: numbers may be given again. */
static struct error *find_process(struct trace_reader *reader, const struct trace_event *wanted,
				  uint32_t *process)
{
	struct trace_event event = {0};
	struct trace_datum_view view;
	struct trace_task task;
	bool end;

	*process = wanted->tid;
	trace_reader_seek(reader, 1);
	while (event.number < wanted->number) {
		try(trace_reader_next(reader, &event, &end));
		if (end)
			break;
		if (event.kind != TRACE_EV_TASK_NEW)
			continue;
		try(trace_reader_find(reader, TRACE_D_TASK, &view));
		if (!view.bytes)
			continue;
		memcpy(&task, view.bytes, sizeof(task));
		if (task.tid == wanted->tid)
			*process = task.tgid;
	}
	return NULL;
}

struct error *choose_by_event(const char *directory, uint64_t event, struct choice *out)
{
	struct trace_reader *reader _cleanup_(text_close_reader) = NULL;
	struct trace_event found;

	try(trace_reader_open(directory, &reader));
	try(find_event(reader, event, &found));
	out->event = found.number;
	return find_process(reader, &found, &out->process);
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
