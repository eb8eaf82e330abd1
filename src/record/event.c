/* Building events: records of data first, then the event itself. */
#include <string.h>

#include "record/session.h"

void rec_datum(struct rec_session *s, struct rec_task *t, uint32_t kind, taddr addr,
	       const void *bytes, size_t length)
{
	trace_writer_datum(s->writer, rec_group(t)->id, kind, addr, bytes, length);
}

void rec_memory(struct rec_session *s, struct rec_task *t, uint32_t kind, taddr addr, size_t length)
{
	while (length && !t->tracee.gone) {
		size_t piece = length < TRACE_WRITER_PIECE ? length : TRACE_WRITER_PIECE;
		void *room =
			trace_writer_datum_reserve(s->writer, rec_group(t)->id, kind, addr, piece);
		size_t got = tracee_read(&t->tracee, addr, room, piece);

		trace_writer_datum_trim(s->writer, got);
		if (got < piece)
			return;
		addr += piece;
		length -= piece;
	}
}

void rec_regs_datum(struct rec_session *s, struct rec_task *t, const struct regs *regs)
{
	rec_datum(s, t, TRACE_D_REGS, 0, regs->word, sizeof(regs->word));
}

void rec_xstate_datum(struct rec_session *s, struct rec_task *t)
{
	struct bytes state = {0};

	if (tracee_get_xstate(&t->tracee, &state))
		rec_datum(s, t, TRACE_D_XSTATE, 0, state.items, state.count);
	vec_deinit(&state);
}

uint64_t rec_commit(struct rec_session *s, struct rec_task *t, enum trace_event_kind kind,
		    uint16_t flags, uint32_t arg, int64_t result, const struct regs *regs)
{
	unsigned group = rec_group(t)->id;

	if (t->tracee.gone) {
		trace_writer_abandon(s->writer, group);
		return 0;
	}
	struct trace_event event = {
		.time_ns = rec_now() - s->start_ns,
		.tid = (uint32_t)t->tracee.tid,
		.kind = kind,
		.flags = flags,
		.arg = arg,
		.result = result,
	};

	if (regs)
		memcpy(event.regs, regs->word, sizeof(event.regs));
	return trace_writer_commit(s->writer, group, &event);
}
