/* warp trace */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "expr/expr.h"
#include "live/trace.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/vec.h"

#define STRING_MAX_DEFAULT 32
/* More than this of one string is no line for people. */
#define STRING_MAX_MOST (1u << 20)

/* What the options say, and what they own. */
struct request {
	struct live_trace_options trace;
	struct vec(pid_t) pids;
	struct vec(struct expr *) exprs;
	unsigned clock, quiet, follow;
};

static void request_deinit(struct request *r)
{
	vec_foreach (&r->exprs, expr)
		expr_destroy(*expr);
	vec_deinit(&r->exprs);
	vec_deinit(&r->pids);
}

enum {
	OPTION_JSON = 256,
	OPTION_NO_FOLLOW,
	OPTION_ONE_CORE,
	OPTION_SEPARATELY,
};

static const struct option long_options[] = {
	{"attach", required_argument, NULL, 'p'},
	{"expr", required_argument, NULL, 'e'},
	{"output", required_argument, NULL, 'o'},
	{"string-limit", required_argument, NULL, 's'},
	{"follow-forks", no_argument, NULL, 'f'},
	{"output-separately", no_argument, NULL, OPTION_SEPARATELY},
	{"no-follow", no_argument, NULL, OPTION_NO_FOLLOW},
	{"json", no_argument, NULL, OPTION_JSON},
	{"one-core", no_argument, NULL, OPTION_ONE_CORE},
	{"summary-only", no_argument, NULL, 'c'},
	{"summary", no_argument, NULL, 'C'},
	{"stack-traces", no_argument, NULL, 'k'},
	{"quiet", no_argument, NULL, 'q'},
	{"relative-timestamps", no_argument, NULL, 'r'},
	{"timestamps", no_argument, NULL, 't'},
	{"syscall-times", no_argument, NULL, 'T'},
	{"decode-fds", no_argument, NULL, 'y'},
	{0},
};

/* A number from 0 to `most`; -1 if it is none. */
static long parse_number(const char *text, long most)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	return errno || *end || end == text || number < 0 || number > most ? -1 : number;
}

/* strace's -p takes several, with commas or blanks between them. */
static int add_pids(struct request *r, const char *list)
{
	char *copy _cleanup_free_ = xstrdup(list), *rest = copy, *word;

	while ((word = strsep(&rest, ", \t\n"))) {
		long pid = *word ? parse_number(word, INT_MAX) : 0;

		if (pid < 0 || (*word && !pid))
			return cmd_usage("trace", "'%s' is not the id of a process", word);
		if (pid)
			vec_push(&r->pids, (pid_t)pid);
	}
	return 0;
}

/* What strace's other words for -e are here. */
static const struct {
	const char *word, *instead;
} strace_words[] = {
	{"signal", "signals are always shown, so leave it out"},
	{"signals", "signals are always shown, so leave it out"},
	{"inject", "calls are changed by warp intercept -r 'CALL => ACTION', for example 'read => "
		   "fail(EIO)'"},
	{"fault", "calls are made to fail by warp intercept -r 'CALL => fail(ERROR)', for example "
		  "'read => fail(EIO)'"},
	{"status", "write a condition on the result: 'errno != 0' for calls that have failed, "
		   "'errno == 0' for others"},
	{"path", "write a condition: 'path == \"/etc/*\"'"},
	{"fd", "write a condition: 'fd == 3'"},
	{"read", "of buffers -s N shows more"},
	{"write", "of buffers -s N shows more"},
	{"quiet", "-q and -qq leave messages out"},
	{"decode-fds", "-y shows what descriptors are"},
	{"abbrev", "structures are always abbreviated, so leave it out"},
	{"verbose", "structures are always shown, so leave it out"},
	{"raw", "arguments are always shown by their meaning, so leave it out"},
};

/* NULL, or a mistake that fingers make which know strace. */
static struct error *strace_mistake(const char *text)
{
	size_t length = strcspn(text, "=");

	if (!text[length] || text[length + 1] == '=')
		return NULL;
	for (size_t i = 0; i < sizeof(strace_words) / sizeof(*strace_words); i++)
		if (strlen(strace_words[i].word) == length &&
		    !strncmp(text, strace_words[i].word, length))
			return error_new("cannot understand -e '%s': -e takes an expression that "
					 "says which calls to show, and strace's %s= is none; %s",
					 text, strace_words[i].word, strace_words[i].instead);
	return NULL;
}

/* -e trace=open,close is what fingers know from strace. */
static int add_expr(struct request *r, const char *text)
{
	static const char prefix[] = "trace=";
	struct expr *expr = NULL;
	struct error *error;

	if (!strncmp(text, prefix, strlen(prefix)))
		text += strlen(prefix);
	error = strace_mistake(text);
	if (!error)
		error = expr_parse(text, &expr);
	if (error)
		return cmd_fail(error);
	vec_push(&r->exprs, expr);
	return 0;
}

static int set_string_max(struct request *r, const char *text)
{
	long number = parse_number(text, STRING_MAX_MOST);

	if (number < 0)
		return cmd_usage("trace", "-s takes a number of bytes up to %u, not '%s'",
				 STRING_MAX_MOST, text);
	r->trace.string_max = (size_t)number;
	return 0;
}

/* Options that only switch something on. */
static void set_switch(struct request *r, int option)
{
	struct live_trace_options *trace = &r->trace;
	bool *const switches[] = {
		['k'] = &trace->stacks,
		['r'] = &trace->relative,
		['T'] = &trace->durations,
		['y'] = &trace->paths,
		[OPTION_JSON] = &trace->json,
		[OPTION_ONE_CORE] = &trace->one_core,
		[OPTION_SEPARATELY] = &trace->separately,
	};

	if (option == 't')
		r->clock++;
	else if (option == 'q')
		r->quiet++;
	else if (option == 'c')
		trace->counting = LIVE_TRACE_COUNTS_ONLY;
	else if (option == 'C')
		trace->counting = LIVE_TRACE_COUNTS_TOO;
	else if (option == OPTION_NO_FOLLOW)
		trace->follow = false;
	else if (option == 'f')
		r->follow++;
	else
		*switches[option] = true;
}

static int parse_option(struct request *r, int option, char **argv)
{
	switch (option) {
	case ':':
		return cmd_usage("trace", "the option '%s' needs a value", argv[optind - 1]);
	case '?':
		return cmd_unknown("trace", argv[optind - 1]);
	case 'p':
		return add_pids(r, optarg);
	case 'e':
		return add_expr(r, optarg);
	case 's':
		return set_string_max(r, optarg);
	case 'o':
		r->trace.output = optarg;
		return 0;
	default:
		set_switch(r, option);
		return 0;
	}
}

static int check(struct request *r, int argc, char **argv)
{
	struct live_trace_options *trace = &r->trace;

	if (optind < argc)
		trace->argv = argv + optind;
	trace->pids = r->pids.items;
	trace->pid_count = r->pids.count;
	trace->exprs = (const struct expr *const *)r->exprs.items;
	trace->expr_count = r->exprs.count;
	trace->clock = r->clock > LIVE_TRACE_EPOCH ? LIVE_TRACE_EPOCH : r->clock;
	trace->quiet = r->quiet >= 1;
	trace->quiet_ends = r->quiet >= 2;
	if (!trace->argv && !trace->pid_count)
		return cmd_usage("trace",
				 "trace needs a program to run, or -p and the id of a process");
	if (r->follow >= 2)
		trace->separately = true;
	if (trace->separately && trace->counting)
		return cmd_usage("trace",
				 "a table of counts (-c, -C) is not made with a file for each "
				 "process (-ff)");
	if (trace->separately && !trace->output) {
		log_notice("-ff without -o: the lines of all processes go to standard error");
		trace->separately = false;
	}
	if (trace->json && trace->counting)
		return cmd_usage("trace", "a table of counts (-c, -C) is not made with --json");
	if (trace->one_core && !trace->argv)
		return cmd_usage("trace", "--one-core is for a program that trace runs");
	return 0;
}

static int parse(struct request *r, int argc, char **argv)
{
	int option, status;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:cCe:fko:p:qrs:tTy", long_options, NULL)) >= 0) {
		status = parse_option(r, option, argv);
		if (status)
			return status;
	}
	return check(r, argc, argv);
}

int cmd_trace(int argc, char **argv)
{
	struct request request _cleanup_(request_deinit) = {
		.trace = {.string_max = STRING_MAX_DEFAULT, .follow = true},
	};
	struct live_trace_result result;
	struct error *error;
	int status = parse(&request, argc, argv);

	if (status)
		return status;
	error = live_trace(&request.trace, &result);
	if (error)
		return cmd_fail(error);
	if (result.stopped_by)
		return cmd_end_like(result.stopped_by);
	return result.ended ? cmd_end_like(result.status) : 0;
}
