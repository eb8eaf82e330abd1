/* warp record */
#include <getopt.h>
#include <stdlib.h>

#include "cmd/cmd.h"
#include "record/record.h"

int cmd_record(int argc, char **argv)
{
	static const struct option options[] = {{"output", required_argument, NULL, 'o'}, {0}};
	struct record_options record = {0};
	struct record_result result;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:o:", options, NULL)) >= 0) {
		if (option == ':')
			return cmd_usage("record", "the option -o needs the name of a directory");
		if (option != 'o')
			return cmd_usage("record", "record does not know the option '%s'",
					 argv[optind - 1]);
		record.directory = optarg;
	}
	if (optind >= argc)
		return cmd_usage("record", "record needs a program to run");
	record.argv = argv + optind;
	struct error *error = record_program(&record, &result);

	free(result.directory);
	if (error)
		return cmd_fail(error);
	return cmd_end_like(result.status);
}
