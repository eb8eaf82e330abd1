/* warp replay */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "replay/replay.h"
#include "trace/place.h"
#include "util/cleanup.h"
#include "util/log.h"

int cmd_replay(int argc, char **argv)
{
	static const struct option options[] = {
		{"autopilot", no_argument, NULL, 'a'}, {"quiet", no_argument, NULL, 'q'}, {0}};
	struct replay_options replay = {.progress = isatty(2)};
	struct replay_result result;
	bool all = false;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "aq", options, NULL)) >= 0) {
		if (option == 'a')
			all = true;
		else if (option == 'q')
			replay.quiet = true;
		else
			return cmd_usage("replay", "replay does not know the option '%s'",
					 argv[optind - 1]);
	}
	replay.progress = replay.progress && !replay.quiet;
	if (argc - optind > 1)
		return cmd_usage("replay", "replay takes one recording");
	if (!all)
		return cmd_usage("replay",
				 "replay needs -a: only whole replays are possible so far");
	char *directory _cleanup_free_ = NULL;
	struct error *error = trace_place_find(argv[optind], &directory);

	if (error)
		return cmd_fail(error);
	replay.directory = directory;
	error = replay_recording(&replay, &result);
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
