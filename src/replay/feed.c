/* Calls that the agent has recorded are replayed by the agent: a run of them is put into its
 * buffer, and the task stops at the end of the last one. Where something is not as it was, the
 * agent makes no more of them: the rest is replayed call by call, which shows what differs. */
#include <stddef.h>
#include <string.h>

#include "abi/agent_abi.h"
#include "replay/session.h"
#include "util/cleanup.h"

struct feed {
	struct bytes records;
	struct vec(struct trace_event) events;
	struct trace_event next; /* the one behind them... */
	bool end;		 /* ...if there is one */
};

/* Only if the agent can compare all that the call has read. */
static struct error *add_pieces(struct rep_session *s, struct feed *feed,
				struct agent_record *record, bool *fits)
{
	struct trace_datum_view view;
	bool end = false;

	*fits = true;
	trace_reader_rewind(s->reader);
	for (;;) {
		try(trace_reader_datum(s->reader, &view, &end));
		if (end)
			return NULL;
		if (view.kind != TRACE_D_MEMORY && view.kind != TRACE_D_INPUT) {
			*fits = false;
			return NULL;
		}
		struct agent_bytes piece = {view.addr, (uint32_t)view.length,
					    view.kind == TRACE_D_INPUT};

		vec_append(&feed->records, (const unsigned char *)&piece, sizeof(piece));
		vec_append(&feed->records, (const unsigned char *)view.bytes, view.length);
		while (feed->records.count % 8)
			vec_push(&feed->records, 0);
		record->pieces++;
	}
}

/* False if it does not fit: nothing is added. */
static struct error *add_call(struct rep_session *s, struct feed *feed,
			      const struct trace_event *event, bool *fits)
{
	size_t at = feed->records.count;
	struct agent_record record = {.nr = (uint16_t)event->arg, .result = event->result};
	struct regs regs;

	memcpy(regs.word, event->regs, sizeof(regs.word));
	arch.agent_record_regs(&regs, record.regs);
	vec_append(&feed->records, (const unsigned char *)&record, sizeof(record));
	try(add_pieces(s, feed, &record, fits));
	record.size = (uint32_t)(feed->records.count - at);
	*fits = *fits && feed->records.count <= AGENT_BUFFER_SIZE;
	if (!*fits) {
		feed->records.count = at;
		return NULL;
	}
	memcpy(feed->records.items + at, &record, sizeof(record));
	vec_push(&feed->events, *event);
	return NULL;
}

static bool is_next(const struct trace_event *event, uint32_t tid)
{
	return event->tid == tid && event->kind == TRACE_EV_SYSCALL &&
	       (event->flags & TRACE_F_BUFFERED);
}

/* From s->event on, and the event behind them. */
static struct error *gather(struct rep_session *s, struct feed *feed)
{
	bool fits = true;

	feed->next = s->event;
	while (!feed->end && fits && is_next(&feed->next, s->event.tid)) {
		try(add_call(s, feed, &feed->next, &fits));
		if (fits)
			try(trace_reader_next(s->reader, &feed->next, &feed->end));
	}
	return NULL;
}

static void enter(struct rep_task *t, const struct feed *feed)
{
	const uint64_t entry = AGENT_ENTRY, words[2] = {0, feed->records.count};

	tracee_write(&t->tracee, AGENT_BUFFER, feed->records.items, feed->records.count);
	tracee_write(&t->tracee, AGENT_DATA + offsetof(struct agent_state, used), words,
		     sizeof(words));
	tracee_write(&t->tracee, AGENT_DATA + offsetof(struct agent_state, entry), &entry,
		     sizeof(entry));
}

static size_t calls_made(const struct feed *feed, uint64_t used)
{
	size_t calls = 0;

	for (size_t at = 0; at < used && calls < feed->events.count; calls++) {
		const struct agent_record *record = (const void *)(feed->records.items + at);

		at += record->size;
	}
	return calls;
}

/* Where the task stands after the last call, or before one that the agent has declined. */
static void stand_outside(struct rep_task *t, int status)
{
	struct regs *regs = tracee_regs_mut(&t->tracee);
	taddr after;

	if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
		arch.call_rewind(regs, arch.call_nr(regs));
	} else if (arch.pc(regs) == AGENT_TRAP + arch.break_size &&
		   tracee_read(&t->tracee, AGENT_DATA + offsetof(struct agent_state, after), &after,
			       sizeof(after)) == sizeof(after)) {
		arch.set_pc(regs, after);
		softpmu_leave_call_copies(&t->tracee, &t->mm->probes);
	}
}

/* Returns how many calls were made. */
static size_t leave(struct rep_task *t, const struct feed *feed, int status)
{
	const uint64_t entry = AGENT_DECLINE, none = 0;
	uint64_t used = 0;

	tracee_read(&t->tracee, AGENT_DATA + offsetof(struct agent_state, used), &used,
		    sizeof(used));
	tracee_write(&t->tracee, AGENT_DATA + offsetof(struct agent_state, fed), &none,
		     sizeof(none));
	tracee_write(&t->tracee, AGENT_DATA + offsetof(struct agent_state, entry), &entry,
		     sizeof(entry));
	stand_outside(t, status);
	return calls_made(feed, used);
}

static void free_feed(struct feed *feed)
{
	vec_deinit(&feed->records);
	vec_deinit(&feed->events);
}

struct error *rep_feed(struct rep_session *s, struct rep_task *t, struct trace_event *next,
		       bool *end, bool *done)
{
	struct feed feed _cleanup_(free_feed) = {0};
	int status = 0;

	*done = false;
	try(gather(s, &feed));
	if (!feed.events.count)
		return NULL;
	enter(t, &feed);
	try(rep_run_on(s, t, &status));
	size_t calls = leave(t, &feed, status);

	*next = feed.next;
	*end = feed.end;
	*done = calls;
	if (calls < feed.events.count) {
		if (!trace_reader_seek(s->reader, feed.events.items[calls].number))
			return rep_damaged(s, "cannot be read again");
		try(trace_reader_next(s->reader, next, end));
	}
	s->event = calls ? feed.events.items[calls - 1] : *next;
	return NULL;
}
