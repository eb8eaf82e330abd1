/* warp dump: every event of a recording, one a line, in their order. What can be read of a broken
 * recording is printed before it is said what is wrong with it. With --at: a process at an
 * event. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "cmd/at.h"
#include "cmd/choose.h"
#include "cmd/cmd.h"
#include "cmd/dump.h"
#include "cmd/text.h"
#include "trace/place.h"
#include "util/cleanup.h"
#include "util/log.h"

struct dump_options {
	bool json;
	bool registers;
	uint64_t at;	  /* an event, UINT64_MAX: the last; 0: all events are listed */
	uint32_t process; /* to show there; 0: the one whose event it is */
};

static void put_line(const struct dump_event *e)
{
	uint64_t us = e->event.time_ns / 1000;

	printf("%6" PRIu64 " %3" PRIu64 ".%06" PRIu64 " %6" PRIu32 "  ", e->event.number,
	       us / 1000000, us % 1000000, e->event.tid);
	dump_put_text(stdout, e);
	putchar('\n');
}

/* Sets *last to the number of the last event printed. Stops when nobody reads on. */
static struct error *dump_events(struct trace_reader *reader, const struct dump_options *options,
				 struct dump_tasks *tasks, struct dump_event *e, uint64_t *last)
{
	struct trace_event event;
	bool end;

	while (!ferror(stdout)) {
		try(trace_reader_next(reader, &event, &end));
		if (end)
			break;
		try(dump_event_load(reader, &event, tasks, e));
		if (options->json)
			dump_put_json(stdout, e, options->registers);
		else
			put_line(e);
		*last = event.number;
	}
	return NULL;
}

static struct error *dump_recording(const char *directory, const struct dump_options *options)
{
	struct trace_reader *reader _cleanup_(text_close_reader) = NULL;
	struct dump_event e = {0};
	uint64_t last = 0;

	try(trace_reader_open(directory, &reader));
	struct dump_tasks *tasks = dump_tasks_create();
	struct error *error = dump_events(reader, options, tasks, &e, &last);
	struct error *unwritten = text_finish();

	dump_event_deinit(&e);
	dump_tasks_destroy(tasks);
	if (error) {
		error_free(unwritten);
		return error;
	}
	try(unwritten);
	if (trace_reader_state(reader) == TRACE_CUT)
		log_notice("the recording was cut short after event %" PRIu64, last);
	return text_damage(reader);
}

/* ---- the command line ---- */

/* `word`: the command line's, for what is wrong with it. */
static int set_option(struct dump_options *options, int option, const char *value, const char *word)
{
	switch (option) {
	case 'j':
		options->json = true;
		return 0;
	case 'r':
		options->registers = true;
		return 0;
	case 'a':
		if (choose_parse_event(value, &options->at))
			return 0;
		return cmd_usage("dump", "--at needs an event's number or END, not '%s'", value);
	case 'p':
		if (choose_parse_process(value, &options->process))
			return 0;
		return cmd_usage("dump", "--process needs a number, not '%s'", value);
	case ':':
		return cmd_usage("dump", "the option '%s' needs a value", word);
	default:
		return cmd_unknown("dump", word);
	}
}

static int parse_options(int argc, char **argv, struct dump_options *options)
{
	static const struct option known[] = {{"json", no_argument, NULL, 'j'},
					      {"registers", no_argument, NULL, 'r'},
					      {"at", required_argument, NULL, 'a'},
					      {"process", required_argument, NULL, 'p'},
					      {0}};
	int option, status = 0;

	opterr = 0;
	while (!status && (option = getopt_long(argc, argv, ":p:", known, NULL)) >= 0)
		status = set_option(options, option, optarg, argv[optind - 1]);
	return status;
}

static int check(const struct dump_options *options)
{
	if (options->registers && (!options->json || options->at))
		return cmd_usage("dump", "--registers needs --json, and is for lists of events");
	if (options->process && !options->at)
		return cmd_usage("dump", "dump shows a process only --at an event");
	return 0;
}

static struct error *show_at(const char *directory, const struct dump_options *options)
{
	struct at_request request = {.directory = directory,
				     .event = options->at,
				     .process = options->process,
				     .quiet = true,
				     .json = options->json};

	struct error *error = cmd_show_at(&request, stdout);
	struct error *unwritten = text_finish();

	if (!error)
		return unwritten;
	error_free(unwritten);
	return error;
}

int cmd_dump(int argc, char **argv)
{
	struct dump_options options = {0};
	char *directory _cleanup_free_ = NULL;
	int status = parse_options(argc, argv, &options);

	if (!status && argc - optind > 1)
		status = cmd_usage("dump", "dump takes one recording");
	if (!status)
		status = check(&options);
	if (status)
		return status;
	struct error *error = trace_place_find(argv[optind], &directory);

	if (!error)
		error = options.at ? show_at(directory, &options)
				   : dump_recording(directory, &options);
	return error ? cmd_fail(error) : 0;
}
