/* warp info: what a recording is of, how it ended, and what could not be recorded. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/cmd.h"
#include "cmd/text.h"
#include "trace/place.h"
#include "util/alloc.h"
#include "util/cleanup.h"

/* What reading all events tells. */
struct tally {
	uint64_t events, last;
	uint64_t kinds[TRACE_EV_KINDS];
	uint64_t processes, threads;
	uint64_t refused, compared, buffered;
	int64_t end;
	char *program; /* path of the first image; the caller's to free */
};

static const char *const kind_names[TRACE_EV_KINDS] = {
	[TRACE_EV_NONE] = "without a kind",
	[TRACE_EV_START] = "start",
	[TRACE_EV_SYSCALL] = "system calls",
	[TRACE_EV_SYSCALL_ENTER] = "entries of system calls",
	[TRACE_EV_SYSCALL_EXIT] = "ends of system calls",
	[TRACE_EV_RESTART] = "restarts of system calls",
	[TRACE_EV_INSN] = "trapped instructions",
	[TRACE_EV_SIGNAL] = "signals",
	[TRACE_EV_SIGNAL_FATAL] = "fatal signals",
	[TRACE_EV_TASK_NEW] = "new tasks",
	[TRACE_EV_EXEC] = "executed programs",
	[TRACE_EV_TASK_EXIT] = "ends of tasks",
	[TRACE_EV_FILE_WRITE] = "changes of mapped files",
	[TRACE_EV_SCHED] = "preemptions",
	[TRACE_EV_PROBES] = "changes of counting sites",
	[TRACE_EV_END] = "end",
};

/* ---- counting ---- */

static struct error *count_task(struct trace_reader *reader, struct tally *tally)
{
	struct trace_datum_view view;

	try(trace_reader_find(reader, TRACE_D_TASK, &view));
	const struct trace_task *task = view.bytes;

	if (task && task->tid != task->tgid)
		tally->threads++;
	else
		tally->processes++;
	return NULL;
}

static struct error *note_start(struct trace_reader *reader, struct tally *tally)
{
	struct trace_datum_view view;

	tally->processes++;
	try(trace_reader_find(reader, TRACE_D_EXEC_PATH, &view));
	if (view.bytes && !tally->program)
		tally->program = xasprintf("%.*s", (int)view.length, (const char *)view.bytes);
	return NULL;
}

static struct error *count_events(struct trace_reader *reader, struct tally *tally)
{
	struct trace_event event;
	bool end;

	for (;;) {
		try(trace_reader_next(reader, &event, &end));
		if (end)
			return NULL;
		tally->events++;
		tally->last = event.number;
		tally->kinds[event.kind]++;
		tally->refused += !!(event.flags & TRACE_F_REFUSED);
		tally->compared += !!(event.flags & TRACE_F_FALLBACK);
		tally->buffered += !!(event.flags & TRACE_F_BUFFERED);
		if (event.kind == TRACE_EV_START)
			try(note_start(reader, tally));
		else if (event.kind == TRACE_EV_TASK_NEW)
			try(count_task(reader, tally));
		else if (event.kind == TRACE_EV_END)
			tally->end = event.result;
	}
}

/* ---- printing ---- */

static void put_label(const char *label)
{
	printf("%-12s", label);
}

static void put_text(const char *label, const char *text)
{
	char *words[] = {(char *)(text ? text : "unknown")};
	struct trace_texts one = {words, 1, 1};

	put_label(label);
	text_put_command(stdout, &one);
	putchar('\n');
}

static void put_plain(const char *label, const char *text)
{
	put_label(label);
	for (; text && *text; text++)
		putchar(*text >= ' ' && *text <= '~' ? *text : '?');
	putchar('\n');
}

static void put_origin(const struct trace_meta *meta, const struct tally *tally)
{
	put_label("command");
	text_put_command(stdout, &meta->command);
	putchar('\n');
	put_text("program", meta->executable ? meta->executable : tally->program);
	put_text("directory", meta->directory);
	put_plain("host", meta->host);
	put_plain("machine", meta->machine);
	put_plain("kernel", meta->kernel);
	put_plain("written by", meta->writer);
	printf("%-12s%d\n", "format", TRACE_VERSION);
	put_label("started");
	text_put_date(stdout, meta->numbers.start_ns);
	putchar('\n');
}

static void put_state(struct trace_reader *reader, const struct tally *tally)
{
	put_label("state");
	switch (trace_reader_state(reader)) {
	case TRACE_COMPLETE:
		fputs("complete, ", stdout);
		text_put_end(stdout, tally->end);
		break;
	case TRACE_CUT:
		printf("cut short after event %" PRIu64, tally->last);
		if (trace_reader_stopped(reader))
			printf(": recording stopped (%s)", strerror(trace_reader_stopped(reader)));
		else
			fputs(", or still being recorded", stdout);
		break;
	case TRACE_DAMAGED:
		if (tally->kinds[TRACE_EV_END])
			fputs("damaged, but all of its events can be read", stdout);
		else
			printf("damaged after event %" PRIu64, tally->last);
		break;
	}
	putchar('\n');
}

static void put_counts(struct trace_reader *reader, const struct tally *tally)
{
	struct trace_counts counts;

	trace_reader_counts(reader, &counts);
	printf("%-12s%" PRIu64 ".%06" PRIu64 " s\n", "duration", counts.duration_ns / 1000000000,
	       counts.duration_ns / 1000 % 1000000);
	put_state(reader, tally);
	printf("%-12s%" PRIu64 " in %u group%s\n", "events", tally->events, counts.groups,
	       counts.groups == 1 ? "" : "s");
	for (unsigned kind = 0; kind < TRACE_EV_KINDS; kind++)
		if (tally->kinds[kind])
			printf("%20" PRIu64 " %s\n", tally->kinds[kind], kind_names[kind]);
	if (tally->refused)
		printf("%20" PRIu64 " of them answered by the recorder\n", tally->refused);
	if (tally->buffered)
		printf("%20" PRIu64 " of them made without a stop\n", tally->buffered);
	if (tally->compared)
		printf("%20" PRIu64 " of them recorded by comparing memory\n", tally->compared);
	printf("%-12s%" PRIu64 " process%s, %" PRIu64 " further thread%s\n", "tasks",
	       tally->processes, tally->processes == 1 ? "" : "es", tally->threads,
	       tally->threads == 1 ? "" : "s");
	put_label("on disk");
	text_put_size(stdout, counts.bytes);
	putchar('\n');
}

static void put_files(struct trace_reader *reader)
{
	const struct trace_files *files = trace_reader_files(reader);
	uint32_t count = trace_files_count(files), kept = 0;
	uint64_t bytes = 0;

	for (uint32_t id = 0; id < count; id++) {
		const struct trace_file *file = trace_files_get(files, id);

		if (!file || !trace_file_has_contents(file))
			continue;
		kept++;
		bytes += file->size;
	}
	printf("%-12s%" PRIu32 " files, with the contents of %" PRIu32 " (", "mapped", count, kept);
	text_put_size(stdout, bytes);
	puts(")");
}

static void put_traps(const struct trace_meta_numbers *numbers)
{
	put_label("cpuid");
	if (numbers->flags & TRACE_META_CPUID_TRAPPED)
		puts("trapped: its results are recorded");
	else
		puts("not trapped: this machine cannot make it trap, so that instructions such as "
		     "rdrand\n"
		     "            could not be hidden from the program. A program that uses them "
		     "directly may\n"
		     "            diverge when it is replayed, and a replay needs the same kind of "
		     "processor.");
	put_label("rdtsc");
	puts(numbers->flags & TRACE_META_TSC_TRAPPED
		     ? "trapped: its results are recorded"
		     : "not trapped: a program that reads it may diverge when it is replayed");
}

static void put_chance(const struct trace_meta_numbers *numbers)
{
	if (numbers->flags & TRACE_META_CHAOS)
		printf("%-12s%" PRIu64 " (warp record --chaos=%" PRIu64 ")\n", "chaos seed",
		       numbers->seed, numbers->seed);
}

static void put_sites(const struct trace_meta_numbers *numbers)
{
	if (numbers->flags & TRACE_META_NO_SITES)
		printf("%-12snone (warp record --no-sites): places are found by breakpoints\n",
		       "sites");
}

static struct error *put_info(const char *directory, struct tally *tally)
{
	struct trace_reader *reader _cleanup_(text_close_reader) = NULL;

	try(trace_reader_open(directory, &reader));
	try(count_events(reader, tally));
	put_text("recording", directory);
	put_origin(trace_reader_meta(reader), tally);
	put_counts(reader, tally);
	put_files(reader);
	put_traps(&trace_reader_meta(reader)->numbers);
	put_chance(&trace_reader_meta(reader)->numbers);
	put_sites(&trace_reader_meta(reader)->numbers);
	try(text_finish());
	return text_damage(reader);
}

int cmd_info(int argc, char **argv)
{
	static const struct option known[] = {{0}};
	char *directory _cleanup_free_ = NULL;
	struct tally tally = {0};

	opterr = 0;
	if (getopt_long(argc, argv, "", known, NULL) >= 0)
		return cmd_unknown("info", argv[optind - 1]);
	if (argc - optind > 1)
		return cmd_usage("info", "info takes one recording");
	struct error *error = trace_place_find(argv[optind], &directory);

	if (!error)
		error = put_info(directory, &tally);
	free(tally.program);
	return error ? cmd_fail(error) : 0;
}
