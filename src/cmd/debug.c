/* warp replay without -a: opens the timeline of one process of the recording, and gives it to
 * gdb. */
#include <inttypes.h>

#include "cmd/choose.h"
#include "cmd/cmd.h"
#include "cmd/debug.h"
#include "cmd/events.h"
#include "timeline/timeline.h"
#include "util/cleanup.h"
#include "util/log.h"

/* A recording of more bytes than this is not read through before the debugger starts: that would
 * take seconds. */
#define LOOK_MAX (1ull << 30)

static void close_timeline(struct timeline **timeline)
{
	timeline_close(*timeline);
}

/* *event: where to begin; 0: at the process's beginning. */
static struct error *choose(const struct debug_request *request, struct timeline_options *options,
			    uint64_t *event)
{
	struct choice chosen;

	*event = request->event;
	if (request->process)
		try(choose_check_process(request->directory, request->process));
	if (request->program) {
		try(choose_by_program(request->directory, request->program, &chosen));
		options->process = chosen.process;
		if (request->at_program && !*event)
			*event = chosen.event;
	} else if (request->process_of_event && !request->process) {
		try(choose_by_event(request->directory, *event, &chosen));
		options->process = chosen.process;
	}
	/* The event may be before its first program. */
	options->from_fork = *event;
	return NULL;
}

/* To the end, then. */
static void say_if_beyond(struct timeline *timeline, uint64_t event)
{
	struct timeline_where where;

	timeline_where(timeline, &where);
	if (event > where.last && event != UINT64_MAX)
		log_notice("there is no event %" PRIu64 ": the last one is %" PRIu64
			   "; the debugger begins at the end",
			   event, where.last);
}

/* A debugger would show the last event before the damage as the program's end. */
static struct error *say_if_damaged(const char *directory)
{
	char *damage _cleanup_free_ = NULL;

	try(choose_look_for_damage(directory, LOOK_MAX, &damage));
	if (damage)
		log_notice("%s", damage);
	return NULL;
}

static struct error *debug(const struct debug_request *request, int *status)
{
	struct timeline *timeline _cleanup_(close_timeline) = NULL;
	struct timeline_options options = {.directory = request->directory,
					   .quiet = request->quiet,
					   .process = request->process};
	struct gdb_options gdb = {.directory = request->directory, .list_events = cmd_list_events};
	struct timeline_stop stop;
	uint64_t event;

	if (!request->serve)
		try(gdb_check_debugger(&request->debugger));
	try(choose(request, &options, &event));
	try(say_if_damaged(request->directory));
	try(timeline_open(&options, &timeline));
	say_if_beyond(timeline, event);
	if (event)
		try(timeline_go_to_event(timeline, event, &stop));
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
