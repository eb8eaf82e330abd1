/* warp ls: the recordings in the default place, one a line, oldest first. One that cannot be read
 * is listed as such: it is there, and takes room. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/text.h"
#include "trace/place.h"
#include "util/alloc.h"
#include "util/cleanup.h"

/* How the recorded program ended, from the last event alone. */
static struct error *put_status(FILE *out, struct trace_reader *reader,
				const struct trace_counts *counts)
{
	struct trace_event event = {0};
	bool end = true;

	if (trace_reader_state(reader) == TRACE_COMPLETE && trace_reader_seek(reader, counts->last))
		try(trace_reader_next(reader, &event, &end));
	if (!end && event.kind == TRACE_EV_END)
		text_put_end(out, event.result);
	else if (trace_reader_state(reader) == TRACE_CUT)
		fputs("unfinished", out);
	else
		fputs("damaged", out);
	return NULL;
}

struct columns {
	char date[32], size[16], status[48];
};

static FILE *open_column(char *text, size_t size)
{
	FILE *out = fmemopen(text, size, "w");

	if (!out)
		alloc_failed(size);
	setbuf(out, NULL);
	return out;
}

static struct error *fill_columns(struct columns *columns, struct trace_reader *reader)
{
	struct trace_counts counts;

	trace_reader_counts(reader, &counts);
	FILE *out = open_column(columns->date, sizeof(columns->date));

	text_put_date(out, trace_reader_meta(reader)->numbers.start_ns);
	fclose(out);
	out = open_column(columns->size, sizeof(columns->size));
	text_put_size(out, counts.bytes);
	fclose(out);
	out = open_column(columns->status, sizeof(columns->status));
	struct error *error = put_status(out, reader, &counts);

	fclose(out);
	return error;
}

/* A directory can have any name. The caller's. */
static char *shown_name(const struct trace_place_entry *entry)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		alloc_failed(0);
	text_put_word(out, entry->name);
	fclose(out);
	return text;
}

static struct error *put_recording(const struct trace_place_entry *entry, int width)
{
	char *name _cleanup_free_ = shown_name(entry);
	struct trace_reader *reader _cleanup_(text_close_reader) = NULL;
	struct columns columns = {"?", "?", "unreadable"};
	struct error *error = trace_reader_open(entry->path, &reader);

	if (error) {
		if (error->os_errno == ENODATA)
			strcpy(columns.status, "no events");
		error_free(error);
		reader = NULL;
		FILE *out = open_column(columns.date, sizeof(columns.date));

		text_put_date(out, entry->changed_ns);
		fclose(out);
	} else {
		try(fill_columns(&columns, reader));
	}
	if (entry->in_progress)
		strcpy(columns.status, "in progress");
	printf("%-*s  %-19s  %8s  %-18s", width, name, columns.date, columns.size, columns.status);
	if (reader) {
		fputs("  ", stdout);
		text_put_command(stdout, &trace_reader_meta(reader)->command);
	}
	putchar('\n');
	return NULL;
}

static struct error *put_all(const struct trace_place_list *list)
{
	int width = 0;

	vec_foreach (list, entry) {
		char *name _cleanup_free_ = shown_name(entry);

		if ((int)strlen(name) > width)
			width = (int)strlen(name);
	}
	vec_foreach (list, entry)
		try(put_recording(entry, width));
	return text_finish();
}

int cmd_ls(int argc, char **argv)
{
	static const struct option known[] = {{0}};
	struct trace_place_list list;

	opterr = 0;
	if (getopt_long(argc, argv, "", known, NULL) >= 0)
		return cmd_unknown("ls", argv[optind - 1]);
	if (optind < argc)
		return cmd_usage("ls", "ls takes no arguments");
	struct error *error = trace_place_list(&list);

	if (error)
		return cmd_fail(error);
	error = put_all(&list);
	trace_place_list_deinit(&list);
	return error ? cmd_fail(error) : 0;
}
