/* Places between events: where a task was preempted or took a signal while it computed. And the
 * sites in its code that count how far it is, which change at events. */
#include <string.h>
#include <sys/wait.h>

#include "replay/session.h"
#include "util/cleanup.h"
#include "util/log.h"

/* ---- sites ---- */

struct error *rep_change_site(struct rep_session *s, struct rep_task *t,
			      const struct trace_datum_view *view)
{
	struct softpmu_probes *probes = &t->mm->probes;
	struct trace_probe record;

	memcpy(&record, view->bytes, sizeof(record));
	if (!record.length) {
		for (size_t i = probes->sites.count; i-- > 0;)
			if (probes->sites.items[i].pc == record.pc)
				softpmu_probe_remove(&t->tracee, probes, i);
		return NULL;
	}
	struct softpmu_probe plan = {
		.pc = record.pc,
		.at = record.at,
		.length = record.length,
		.shadow = record.shadow,
	};

	if (record.shadow == TRACE_PROBE_CALL) {
		plan.shadow = 0;
		plan.call = true;
	}

	if (softpmu_probe_add(&t->tracee, probes, &plan))
		return NULL;
	return rep_diverged(s, t, "the code at %#llx cannot be made to count as it was recorded",
			    (unsigned long long)record.pc);
}

struct error *rep_change_sites(struct rep_session *s, struct rep_task *t)
{
	struct trace_datum_view view;
	bool end = false;

	for (;;) {
		try(trace_reader_datum(s->reader, &view, &end));
		if (end)
			return NULL;
		if (view.kind == TRACE_D_PROBE)
			try(rep_change_site(s, t, &view));
	}
}

/* ---- places ---- */

/* Many of them are several records. */
static void add_witnesses(struct softpmu_target *target, const struct trace_datum_view *view)
{
	size_t more = view->length / sizeof(*target->witnesses);

	target->witnesses =
		xrealloc(target->witnesses, (target->count + more) * sizeof(*target->witnesses));
	memcpy(target->witnesses + target->count, view->bytes, more * sizeof(*target->witnesses));
	target->count += more;
}

struct error *rep_read_target(struct rep_session *s, struct rep_task *t,
			      struct softpmu_target *target, struct softpmu_contents_list *contents,
			      uint64_t *state_hash)
{
	struct trace_datum_view view;
	bool end = false;

	for (;;) {
		try(trace_reader_datum(s->reader, &view, &end));
		if (end)
			break;
		if (view.kind == TRACE_D_PLACE) {
			memcpy(&target->place, view.bytes, sizeof(target->place));
		} else if (view.kind == TRACE_D_STATE_HASH) {
			memcpy(state_hash, view.bytes, sizeof(*state_hash));
		} else if (view.kind == TRACE_D_WITNESS) {
			add_witnesses(target, &view);
		} else if (view.kind == TRACE_D_WITNESS_BYTES) {
			struct softpmu_contents piece = {view.addr, view.length,
							 xmemdup(view.bytes, view.length)};

			vec_push(contents, piece);
		}
	}
	target->contents = contents->items;
	target->contents_count = contents->count;
	if (!target->place.kind)
		return rep_diverged(s, t, "the recording does not say where the place is");
	return NULL;
}

void rep_free_contents(struct softpmu_contents_list *list)
{
	vec_foreach (list, contents)
		free((void *)contents->bytes);
	vec_deinit(list);
}

void rep_free_target(struct softpmu_target *target)
{
	free(target->witnesses);
}

static const char *what_stopped(int status)
{
	if (!WIFSTOPPED(status))
		return "it ended";
	return WSTOPSIG(status) == (SIGTRAP | 0x80) ? "the task made a system call"
						    : "a signal stopped the task";
}

static struct error *differs(struct rep_session *s, struct rep_task *t,
			     const struct softpmu_target *target, enum softpmu_result result,
			     int status)
{
	struct regs actual = *tracee_regs(&t->tracee);

	if (result == SOFTPMU_STOPPED || t->tracee.gone)
		return rep_diverged(
			s, t,
			"the place %#llx, after %llu sites and %u steps, was not reached "
			"with the recorded registers and memory before %s; a program that "
			"reads its own code finds changes there: record it with --no-sites",
			(unsigned long long)arch.pc(&target->regs),
			(unsigned long long)target->place.hits, target->place.steps,
			what_stopped(status));
	if (memcmp(actual.word, target->regs.word, sizeof(actual.word)))
		return rep_diverged_regs(s, t, &actual);
	return rep_diverged(
		s, t,
		"the vector registers or the memory are not the recorded ones after %llu "
		"sites and %u steps",
		(unsigned long long)target->place.hits, target->place.steps);
}

/* Where the event's number is or would be. */
static size_t found_at(const struct rep_session *s)
{
	size_t low = 0, high = s->found.count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->found.items[middle].event < s->event.number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static uint64_t known_visits(const struct rep_session *s)
{
	size_t at = found_at(s);
	bool known = at < s->found.count && s->found.items[at].event == s->event.number;

	return known ? s->found.items[at].visits : 0;
}

static void note_visits(struct rep_session *s, uint64_t visits)
{
	size_t at = found_at(s);

	if (!visits || (at < s->found.count && s->found.items[at].event == s->event.number))
		return;
	vec_push(&s->found, (struct trace_found){0});
	memmove(&s->found.items[at + 1], &s->found.items[at],
		(s->found.count - 1 - at) * sizeof(*s->found.items));
	s->found.items[at] = (struct trace_found){s->event.number, visits};
	s->found_more = true;
}

/* The number of visits is what an earlier replay has kept. It is right, or the file is not of this
 * recording. */
static void forget_visits(struct rep_session *s)
{
	vec_remove(&s->found, found_at(s));
	s->found_more = true;
	rep_hide_progress(s);
	log_notice("what an earlier replay had noted about event %llu led elsewhere and was "
		   "forgotten: replay once more",
		   (unsigned long long)s->event.number);
}

static struct error *not_found(struct rep_session *s, struct rep_task *t,
			       const struct softpmu_target *target, enum softpmu_result result,
			       int status)
{
	if (known_visits(s) && target->visits)
		forget_visits(s);
	return differs(s, t, target, result, status);
}

static enum softpmu_result seek(struct rep_session *s, struct rep_task *t,
				struct softpmu_target *target, int *status)
{
	if (s->pauser)
		return s->pauser->seek(s->pauser->context, t, target, status);
	struct rep_seek waiting;

	softpmu_load(&t->tracee, &t->mm->probes, &t->counter);
	rep_seek_begin(&waiting, s, t);
	target->waiter = &waiting.waiter;
	enum softpmu_result result =
		softpmu_seek(&t->tracee, &t->mm->probes, &t->counter, target, status);

	target->waiter = NULL;
	return result;
}

struct error *rep_seek_place(struct rep_session *s, struct rep_task *t)
{
	struct softpmu_contents_list contents _cleanup_(rep_free_contents) = {0};
	struct softpmu_target target _cleanup_(rep_free_target) = {.regs = rep_event_regs(s)};
	uint64_t state_hash = 0;
	int status = 0;

	trace_reader_rewind(s->reader);
	try(rep_read_target(s, t, &target, &contents, &state_hash));
	bool fresh = !t->moved;

	target.visits = fresh ? known_visits(s) : 0;
	target.keep_code = trace_reader_meta(s->reader)->numbers.flags & TRACE_META_NO_SITES;
	enum softpmu_result result = seek(s, t, &target, &status);

	if (s->paused)
		return rep_pause(s);
	if (rep_interrupted() && !t->tracee.gone)
		return rep_stopped_short(s, t);
	if (result != SOFTPMU_FOUND)
		return not_found(s, t, &target, result, status);
	if (target.place.kind == TRACE_PLACE_STATE && fresh)
		note_visits(s, target.visits);
	if (state_hash && softpmu_state_hash(&t->tracee) != state_hash)
		return rep_diverged(s, t, "registers or memory differ from what they were");
	return NULL;
}
