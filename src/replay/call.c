/* The end of a system call: performed again or injected; and what the program wrote is echoed. */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "replay/session.h"
#include "util/cleanup.h"

static struct sc_call event_call(const struct rep_session *s)
{
	struct regs regs = rep_event_regs(s);
	struct sc_call call = sc_call_of((int)s->event.arg, &regs);

	call.result = s->event.result;
	call.ended = true;
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

struct error *rep_write(struct rep_session *s, struct rep_task *t,
			const struct trace_datum_view *view)
{
	struct rep_task *owner = view->kind == TRACE_D_MEMORY_OF ? rep_find(s, view->flags) : t;

	if (!owner)
		return rep_diverged(s, t,
				    "memory of task %u is to be written, which does not exist",
				    view->flags);
	/* Code in our pages runs outside PTRACE_SYSEMU. */
	if (view->addr < WARP_PAGES_END && view->addr + view->length > WARP_CODE_PAGE)
		return error_new(
			"event %llu writes to memory that belongs to warp: the recording is "
			"damaged",
			(unsigned long long)s->event.number);
	if (tracee_write(&owner->tracee, view->addr, view->bytes, view->length) != view->length)
		return rep_diverged(s, t, "%llu bytes at %#llx cannot be written as recorded",
				    (unsigned long long)view->length,
				    (unsigned long long)view->addr);
	return NULL;
}

static struct error *apply_datum(struct rep_session *s, struct rep_task *t,
				 const struct trace_datum_view *view, struct regs *regs)
{
	switch (view->kind) {
	case TRACE_D_MEMORY:
	case TRACE_D_MEMORY_OF:
		return rep_write(s, t, view);
	case TRACE_D_PROBE:
		return rep_change_site(s, t, view);
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

static void free_regions(struct sc_regions *regions)
{
	vec_deinit(regions);
}

static struct error *put(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t done = write(fd, bytes, length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return error_hint(
				error_os(errno, "cannot write the program's output to standard %s",
					 fd == 1 ? "output" : "error"),
				"send it elsewhere, or replay with --quiet");
		bytes += done;
		length -= (size_t)done;
	}
	return NULL;
}

static struct error *echo_memory(struct rep_session *s, struct rep_task *t, int fd, taddr addr,
				 uint64_t length)
{
	char buffer[16384];

	while (length) {
		size_t piece = length < sizeof(buffer) ? length : sizeof(buffer);

		if (tracee_read(&t->tracee, addr, buffer, piece) != piece)
			return rep_diverged(s, t,
					    "the %zu bytes at %#llx that it writes cannot be read",
					    piece, (unsigned long long)addr);
		try(put(fd, buffer, piece));
		addr += piece;
		length -= piece;
	}
	return NULL;
}

/* The bytes are in the buffer that argument 1 points at, or in those that its vector points at. */
static struct error *echo(struct rep_session *s, struct rep_task *t, const struct sc_row *row,
			  const struct sc_call *call)
{
	struct sc_memory memory = tracee_memory(&t->tracee);
	struct sc_regions regions _cleanup_(free_regions) = {0};
	uint64_t left = call->result > 0 ? (uint64_t)call->result : 0;
	int fd = s->event.flags & TRACE_F_ECHO_STDOUT ? 1 : 2;
	bool vector = false;

	rep_hide_progress(s);
	if (!sc_regions_begin(row, call, &memory, &regions))
		return NULL;
	vec_foreach (&regions, region)
		vector |= region->parent >= 0;
	vec_foreach (&regions, region) {
		bool data = vector ? region->parent >= 0 : region->arg == 1;
		uint64_t length = region->capacity < left ? region->capacity : left;

		if (!data || region->dir != SC_IN)
			continue;
		try(echo_memory(s, t, fd, region->addr, length));
		left -= length;
	}
	return NULL;
}

struct error *rep_call_end(struct rep_session *s, struct rep_task *t)
{
	struct sc_call call = event_call(s);
	const struct sc_row *row = sc_row(call.nr);
	struct regs after = rep_event_regs(s);

	if (row)
		row = sc_row_refine(row, &call);
	if ((s->event.flags & (TRACE_F_ECHO_STDOUT | TRACE_F_ECHO_STDERR)) && row &&
	    !s->options->quiet && s->event.number > s->echoed)
		try(echo(s, t, row, &call));
	bool failed = call.result < 0 && call.result >= -4095;

	if (row && row->action == SC_PERFORM && !(s->event.flags & TRACE_F_REFUSED)) {
		rep_perform perform = rep_performer(row->handler);

		if (failed && (row->flags & SC_PARTIAL))
			try(rep_perform_failed(s, t, row->handler));
		else if (!failed && perform)
			try(perform(s, t));
	}
	arch.set_call_result(&after, call.result);
	return rep_apply(s, t, &after);
}
