/* "monitor COMMAND": what gdb has no packets for. Output goes to its console.
 *
 * gdb does not know that a command has moved the program: its next step then moves nothing, and
 * shows where it is (gdb_arrive()). */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "gdb/session.h"
#include "util/cleanup.h"

#define WORDS_MAX   16
#define EVENTS_MOST 10

struct monitor_command {
	const char *name;
	unsigned words; /* that it needs behind its name */
	bool leaves;	/* a diversion first. Commands that can fail before do it themselves */
	void (*run)(struct gdb_session *s, char **words);
	const char *usage;
};

static void run_threads(struct gdb_session *s, char **words);
static void run_hash(struct gdb_session *s, char **words);
static void run_help(struct gdb_session *s, char **words);

/* "events" takes its line as it is, and stands apart. */
static const struct monitor_command commands[] = {
	{"when", 0, false, gdb_place_when, "when                     where the replay is"},
	{"seek", 1, false, gdb_place_seek, "seek EVENT|SECONDSs|END  go there"},
	{"checkpoint", 0, true, gdb_place_checkpoint,
	 "checkpoint               remember this place"},
	{"checkpoints", 0, false, gdb_place_checkpoints, "checkpoints              that there are"},
	{"restart", 1, false, gdb_place_restart, "restart N                go to checkpoint N"},
	{"delete", 2, false, gdb_place_delete, "delete checkpoint N      forget it"},
	{"last-write", 1, false, gdb_place_last_write,
	 "last-write ADDR[:LENGTH] go back to where that memory was last written"},
	{"threads", 0, false, run_threads,
	 "threads                  of the process, at this event"},
	{"hash", 0, false, run_hash,
	 "hash                     of all memory that the process can write"},
	{"help", 0, false, run_help,
	 "events [EXPR]            those around here, or system calls there that match"},
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

static void run_help(struct gdb_session *s, char **words)
{
	for (size_t i = 0; i < COMMANDS; i++)
		gdb_say(s, "%s\n", commands[i].usage);
}

static void run_threads(struct gdb_session *s, char **words)
{
	struct timeline_tids tids = {0};
	struct timeline_where where;
	char name[16];

	timeline_where(s->timeline, &where);
	timeline_threads(s->timeline, &tids);
	vec_foreach (&tids, tid) {
		gdb_thread_name(s, *tid, name);
		gdb_say(s, "%s %" PRIu32 " %s\n", *tid == where.tid ? "=>" : "  ", *tid, name);
	}
	vec_deinit(&tids);
}

/* Two visits of a place can be compared by it. */
static void run_hash(struct gdb_session *s, char **words)
{
	gdb_say(s, "%016" PRIx64 "\n", timeline_memory_hash(s->timeline));
}

/* The expression may stand in quotes, which keep a user-defined command of gdb's from splitting
 * it. */
static void run_events(struct gdb_session *s, char *expression)
{
	size_t end = strlen(expression);
	struct timeline_where where;
	char *text _cleanup_free_ = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		alloc_failed(0);
	if (end >= 2 && *expression == '\'' && expression[end - 1] == '\'') {
		expression[end - 1] = 0;
		expression++;
	}
	timeline_where(s->timeline, &where);
	struct gdb_listing listing = {
		.directory = s->options->directory,
		.expression = *expression ? expression : NULL,
		.here = where.event,
		.most = EVENTS_MOST,
	};
	struct error *error = s->options->list_events(&listing, out);

	fclose(out);
	gdb_say(s, "%s", text);
	if (error)
		gdb_say(s, "%s\n", error->text);
	error_free(error);
}

/* Splits the line in place; returns how many words there are. */
static unsigned split(char *line, char **words)
{
	unsigned count = 0;
	char *rest;

	for (char *word = strtok_r(line, " \t\n", &rest); word && count < WORDS_MAX;
	     word = strtok_r(NULL, " \t\n", &rest))
		words[count++] = word;
	return count;
}

static void run_line(struct gdb_session *s, char *line)
{
	char *words[WORDS_MAX];
	unsigned count = split(line, words);

	for (size_t i = 0; count && i < COMMANDS; i++) {
		if (strcmp(words[0], commands[i].name))
			continue;
		if (count - 1 != commands[i].words)
			gdb_say(s, "usage: %s\n", commands[i].usage);
		else if (!commands[i].leaves || gdb_leave(s))
			commands[i].run(s, words + 1);
		return;
	}
	gdb_say(s, "there is no such command; these are there:\n");
	run_help(s, NULL);
}

/* "qTV:N": is there a place that the client has not seen yet? Its scripts ask that, as a
 * variable. */
void gdb_handle_variable(struct gdb_session *s, struct gdb_cursor *rest)
{
	bytes_format(&s->reply, "V%x", s->arrived);
}

void gdb_handle_monitor(struct gdb_session *s, struct gdb_cursor *rest)
{
	char *line _cleanup_free_ = gdb_take_text(rest);

	if (!line) {
		gdb_refuse(s, EINVAL);
		return;
	}
	line[strcspn(line, "\r\n")] = 0;
	if (!strncmp(line, "events", 6) && (!line[6] || line[6] == ' '))
		run_events(s, line + 6 + strspn(line + 6, " "));
	else
		run_line(s, line);
	gdb_ok(s);
}
