/* warp replay: from beginning to end, up to an event, or in a debugger's hands. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/at.h"
#include "cmd/choose.h"
#include "cmd/cmd.h"
#include "cmd/debug.h"
#include "replay/replay.h"
#include "trace/place.h"
#include "util/cleanup.h"
#include "util/log.h"

struct request {
	bool all;   /* -a */
	bool debug; /* an option that only debuggers need */
	bool place; /* one that names a process */
	bool quiet;
	struct debug_request debugging;
};

/* ---- options ---- */

static int bad_number(const char *option, const char *text)
{
	return cmd_usage("replay", "%s needs a number, not '%s'", option, text);
}

static int set_event(struct request *r, const char *option, const char *text)
{
	if (r->debugging.event)
		return cmd_usage("replay", "--goto and --until both name an event: give one");
	if (choose_parse_event(text, &r->debugging.event))
		return 0;
	return cmd_usage("replay", "%s needs an event's number or END, not '%s'", option, text);
}

/* The options that say which process, and with -a where the replay ends. */
static int set_place(struct request *r, int option, const char *value)
{
	r->place = true;
	switch (option) {
	case 'u':
		r->debugging.process_of_event = true;
		return set_event(r, "--until", value);
	case 'p':
		return choose_parse_process(value, &r->debugging.process)
			       ? 0
			       : bad_number("--process", value);
	default: /* 'e', 'f' */
		if (r->debugging.program)
			return cmd_usage("replay",
					 "--program and --exec both name a program: give one");
		r->debugging.at_program = option == 'e';
		r->debugging.program = value;
		return 0;
	}
}

static int set_option(struct request *r, int option, const char *value)
{
	if (strchr("efpu", option))
		return set_place(r, option, value);
	r->debug = r->debug || (option != 'a' && option != 'q');
	switch (option) {
	case 'a':
		r->all = true;
		return 0;
	case 'q':
		r->quiet = r->debugging.quiet = true;
		return 0;
	case 'g':
		return set_event(r, "--goto", value);
	case 'x':
		r->debugging.debugger.script = value;
		return 0;
	case 'd':
		r->debugging.debugger.command = value;
		return 0;
	default: /* 's' */
		r->debugging.serve = value;
		return 0;
	}
}

static int parse_options(int argc, char **argv, struct request *r)
{
	static const struct option known[] = {{"autopilot", no_argument, NULL, 'a'},
					      {"quiet", no_argument, NULL, 'q'},
					      {"goto", required_argument, NULL, 'g'},
					      {"process", required_argument, NULL, 'p'},
					      {"program", required_argument, NULL, 'f'},
					      {"until", required_argument, NULL, 'u'},
					      {"exec", required_argument, NULL, 'e'},
					      {"script", required_argument, NULL, 'x'},
					      {"debugger", required_argument, NULL, 'd'},
					      {"serve", required_argument, NULL, 's'},
					      {0}};
	int option, status = 0;

	opterr = 0;
	while (!status && (option = getopt_long(argc, argv, ":aqg:p:f:x:", known, NULL)) >= 0) {
		if (option == ':')
			return cmd_usage("replay", "the option '%s' needs a value",
					 argv[optind - 1]);
		if (option == '?')
			return cmd_unknown("replay", argv[optind - 1]);
		status = set_option(r, option, optarg);
	}
	return status;
}

/* What stands behind "--" is the debugger's; returns how many arguments are left. */
static int split_arguments(int argc, char **argv, struct request *r)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		r->debugging.debugger.more = argv + i + 1;
		r->debug = true;
		argv[i] = NULL;
		return i;
	}
	return argc;
}

/* With -a: somewhere before the end. */
static bool stops(const struct request *r)
{
	return r->debugging.process_of_event || r->debugging.at_program;
}

static int check(const struct request *r)
{
	const struct debug_request *d = &r->debugging;

	if (r->all && r->debug)
		return cmd_usage("replay", "-a replays without a debugger: leave its options out");
	if (r->all && r->place && !stops(r))
		return cmd_usage("replay",
				 "-a replays all processes: -p and -f need --until there");
	if (d->process && d->program)
		return cmd_usage("replay", "-p and %s both say which process: give one",
				 d->at_program ? "--exec" : "-f");
	if (d->serve && (d->debugger.command || d->debugger.script || d->debugger.more))
		return cmd_usage("replay", "--serve starts no debugger: leave its options out");
	return 0;
}

/* ---- from beginning to end ---- */

static int replay_all(const struct request *r, const char *directory)
{
	struct replay_options replay = {
		.directory = directory, .quiet = r->quiet, .progress = isatty(2) && !r->quiet};
	struct replay_result result;
	struct error *error = replay_recording(&replay, &result);
	char *shortfall _cleanup_free_ = result.shortfall;

	if (error && result.interrupted) {
		cmd_fail(error);
		return cmd_end_like(result.interrupted);
	}
	if (error)
		return cmd_fail(error);
	if (shortfall && !result.last)
		return cmd_fail(error_new("%s", shortfall));
	if (shortfall)
		log_notice("%s", shortfall);
	if (result.damaged)
		return ERROR_FAILED;
	return result.ended ? cmd_end_like(result.status) : 0;
}

/* The report is beside what the program writes. */
static int replay_until(const struct request *r, const char *directory)
{
	const struct debug_request *d = &r->debugging;
	struct at_request request = {.directory = directory,
				     .event = d->event,
				     .process = d->process,
				     .quiet = r->quiet};
	struct error *error = NULL;
	struct choice chosen;

	if (d->program) {
		error = choose_by_program(directory, d->program, &chosen);
		if (error)
			return cmd_fail(error);
		request.process = chosen.process;
		if (!request.event)
			request.event = chosen.event;
	}
	error = cmd_show_at(&request, stderr);
	return error ? cmd_fail(error) : 0;
}

int cmd_replay(int argc, char **argv)
{
	struct request r = {0};
	char *directory _cleanup_free_ = NULL;

	argc = split_arguments(argc, argv, &r);
	int status = parse_options(argc, argv, &r);

	if (!status && argc - optind > 1)
		status = cmd_usage("replay", "replay takes one recording");
	if (!status)
		status = check(&r);
	if (status)
		return status;
	struct error *error = trace_place_find(argv[optind], &directory);

	if (error)
		return cmd_fail(error);
	if (r.all && stops(&r))
		return replay_until(&r, directory);
	if (r.all)
		return replay_all(&r, directory);
	r.debugging.directory = directory;
	return cmd_debug(&r.debugging);
}
