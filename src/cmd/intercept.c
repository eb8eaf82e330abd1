/* warp intercept: a program under rules, from the command line and from files. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "live/intercept.h"
#include "util/cleanup.h"

struct rules vec(struct rule *);

static struct error *add_rule(struct rules *rules, const char *text)
{
	struct rule *rule;

	try(rule_parse(text, &rule));
	vec_push(rules, rule);
	return NULL;
}

/* A rule a line; empty lines and those that begin with # are none. */
static struct error *add_line(struct rules *rules, char *line, const char *path, unsigned number)
{
	struct error *error;

	line[strcspn(line, "\n")] = 0;
	line += strspn(line, " \t");
	if (!*line || *line == '#')
		return NULL;
	error = add_rule(rules, line);
	return error ? error_wrap(error, "%s, line %u", path, number) : NULL;
}

static struct error *add_file(struct rules *rules, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line _cleanup_free_ = NULL;
	struct error *error = NULL;
	size_t room = 0;

	if (!file)
		return error_hint(error_os(errno, "cannot read the rules in %s", path),
				  "give --file the path of a file that you may read");
	for (unsigned number = 1; !error && getline(&line, &room, file) >= 0; number++)
		error = add_line(rules, line, path, number);
	if (!error && ferror(file))
		error = error_hint(error_os(errno, "cannot read the rules in %s", path),
				   "give --file the path of a file that you may read");
	fclose(file);
	return error;
}

static int intercept(struct rules *rules, const char *output, char **argv)
{
	struct intercept_options options = {
		.argv = argv, .rules = rules->items, .rule_count = rules->count, .output = output};
	int status;

	if (!*argv)
		return cmd_usage("intercept", "intercept needs a program to run");
	if (!rules->count)
		return cmd_usage("intercept", "intercept needs a rule: -r RULE or -f FILE");
	struct error *error = live_intercept(&options, &status);

	return error ? cmd_fail(error) : cmd_end_like(status);
}

static int parse_options(int argc, char **argv, struct rules *rules, const char **output)
{
	static const struct option known[] = {{"rule", required_argument, NULL, 'r'},
					      {"file", required_argument, NULL, 'f'},
					      {"output", required_argument, NULL, 'o'},
					      {0}};
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:r:f:o:", known, NULL)) >= 0) {
		struct error *error = NULL;

		if (option == ':')
			return cmd_usage("intercept", "the option '%s' needs a value",
					 argv[optind - 1]);
		if (option == 'r')
			error = add_rule(rules, optarg);
		else if (option == 'f')
			error = add_file(rules, optarg);
		else if (option == 'o')
			*output = optarg;
		else
			return cmd_unknown("intercept", argv[optind - 1]);
		if (error)
			return cmd_fail(error);
	}
	return 0;
}

int cmd_intercept(int argc, char **argv)
{
	struct rules rules = {0};
	const char *output = NULL;
	int status = parse_options(argc, argv, &rules, &output);

	if (!status)
		status = intercept(&rules, output, argv + optind);
	vec_foreach (&rules, rule)
		rule_destroy(*rule);
	vec_deinit(&rules);
	return status;
}
