/* The events around a place: those before it and those behind it, or system calls there that an
 * expression matches. No more than SEARCHED events in each direction are looked at.
 *
 * Invariant: at most `most` lines from before the place are kept. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/dump.h"
#include "cmd/events.h"
#include "cmd/text.h"
#include "expr/expr.h"
#include "util/alloc.h"
#include "util/cleanup.h"

#define SEARCHED 100000

struct list {
	const struct gdb_listing *listing;
	struct expr *expr; /* or NULL */
	struct vec(char *) before;
	unsigned behind; /* lines printed of those behind the place */
	FILE *out;
};

static bool matches(const struct list *list, const struct dump_event *e)
{
	struct sc_memory memory = dump_memory(e);
	struct expr_process process = {.pid = (pid_t)e->event.tid, .tid = (pid_t)e->event.tid};
	struct expr_call call = {&e->call, &memory, &process};

	if (!list->expr)
		return true;
	return e->is_call && e->call.ended && expr_match_exit(list->expr, &call, NULL);
}

static char *line_of(const struct list *list, const struct dump_event *e)
{
	char *line = NULL;
	size_t length;
	FILE *out = open_memstream(&line, &length);

	if (!out)
		alloc_failed(0);
	fprintf(out, "%s%7" PRIu64 " %3" PRIu64 ".%06" PRIu64 " %6" PRIu32 "  ",
		e->event.number == list->listing->here ? "=>" : "  ", e->event.number,
		e->event.time_ns / 1000000000, e->event.time_ns / 1000 % 1000000, e->event.tid);
	dump_put_text(out, e);
	fclose(out);
	return line;
}

static void add(struct list *list, const struct dump_event *e)
{
	char *line = line_of(list, e);

	if (e->event.number <= list->listing->here) {
		vec_push(&list->before, line);
		if (list->before.count > list->listing->most) {
			free(list->before.items[0]);
			vec_remove(&list->before, 0);
		}
		return;
	}
	fprintf(list->out, "%s\n", line);
	list->behind++;
	free(line);
}

static void print_before(struct list *list)
{
	vec_foreach (&list->before, line) {
		fprintf(list->out, "%s\n", *line);
		free(*line);
	}
	vec_clear(&list->before);
}

static struct error *scan(struct list *list, struct trace_reader *reader, struct dump_tasks *tasks,
			  struct dump_event *e)
{
	uint64_t here = list->listing->here;
	uint64_t back = list->expr ? SEARCHED : list->listing->most;
	struct trace_event event;
	bool end = false;

	trace_reader_seek(reader, here > back ? here - back + 1 : 1);
	while (list->behind < list->listing->most) {
		try(trace_reader_next(reader, &event, &end));
		if (end || event.number > here + SEARCHED)
			break;
		if (event.number > here)
			print_before(list);
		try(dump_event_load(reader, &event, tasks, e));
		if (matches(list, e))
			add(list, e);
	}
	return NULL;
}

struct error *cmd_list_events(const struct gdb_listing *listing, FILE *out)
{
	struct trace_reader *reader _cleanup_(text_close_reader) = NULL;
	struct list list = {.listing = listing, .out = out};
	struct dump_event e = {0};

	if (listing->expression)
		try(expr_parse(listing->expression, &list.expr));
	struct error *error = trace_reader_open(listing->directory, &reader);

	if (!error) {
		struct dump_tasks *tasks = dump_tasks_create();

		error = scan(&list, reader, tasks, &e);
		dump_tasks_destroy(tasks);
	}
	print_before(&list);
	vec_deinit(&list.before);
	dump_event_deinit(&e);
	expr_destroy(list.expr);
	return error;
}
