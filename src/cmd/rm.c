/* warp rm: removes recordings, and nothing that is none (trace_place_remove() sees to that). */
#include <getopt.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "trace/place.h"
#include "util/cleanup.h"

static struct error *remove_one(const char *argument)
{
	char *path _cleanup_free_ = NULL;

	try(trace_place_find(argument, &path));
	return trace_place_remove(path);
}

int cmd_rm(int argc, char **argv)
{
	static const struct option known[] = {{0}};
	int status = 0;

	opterr = 0;
	if (getopt_long(argc, argv, "", known, NULL) >= 0)
		return cmd_unknown("rm", argv[optind - 1]);
	if (optind >= argc)
		return cmd_usage("rm", "rm needs the name of a recording");
	/* One that cannot be removed does not keep the others. */
	for (int i = optind; i < argc; i++) {
		struct error *error = remove_one(argv[i]);

		if (error)
			status = cmd_fail(error);
	}
	return status;
}
