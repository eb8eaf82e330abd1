/* The table of counts, in strace's layout.
 * Invariant: the time of a call is that between its entry and its end. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "live/trace_tool.h"

#define MAX_ERRNO 4095
/* Numbers beyond this are not calls: programs that try numbers out must not cost memory. */
#define NUMBERS 4096

void trace_count_call(struct trace_counts *counts, const struct sc_call *call, uint64_t ns)
{
	size_t nr = (unsigned)call->nr;

	if (nr >= NUMBERS)
		return;
	while (counts->count <= nr)
		vec_push(counts, (struct trace_count){0});
	counts->items[nr].calls++;
	counts->items[nr].ns += ns;
	if (call->result < 0 && call->result >= -MAX_ERRNO)
		counts->items[nr].errors++;
}

static int by_time(const void *a, const void *b, void *context)
{
	const struct trace_counts *counts = context;
	uint64_t first = counts->items[*(const size_t *)a].ns;
	uint64_t second = counts->items[*(const size_t *)b].ns;

	return first < second ? 1 : first > second ? -1 : 0;
}

static int digits(uint64_t number)
{
	return snprintf(NULL, 0, "%" PRIu64, number);
}

struct widths {
	int seconds, average, calls, errors, name;
};

static int at_least(int width, int least)
{
	return width > least ? width : least;
}

static void put_row(struct bytes *out, const struct widths *w, const struct trace_count *row,
		    double share, const char *name)
{
	bytes_format(out, "%6.2f %*.6f %*" PRIu64 " %*" PRIu64, share, w->seconds,
		     (double)row->ns / 1e9, w->average,
		     row->calls ? row->ns / row->calls / 1000 : 0, w->calls, row->calls);
	if (row->errors)
		bytes_format(out, " %*" PRIu64 " %s\n", w->errors, row->errors, name);
	else
		bytes_format(out, " %*s %s\n", w->errors, "", name);
}

static void put_rule(struct bytes *out, const struct widths *w)
{
	const int columns[] = {6, w->seconds, w->average, w->calls, w->errors, w->name};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		bytes_put(out, i ? " " : "");
		for (int k = 0; k < columns[i]; k++)
			bytes_put(out, "-");
	}
	bytes_put(out, "\n");
}

static const char *name_of(size_t nr, char *room, size_t size)
{
	const struct sc_row *row = sc_row((int)nr);

	if (row)
		return row->name;
	snprintf(room, size, "syscall_%#zx", nr);
	return room;
}

/* Strace's widths: the columns grow where a number is wider. */
static struct widths measure(const struct trace_counts *counts, const struct trace_count *total)
{
	struct widths w = {11, 11, 9, 9, 16};
	char room[32];

	w.seconds = at_least(digits(total->ns / 1000000000) + 7, w.seconds);
	w.calls = at_least(digits(total->calls), w.calls);
	w.errors = at_least(digits(total->errors), w.errors);
	vec_foreach (counts, row) {
		size_t nr = (size_t)(row - counts->items);

		if (!row->calls)
			continue;
		w.average = at_least(digits(row->ns / row->calls / 1000), w.average);
		w.name = at_least((int)strlen(name_of(nr, room, sizeof(room))) + 1, w.name);
	}
	return w;
}

void trace_count_print(const struct trace_counts *counts, struct bytes *out)
{
	struct vec(size_t) order = {0};
	struct trace_count total = {0};
	struct widths w;
	char room[32];

	vec_foreach (counts, row) {
		if (row->calls)
			vec_push(&order, (size_t)(row - counts->items));
		total.calls += row->calls;
		total.errors += row->errors;
		total.ns += row->ns;
	}
	if (order.count)
		qsort_r(order.items, order.count, sizeof(*order.items), by_time, (void *)counts);
	w = measure(counts, &total);
	bytes_format(out, "%6s %*s %*s %*s %*s syscall\n", "% time", w.seconds, "seconds",
		     w.average, "usecs/call", w.calls, "calls", w.errors, "errors");
	put_rule(out, &w);
	vec_foreach (&order, nr) {
		const struct trace_count *row = &counts->items[*nr];

		put_row(out, &w, row, total.ns ? 100.0 * (double)row->ns / (double)total.ns : 0,
			name_of(*nr, room, sizeof(room)));
	}
	put_rule(out, &w);
	put_row(out, &w, &total, 100, "total");
	vec_deinit(&order);
}
