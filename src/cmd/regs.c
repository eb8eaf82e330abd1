/* warp regs: registers, calls and stacks of all threads of a running process. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/cmd.h"
#include "cmd/registers.h"
#include "cmd/text.h"
#include "live/regs.h"
#include "syscalls/syscalls.h"
#include "util/cleanup.h"
#include "util/json.h"

#define FRAMES 64

struct options {
	pid_t tid;
	bool json, all; /* `all`: the whole process, else only thread `tid` */
	uint64_t interval_ns, samples;
	struct regs_options regs;
};

/* ---- text ---- */

static void put_place(struct live_symbols *symbols, taddr pc, taddr place)
{
	struct live_symbol symbol;

	printf("0x%016" PRIx64, pc);
	if (!live_symbols_find(symbols, place, &symbol))
		return;
	if (symbol.name)
		printf(" %s+%#" PRIx64, symbol.name, symbol.offset + (pc - place));
	if (symbol.file && symbol.name)
		printf(" (%s)", symbol.file);
	else if (symbol.file)
		printf(" (%s+%#" PRIx64 ")", symbol.file, symbol.offset + (pc - place));
}

static void put_stack(const struct regs_thread *thread, struct live_symbols *symbols)
{
	struct live_frame frames[FRAMES];
	size_t count = regs_thread_unwind(thread, symbols, frames, FRAMES);

	for (size_t i = 0; i < count; i++) {
		printf("    #%-2zu ", i);
		put_place(symbols, frames[i].pc, frames[i].place);
		putchar('\n');
	}
}

static const struct state_name {
	char letter;
	const char *name;
} state_names[] = {
	{'R', "running"},
	{'S', "sleeping"},
	{'D', "in an uninterruptible sleep"},
	{'T', "stopped"},
	{'t', "stopped by a tracer"},
	{'Z', "has ended"},
	{'X', "has ended"},
	{'I', "idle"},
	{0, "new"},
};

static const char *state_name(char letter)
{
	for (size_t i = 0; i < sizeof(state_names) / sizeof(*state_names); i++)
		if (state_names[i].letter == letter)
			return state_names[i].name;
	return "in an unknown state";
}

static void put_thread(const struct regs_thread *thread, struct live_symbols *symbols,
		       const struct options *options)
{
	printf("thread %d ", thread->tid);
	text_put_quoted(stdout, thread->name, strlen(thread->name));
	printf(" %s", state_name(thread->state));
	if (thread->signal)
		printf(", about to receive %s", sc_signal_name(thread->signal) ?: "a signal");
	if (thread->call)
		printf(", in %s%s", thread->call_narrow ? "32-bit call " : "", thread->call);
	putchar('\n');
	if (thread->pc) {
		fputs("  at ", stdout);
		put_place(symbols, thread->pc, thread->pc);
		putchar('\n');
	}
	if (!thread->readable && thread->state != 'Z')
		puts("  could not be stopped: no registers");
	if (thread->readable)
		registers_put(stdout, &thread->registers, options->regs.flavors);
	if (options->regs.stacks)
		put_stack(thread, symbols);
}

static void put_sample(const struct regs_sample *sample, struct live_symbols *symbols,
		       const struct options *options)
{
	printf("process %d ", sample->pid);
	text_put_quoted(stdout, sample->name, strlen(sample->name));
	printf(": %zu thread%s, paused for %.3f ms\n", sample->threads.count,
	       sample->threads.count == 1 ? "" : "s", (double)sample->paused_ns / 1e6);
	vec_foreach (&sample->threads, thread)
		if (options->all || thread->tid == options->tid)
			put_thread(thread, symbols, options);
}

/* ---- JSON ---- */

static void json_place(struct json *json, struct live_symbols *symbols, taddr pc, taddr place)
{
	struct live_symbol symbol;

	json_begin_object(json);
	json_member_hex(json, "pc", pc);
	if (live_symbols_find(symbols, place, &symbol)) {
		if (symbol.name)
			json_member_text(json, "symbol", symbol.name);
		json_member_uint(json, "offset", symbol.offset + (pc - place));
		if (symbol.file)
			json_member_text(json, "file", symbol.file);
	}
	json_end_object(json);
}

static void json_call(struct json *json, const struct regs_thread *thread)
{
	const struct sc_row *row = sc_row(thread->call_nr);
	const char *name = thread->call_narrow ? arch.narrow_call_name(thread->call_nr)
			   : row	       ? row->name
					       : NULL;

	json_key(json, "call");
	json_begin_object(json);
	json_member_int(json, "nr", thread->call_nr);
	if (name)
		json_member_text(json, "name", name);
	json_key(json, "narrow");
	json_bool(json, thread->call_narrow);
	json_key(json, "args");
	json_begin_array(json);
	for (int i = 0; i < SC_ARGS; i++)
		json_hex(json, thread->call_args[i]);
	json_end_array(json);
	json_member_text(json, "text", thread->call);
	json_end_object(json);
}

static void json_stack(struct json *json, const struct regs_thread *thread,
		       struct live_symbols *symbols)
{
	struct live_frame frames[FRAMES];
	size_t count = regs_thread_unwind(thread, symbols, frames, FRAMES);

	json_key(json, "stack");
	json_begin_array(json);
	for (size_t i = 0; i < count; i++)
		json_place(json, symbols, frames[i].pc, frames[i].place);
	json_end_array(json);
}

static void json_thread(struct json *json, const struct regs_thread *thread,
			struct live_symbols *symbols, const struct options *options)
{
	char state[] = {thread->state, 0};

	json_begin_object(json);
	json_member_int(json, "tid", thread->tid);
	json_member_text(json, "name", thread->name);
	json_member_text(json, "state", state);
	if (thread->signal)
		json_member_int(json, "signal", thread->signal);
	if (thread->call)
		json_call(json, thread);
	if (thread->pc) {
		json_key(json, "at");
		json_place(json, symbols, thread->pc, thread->pc);
	}
	if (thread->readable)
		registers_put_json(json, &thread->registers, options->regs.flavors);
	if (options->regs.stacks)
		json_stack(json, thread, symbols);
	json_end_object(json);
}

static void json_sample(const struct regs_sample *sample, struct live_symbols *symbols,
			const struct options *options)
{
	struct json json;

	json_init(&json, stdout);
	json_begin_object(&json);
	json_member_int(&json, "pid", sample->pid);
	json_member_text(&json, "name", sample->name);
	json_member_uint(&json, "paused_ns", sample->paused_ns);
	json_key(&json, "threads");
	json_begin_array(&json);
	vec_foreach (&sample->threads, thread)
		if (options->all || thread->tid == options->tid)
			json_thread(&json, thread, symbols, options);
	json_end_array(&json);
	json_end_object(&json);
	putchar('\n');
}

/* ---- the command line ---- */

static bool parse_flavors(const char *text, unsigned *flavors)
{
	static const char *const names[] = {"general", "float", "vector", "debug", "all"};

	*flavors = 0;
	do {
		size_t length = strcspn(text, ","), i = 0;

		while (i <= ARCH_FLAVORS &&
		       (strlen(names[i]) != length || memcmp(names[i], text, length)))
			i++;
		if (i > ARCH_FLAVORS)
			return false;
		*flavors |= i == ARCH_FLAVORS ? (1u << ARCH_FLAVORS) - 1 : 1u << i;
		text += length;
	} while (*text++ == ',');
	return true;
}

/* "100ms", "2s", "500us"; a bare number means seconds. */
static bool parse_interval(const char *text, uint64_t *ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}};
	char *end;
	double number = strtod(text, &end);

	if (end == text)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(end, units[i].name) && number * units[i].ns >= 1e3 &&
		    number * units[i].ns <= 1e18) {
			*ns = (uint64_t)(number * units[i].ns);
			return true;
		}
	return false;
}

static bool parse_number(const char *text, uint64_t most, uint64_t *number)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*number = strtoull(text, &end, 10);
	return !*end && *number >= 1 && *number <= most;
}

static int parse_operand(int argc, char **argv, struct options *options)
{
	uint64_t number;

	if (argc - optind != 1)
		return cmd_usage("regs", "regs takes one process or thread");
	if (!parse_number(argv[optind], INT32_MAX, &number))
		return cmd_usage("regs", "'%s' is not the number of a process or thread",
				 argv[optind]);
	options->tid = (pid_t)number;
	return 0;
}

static int parse(int argc, char **argv, struct options *options, const char **sets)
{
	static const struct option longs[] = {
		{"flavor", required_argument, NULL, 'f'},
		{"set", required_argument, NULL, 's'},
		{"interval", required_argument, NULL, 'n'},
		{"count", required_argument, NULL, 'c'},
		{"stacks", no_argument, NULL, 'k'},
		{"json", no_argument, NULL, 'j'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "+:f:s:n:c:k", longs, NULL)) != -1)
		if (option == 'f' && !parse_flavors(optarg, &options->regs.flavors))
			return cmd_usage("regs",
					 "'%s' is no flavor: general, float, vector, debug or all",
					 optarg);
		else if (option == 's')
			sets[options->regs.set_count++] = optarg;
		else if (option == 'n' && !parse_interval(optarg, &options->interval_ns))
			return cmd_usage("regs", "'%s' is no interval: write one as 100ms or 2s",
					 optarg);
		else if (option == 'c' && !parse_number(optarg, UINT64_MAX, &options->samples))
			return cmd_usage("regs", "'%s' is no number of samples", optarg);
		else if (option == 'k')
			options->regs.stacks = true;
		else if (option == 'j')
			options->json = true;
		else if (option == ':')
			return cmd_usage("regs", "an option lacks its argument");
		else if (option == '?')
			return cmd_unknown("regs", argv[optind - 1]);
	return parse_operand(argc, argv, options);
}

/* ---- samples ---- */

static struct error *show_sample(struct options *options)
{
	struct regs_sample sample;

	try(regs_sample_take(options->tid, &options->regs, &sample));
	/* Only the first sample sets registers. */
	options->regs.set_count = 0;
	options->all = options->tid == sample.pid;
	struct live_symbols *symbols = live_symbols_create(sample.pid);

	if (options->json)
		json_sample(&sample, symbols, options);
	else
		put_sample(&sample, symbols, options);
	live_symbols_destroy(symbols);
	regs_sample_deinit(&sample);
	return text_finish();
}

/* Waits; false when a signal asks us to end. */
static bool wait_interval(uint64_t ns, const sigset_t *ends)
{
	struct timespec interval = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

	return sigtimedwait(ends, NULL, &interval) < 0;
}

static struct error *show_samples(struct options *options)
{
	struct regs_history history _cleanup_(regs_history_deinit) = {0};
	sigset_t ends;

	if (options->samples != 1)
		options->regs.history = &history;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	try(show_sample(options));
	while (--options->samples && wait_interval(options->interval_ns, &ends)) {
		struct error *error = show_sample(options);

		/* That the process ends is how sampling ends. */
		if (error && error->os_errno == ESRCH) {
			error_free(error);
			return NULL;
		}
		try(error);
	}
	return NULL;
}

int cmd_regs(int argc, char **argv)
{
	struct options options = {.regs.flavors = 1u << ARCH_GENERAL};
	const char **sets _cleanup_free_ = xcalloc((size_t)argc, sizeof(*sets));

	options.regs.sets = sets;
	int status = parse(argc, argv, &options, sets);

	if (status)
		return status;
	if (!options.interval_ns) {
		if (options.samples)
			return cmd_usage("regs", "--count needs an interval, -n");
		options.samples = 1;
	}
	struct error *error = show_samples(&options);

	return error ? cmd_fail(error) : 0;
}
