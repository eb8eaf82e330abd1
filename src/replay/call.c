/* The end of a system call: performed again or injected; and what the program wrote is echoed. */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "replay/session.h"

static struct sc_call event_call(const struct rep_session *s)
{
	struct regs regs = rep_event_regs(s);
	struct sc_call call = {.nr = (int)s->event.arg, .result = s->event.result, .ended = true};

	for (int i = 0; i < SC_ARGS; i++)
		call.args[i] = arch.call_arg(&regs, i);
	return call;
}

/* Stacks grow up to it. */
static void set_stack_limit(struct rep_task *t, const void *bytes)
{
	struct rlimit limit;

	if (prlimit(t->tracee.tgid, RLIMIT_STACK, NULL, &limit) < 0)
		return;
	memcpy(&limit.rlim_cur, bytes, sizeof(limit.rlim_cur));
	if (limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	prlimit(t->tracee.tgid, RLIMIT_STACK, &limit, NULL);
}

static struct error *apply_datum(struct rep_session *s, struct rep_task *t,
				 const struct trace_datum_view *view, struct regs *regs)
{
	struct rep_task *owner = t;

	switch (view->kind) {
	case TRACE_D_MEMORY_OF:
		owner = rep_find(s, view->flags);
		if (!owner)
			return rep_diverged(s, t,
					    "memory of task %u is to be written, which does not "
					    "exist",
					    view->flags);
		/* fall through */
	case TRACE_D_MEMORY:
		if (tracee_write(&owner->tracee, view->addr, view->bytes, view->length) !=
		    view->length)
			return rep_diverged(
				s, t, "%llu bytes at %#llx cannot be written as recorded",
				(unsigned long long)view->length, (unsigned long long)view->addr);
		return NULL;
	case TRACE_D_STACK_LIMIT:
		set_stack_limit(t, view->bytes);
		return NULL;
	case TRACE_D_REGS:
		memcpy(regs->word, view->bytes, sizeof(regs->word));
		return NULL;
	case TRACE_D_XSTATE:
		tracee_set_xstate(&t->tracee, view->bytes, view->length);
		return NULL;
	default:
		return NULL;
	}
}

struct error *rep_apply(struct rep_session *s, struct rep_task *t, const struct regs *regs)
{
	struct regs after = *regs;
	struct trace_datum_view view;
	bool end = false;

	trace_reader_rewind(s->reader);
	for (;;) {
		try(trace_reader_datum(s->reader, &view, &end));
		if (end)
			break;
		try(apply_datum(s, t, &view, &after));
	}
	arch.call_skip(&after); /* nothing restarts it here */
	tracee_set_regs(&t->tracee, &after);
	return NULL;
}

/* ---- echo ---- */

static void put(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t done = write(fd, bytes, length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		bytes += done;
		length -= (size_t)done;
	}
}

static void echo_memory(struct rep_task *t, int fd, taddr addr, uint64_t length)
{
	char buffer[16384];

	while (length) {
		size_t piece = length < sizeof(buffer) ? length : sizeof(buffer);
		size_t got = tracee_read(&t->tracee, addr, buffer, piece);

		put(fd, buffer, got);
		if (got < piece)
			return;
		addr += piece;
		length -= piece;
	}
}

/* The bytes are in the buffer that argument 1 points at, or in those that its vector points at. */
static void echo(struct rep_session *s, struct rep_task *t, const struct sc_row *row,
		 const struct sc_call *call)
{
	struct sc_memory memory = tracee_memory(&t->tracee);
	struct sc_regions regions = {0};
	uint64_t left = call->result > 0 ? (uint64_t)call->result : 0;
	int fd = s->event.flags & TRACE_F_ECHO_STDOUT ? 1 : 2;
	bool vector = false;

	if (!sc_regions_begin(row, call, &memory, &regions))
		return;
	vec_foreach (&regions, region)
		vector |= region->parent >= 0;
	vec_foreach (&regions, region) {
		bool data = vector ? region->parent >= 0 : region->arg == 1;
		uint64_t length = region->capacity < left ? region->capacity : left;

		if (!data || region->dir != SC_IN)
			continue;
		echo_memory(t, fd, region->addr, length);
		left -= length;
	}
	vec_deinit(&regions);
}

struct error *rep_call_end(struct rep_session *s, struct rep_task *t)
{
	struct sc_call call = event_call(s);
	const struct sc_row *row = sc_row(call.nr);
	struct regs after = rep_event_regs(s);

	if (row)
		row = sc_row_refine(row, &call);
	if ((s->event.flags & (TRACE_F_ECHO_STDOUT | TRACE_F_ECHO_STDERR)) && row &&
	    !s->options->quiet)
		echo(s, t, row, &call);
	bool failed = call.result < 0 && call.result >= -4095;

	if (row && row->action == SC_PERFORM && !failed && !(s->event.flags & TRACE_F_REFUSED)) {
		rep_perform perform = rep_performer(row->handler);

		if (perform)
			try(perform(s, t));
	}
	arch.set_call_result(&after, call.result);
	return rep_apply(s, t, &after);
}
