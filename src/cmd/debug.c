/* warp replay without -a: opens the timeline of one process of the recording, and gives it to gdb. */
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/debug.h"
#include "cmd/events.h"
#include "cmd/text.h"
#include "timeline/timeline.h"
#include "util/cleanup.h"

/* Is `name` the path, or the last part of it? */
static bool is_named(const struct trace_datum_view *path, const char *name)
{
	const char *text = path->bytes;
	size_t length = path->length, wanted = strlen(name);

	if (length < wanted || memcmp(text + length - wanted, name, wanted))
		return false;
	return length == wanted || (text[length - wanted - 1] == '/' && !strchr(name, '/'));
}

/* The first process that executes such a program. */
static struct error *find_in(struct trace_reader *reader, const char *name, uint32_t *process)
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
		*process = event.tid;
		return NULL;
	}
}

static struct error *find_process(const char *directory, const char *name, uint32_t *process)
{
	struct trace_reader *reader _cleanup_(text_close_reader) = NULL;

	try(trace_reader_open(directory, &reader));
	return find_in(reader, name, process);
}

static void close_timeline(struct timeline **timeline)
{
	timeline_close(*timeline);
}

static struct error *debug(const struct debug_request *request, int *status)
{
	struct timeline *timeline _cleanup_(close_timeline) = NULL;
	struct timeline_options options = {.directory = request->directory,
					   .quiet = request->quiet,
					   .process = request->process};
	struct gdb_options gdb = {.directory = request->directory, .list_events = cmd_list_events};
	struct timeline_stop stop;

	if (request->program)
		try(find_process(request->directory, request->program, &options.process));
	try(timeline_open(&options, &timeline));
	if (request->event)
		try(timeline_go_to_event(timeline, request->event, &stop));
	*status = 0;
	if (request->serve)
		return gdb_serve(timeline, &gdb, request->serve);
	return gdb_launch(timeline, &gdb, &request->debugger, status);
}

int cmd_debug(const struct debug_request *request)
{
	int status;
	struct error *error = debug(request, &status);

	return error ? cmd_fail(error) : cmd_end_like(status);
}
