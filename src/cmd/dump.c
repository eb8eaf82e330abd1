/* warp dump: every event of a recording, one a line, in their order. What can be read of a broken
 * recording is printed before it is said what is wrong with it. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/dump.h"
#include "cmd/text.h"
#include "trace/place.h"
#include "util/cleanup.h"
#include "util/log.h"

struct dump_options {
	bool json;
	bool registers;
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

int cmd_dump(int argc, char **argv)
{
	static const struct option known[] = {
		{"json", no_argument, NULL, 'j'}, {"registers", no_argument, NULL, 'r'}, {0}};
	struct dump_options options = {0};
	char *directory _cleanup_free_ = NULL;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "", known, NULL)) >= 0) {
		if (option == 'j')
			options.json = true;
		else if (option == 'r')
			options.registers = true;
		else
			return cmd_usage("dump", "dump does not know the option '%s'",
					 argv[optind - 1]);
	}
	if (argc - optind > 1)
		return cmd_usage("dump", "dump takes one recording");
	if (options.registers && !options.json)
		return cmd_usage("dump", "dump shows registers only with --json");
	struct error *error = trace_place_find(argv[optind], &directory);

	if (!error)
		error = dump_recording(directory, &options);
	return error ? cmd_fail(error) : 0;
}
