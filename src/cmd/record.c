/* warp record */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "cmd/cmd.h"
#include "record/record.h"
#include "replay/replay.h"
#include "util/cleanup.h"
#include "util/log.h"

#define MS 1000000ull
/* An hour: no turn is longer. */
#define LONGEST_MS 3600000ull

enum long_option {
	OPTION_CHAOS = 256,
	OPTION_NO_SITES,
	OPTION_AGENT,
	OPTION_PATIENCE,
	OPTION_SLICE,
	OPTION_STATE_HASHES,
	OPTION_VERIFY,
};

struct settings {
	struct record_options record;
	bool verify;
};

static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno && *number <= most;
}

static bool read_time(const char *text, uint64_t *ns)
{
	if (!read_number(text, LONGEST_MS, ns) || !*ns)
		return false;
	*ns *= MS;
	return true;
}

/* NULL: no seed was given. */
static bool read_seed(const char *text, struct record_timing *timing)
{
	timing->chaos = true;
	if (text)
		return read_number(text, UINT64_MAX, &timing->seed);
	uint32_t seed = 1; /* short enough to be typed */

	if (getrandom(&seed, sizeof(seed), 0) == sizeof(seed))
		timing->seed = seed;
	return true;
}

static int bad_value(int option)
{
	if (option == OPTION_CHAOS)
		return cmd_fail(error_new("--chaos takes a number as its seed, or nothing, not "
					  "'%s'; man warp-record explains it",
					  optarg));
	return cmd_fail(
		error_new("--%s takes a time in milliseconds, from 1 to %llu, not '%s'; man "
			  "warp-record explains it",
			  option == OPTION_SLICE ? "slice" : "patience", LONGEST_MS, optarg));
}

/* Returns 0, or the exit status. */
static int take_option(struct settings *settings, int option, char **argv)
{
	struct record_timing *timing = &settings->record.timing;
	bool good = true;

	switch (option) {
	case 'o':
		settings->record.directory = optarg;
		break;
	case OPTION_CHAOS:
		good = read_seed(optarg, timing);
		break;
	case OPTION_NO_SITES:
		timing->no_sites = true;
		break;
	case OPTION_AGENT:
		timing->agent = true;
		break;
	case OPTION_PATIENCE:
		good = read_time(optarg, &timing->patience_ns);
		break;
	case OPTION_SLICE:
		good = read_time(optarg, &timing->slice_ns);
		break;
	case OPTION_STATE_HASHES:
		timing->hash_states = true;
		break;
	case OPTION_VERIFY:
		settings->verify = true;
		break;
	case ':':
		return cmd_usage("record", "the option %s needs an argument", argv[optind - 1]);
	default:
		return cmd_unknown("record", argv[optind - 1]);
	}
	return good ? 0 : bad_value(option);
}

/* Replays at once: what was found by state becomes a number for later replays. */
static struct error *verify(const char *directory)
{
	struct replay_options replay = {.directory = directory, .quiet = true};
	struct replay_result result;
	struct error *error = replay_recording(&replay, &result);
	char *shortfall _cleanup_free_ = result.shortfall;

	if (error)
		return error_wrap(error, "the recording %s is not good", directory);
	if (shortfall)
		return error_new("the recording %s is not good: %s", directory, shortfall);
	log_notice("the recording %s is good: all %llu events were replayed", directory,
		   (unsigned long long)result.last);
	return NULL;
}

int cmd_record(int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		{"chaos", optional_argument, NULL, OPTION_CHAOS},
		{"no-sites", no_argument, NULL, OPTION_NO_SITES},
		{"agent", no_argument, NULL, OPTION_AGENT},
		{"patience", required_argument, NULL, OPTION_PATIENCE},
		{"slice", required_argument, NULL, OPTION_SLICE},
		{"state-hashes", no_argument, NULL, OPTION_STATE_HASHES},
		{"verify", no_argument, NULL, OPTION_VERIFY},
		{0}};
	struct settings settings = {0};
	struct record_result result;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:o:", options, NULL)) >= 0) {
		int status = take_option(&settings, option, argv);

		if (status)
			return status;
	}
	if (optind >= argc)
		return cmd_usage("record", "record needs a program to run");
	settings.record.argv = argv + optind;
	settings.record.timing.agent &=
		!settings.record.timing.chaos && !settings.record.timing.no_sites;
	struct error *error = record_program(&settings.record, &result);
	char *directory _cleanup_free_ = result.directory;

	if (!error && settings.verify)
		error = verify(directory);
	if (error)
		return cmd_fail(error);
	return cmd_end_like(result.status);
}
