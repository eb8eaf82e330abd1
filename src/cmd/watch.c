/* warp watch */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "live/watch.h"

struct request {
	struct watch_options watch;
	bool method_given, count_given;
};

static bool parse_number(const char *text, uint64_t *number)
{
	char *end;

	errno = 0;
	*number = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !errno && !*end;
}

static int set_method(struct request *r, const char *name)
{
	static const char *const names[] = {
		[WATCH_BPF] = "bpf", [WATCH_SYSCALL] = "syscall", [WATCH_STEP] = "step"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i], name)) {
			r->watch.method = (enum watch_method)i;
			r->method_given = true;
			return 0;
		}
	return cmd_usage("watch", "there is no method '%s': take bpf, syscall or step", name);
}

/* ADDR, result, result+OFF or result-OFF */
static bool parse_break(struct watch_options *o, const char *text)
{
	static const char result[] = "result";
	bool minus;

	if (strncmp(text, result, strlen(result)))
		return parse_number(text, &o->break_at);
	text += strlen(result);
	o->break_from_result = true;
	o->break_at = 0;
	if (!*text)
		return true;
	minus = *text == '-';
	if ((!minus && *text != '+') || !parse_number(text + 1, &o->break_at))
		return false;
	if (minus)
		o->break_at = -o->break_at;
	return true;
}

static const struct then_row {
	const char *name;
	enum watch_then then;
	bool takes, needs; /* something behind the name */
} thens[] = {
	{"print", WATCH_PRINT, false, false}, {"stop", WATCH_STOP, false, false},
	{"regs", WATCH_REGS, false, false},   {"break", WATCH_BREAK, true, true},
	{"exec", WATCH_EXEC, true, true},     {"gdb", WATCH_GDB, true, false},
};

static int set_then(struct request *r, const char *text)
{
	size_t length = strcspn(text, " "), i;
	const char *rest = text + length + strspn(text + length, " ");

	for (i = 0; i < sizeof(thens) / sizeof(*thens); i++)
		if (strlen(thens[i].name) == length && !strncmp(thens[i].name, text, length))
			break;
	if (i == sizeof(thens) / sizeof(*thens))
		return cmd_usage("watch",
				 "--then does not know '%.*s': take print, stop, regs, break, exec "
				 "or gdb",
				 (int)length, text);
	if (*rest ? !thens[i].takes : thens[i].needs)
		return cmd_usage("watch", "'%s' takes %s behind it", thens[i].name,
				 thens[i].needs ? "an address or a command" : "nothing");
	r->watch.then = thens[i].then;
	r->watch.command = *rest ? rest : NULL;
	if (thens[i].then == WATCH_BREAK && !parse_break(&r->watch, rest))
		return cmd_usage("watch", "break takes an address, result or result+OFF, not '%s'",
				 rest);
	return 0;
}

static int set_count(struct request *r, const char *text)
{
	if (!parse_number(text, &r->watch.count) || !r->watch.count)
		return cmd_usage("watch", "--count takes a number from 1 on, not '%s'", text);
	r->count_given = true;
	return 0;
}

static int parse_options(int argc, char **argv, struct request *r)
{
	static const struct option known[] = {{"method", required_argument, NULL, 'm'},
					      {"then", required_argument, NULL, 't'},
					      {"count", required_argument, NULL, 'n'},
					      {"output", required_argument, NULL, 'o'},
					      {0}};
	int option, status = 0;

	opterr = 0;
	while (!status && (option = getopt_long(argc, argv, "+:m:t:n:o:", known, NULL)) >= 0) {
		switch (option) {
		case 'm':
			status = set_method(r, optarg);
			break;
		case 't':
			status = set_then(r, optarg);
			break;
		case 'n':
			status = set_count(r, optarg);
			break;
		case 'o':
			r->watch.output = optarg;
			break;
		case ':':
			return cmd_usage("watch", "the option '%s' needs a value",
					 argv[optind - 1]);
		default:
			return cmd_unknown("watch", argv[optind - 1]);
		}
	}
	return status;
}

/* A process under a seccomp program cannot be given to somebody else: its calls would fail. */
static int settle(struct request *r)
{
	bool gives_away = r->watch.then == WATCH_STOP || r->watch.then == WATCH_GDB;

	if (!gives_away)
		return 0;
	if (r->method_given && r->watch.method == WATCH_BPF)
		return cmd_usage("watch",
				 "a process that runs under a seccomp program cannot be let go: "
				 "use --method=syscall or step with stop and gdb");
	if (!r->method_given)
		r->watch.method = WATCH_SYSCALL;
	if (!r->count_given)
		r->watch.count = 1;
	return 0;
}

static int watch(struct request *r, const char *text)
{
	struct expr *expr;
	struct error *error = expr_parse(text, &expr);
	int status;

	if (error)
		return cmd_fail(error);
	r->watch.expr = expr;
	error = live_watch(&r->watch, &status);
	expr_destroy(expr);
	return error ? cmd_fail(error) : cmd_end_like(status);
}

int cmd_watch(int argc, char **argv)
{
	struct request request = {0};
	const char *expression;
	int status = parse_options(argc, argv, &request);

	if (status)
		return status;
	if (optind >= argc)
		return cmd_usage("watch", "watch needs an expression: which calls?");
	/* Options, and the --, may stand behind the expression as well. */
	argc -= optind;
	argv += optind;
	expression = argv[0];
	optind = 0; /* begins anew: getopt(3), "Notes" */
	status = parse_options(argc, argv, &request);
	if (!status)
		status = settle(&request);
	if (status)
		return status;
	if (optind >= argc)
		return cmd_usage("watch", "watch needs a program to run");
	request.watch.argv = argv + optind;
	return watch(&request, expression);
}
