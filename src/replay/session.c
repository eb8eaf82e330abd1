/* The replay's loop: one event after the other, in the order of the recording. */
#include "replay/session.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <xxhash.h>

#include "softpmu/softpmu.h"
#include "util/cleanup.h"
#include "util/log.h"

struct rep_task *rep_find(struct rep_session *s, uint32_t tid)
{
	struct rep_task *t;

	HASH_FIND_INT(s->tasks, &tid, t);
	return t;
}

static void leave_mm(struct rep_task *t)
{
	softpmu_unload(&t->mm->probes, &t->counter);
	if (--t->mm->users)
		return;
	softpmu_probes_deinit(&t->mm->probes);
	free(t->mm);
}

void rep_enter_mm(struct rep_task *t, struct rep_mm *mm)
{
	if (t->mm)
		leave_mm(t);
	t->mm = mm ? mm : xcalloc(1, sizeof(*t->mm));
	t->mm->users++;
	t->counter = (struct softpmu_counter){0};
}

struct rep_task *rep_task_add(struct rep_session *s, uint32_t tid, uint32_t tgid,
			      const struct tracee *tracee, struct rep_mm *mm)
{
	struct rep_task *t = xcalloc(1, sizeof(*t));

	rep_enter_mm(t, mm);
	t->last_ns = s->event.time_ns;
	t->tid = tid;
	t->tgid = tgid;
	t->tracee = *tracee;
	HASH_ADD_INT(s->tasks, tid, t);
	return t;
}

void rep_task_drop(struct rep_session *s, struct rep_task *t)
{
	HASH_DEL(s->tasks, t);
	leave_mm(t);
	tracee_deinit(&t->tracee);
	free(t);
}

struct regs rep_event_regs(const struct rep_session *s)
{
	struct regs regs;

	memcpy(regs.word, s->event.regs, sizeof(regs.word));
	return regs;
}

/* ---- events ---- */

/* Reads into s->input. */
static void read_input(struct rep_session *s, struct rep_task *t, taddr addr, uint64_t length)
{
	vec_clear(&s->input);
	vec_reserve(&s->input, length);
	s->input.count = tracee_read(&t->tracee, addr, s->input.items, length);
}

static struct error *compare_bytes(struct rep_session *s, struct rep_task *t,
				   const struct trace_datum_view *view)
{
	struct bytes *now = &s->input;

	read_input(s, t, view->addr, view->length);
	if (now->count == view->length && !memcmp(now->items, view->bytes, view->length))
		return NULL;
	return rep_diverged_memory(s, t, view, now);
}

/* What is too much to be kept. A hash over more than is there now is another. */
static struct error *compare_hash(struct rep_session *s, struct rep_task *t,
				  const struct trace_datum_view *view)
{
	struct trace_extent extent;
	struct bytes *now = &s->input;

	memcpy(&extent, view->bytes, sizeof(extent));
	if (extent.length > TRACE_DATUM_MAX)
		return error_new("event %llu reads %llu bytes: the recording is damaged",
				 (unsigned long long)s->event.number,
				 (unsigned long long)extent.length);
	read_input(s, t, view->addr, extent.length);
	if (now->count == extent.length && XXH64(now->items, now->count, 0) == extent.hash)
		return NULL;
	return rep_diverged(s, t,
			    "some of the %llu bytes of memory at %#llx that it reads differ from "
			    "what they were",
			    (unsigned long long)extent.length, (unsigned long long)view->addr);
}

/* The memory that the call reads must be what it was. */
static struct error *compare_inputs(struct rep_session *s, struct rep_task *t)
{
	struct trace_datum_view view;
	bool end = false;

	trace_reader_rewind(s->reader);
	for (;;) {
		try(trace_reader_datum(s->reader, &view, &end));
		if (end)
			return NULL;
		if (view.kind == TRACE_D_INPUT && view.length)
			try(compare_bytes(s, t, &view));
		else if (view.kind == TRACE_D_INPUT_HASH)
			try(compare_hash(s, t, &view));
	}
}

/* The task is at its event. */
static bool wants_pause(struct rep_session *s, struct rep_task *t)
{
	return s->pauser && s->pauser->is_event_wanted(s->pauser->context, t);
}

static struct error *on_call(struct rep_session *s, struct rep_task *t)
{
	try(rep_run_to_call(s, t));
	try(rep_compare(s, t, tracee_regs(&t->tracee)));
	if (wants_pause(s, t)) {
		struct regs *regs = tracee_regs_mut(&t->tracee);

		arch.call_rewind(regs, arch.call_nr(regs));
		return rep_pause(s);
	}
	return compare_inputs(s, t);
}

/* Nothing has run since the event before: the task's registers are those of the event but for the
 * mark of being in a call. */
static struct error *compare_unmoved(struct rep_session *s, struct rep_task *t)
{
	struct regs expected = rep_event_regs(s), actual = *tracee_regs(&t->tracee);

	arch.call_skip(&expected);
	arch.call_skip(&actual);
	if (!memcmp(expected.word, actual.word, sizeof(actual.word)))
		return NULL;
	return rep_diverged_regs(s, t, &actual);
}

/* The task stays at the call's entry; memory can change by then. */
static struct error *on_call_entry(struct rep_session *s, struct rep_task *t)
{
	struct regs regs = rep_event_regs(s);

	try(on_call(s, t));
	t->in_call = true;
	return rep_apply(s, t, &regs);
}

static struct error *on_whole_call(struct rep_session *s, struct rep_task *t)
{
	try(on_call(s, t));
	return rep_call_end(s, t);
}

static struct error *on_call_exit(struct rep_session *s, struct rep_task *t)
{
	try(compare_unmoved(s, t));
	t->in_call = false;
	return rep_call_end(s, t);
}

static struct error *on_insn(struct rep_session *s, struct rep_task *t)
{
	struct regs regs = rep_event_regs(s);

	try(rep_run_to_fault(s, t, SIGSEGV));
	try(rep_compare(s, t, tracee_regs(&t->tracee)));
	if (wants_pause(s, t))
		return rep_pause(s);
	return rep_apply(s, t, &regs);
}

/* To just before a call that is made afterwards. */
static struct error *go_before_call(struct rep_session *s, struct rep_task *t)
{
	try(rep_run_to_call(s, t));
	struct regs regs = *tracee_regs(&t->tracee);

	arch.call_rewind(&regs, arch.call_nr(&regs));
	tracee_set_regs(&t->tracee, &regs);
	return rep_compare(s, t, &regs);
}

static struct error *on_sched(struct rep_session *s, struct rep_task *t)
{
	if (s->event.flags & TRACE_F_BEFORE_CALL)
		try(go_before_call(s, t));
	else
		try(rep_seek_place(s, t));
	return wants_pause(s, t) ? rep_pause(s) : NULL;
}

static struct error *go_to_signal(struct rep_session *s, struct rep_task *t)
{
	if (s->event.flags & TRACE_F_SYNC_FAULT) {
		try(rep_run_to_fault(s, t, (int)s->event.arg));
		return rep_compare(s, t, tracee_regs(&t->tracee));
	}
	if (s->event.flags & TRACE_F_ASYNC)
		return rep_seek_place(s, t);
	if (s->event.flags & TRACE_F_BEFORE_CALL)
		return go_before_call(s, t);
	return s->event.flags & TRACE_F_AFTER_CALL ? compare_unmoved(s, t) : NULL;
}

static struct error *on_signal(struct rep_session *s, struct rep_task *t)
{
	struct regs regs = rep_event_regs(s);

	try(go_to_signal(s, t));
	if (wants_pause(s, t))
		return rep_pause(s);
	return rep_apply(s, t, &regs);
}

static struct error *on_signal_fatal(struct rep_session *s, struct rep_task *t)
{
	try(go_to_signal(s, t));
	return wants_pause(s, t) ? rep_pause(s) : NULL;
}

/* The task is at the end of the call, which is made again under a number that its result
 * decides. */
static struct error *on_restart(struct rep_session *s, struct rep_task *t)
{
	struct regs regs = rep_event_regs(s), actual = *tracee_regs(&t->tracee);

	arch.call_rewind(&actual, (int)arch.call_result(&regs));
	try(rep_compare(s, t, &actual));
	tracee_set_regs(&t->tracee, &regs);
	return NULL;
}

static struct error *on_exec(struct rep_session *s, struct rep_task *t)
{
	return rep_exec(s, t);
}

static struct error *on_task_exit(struct rep_session *s, struct rep_task *t)
{
	return rep_task_exit(s, t);
}

static struct error *on_file_write(struct rep_session *s, struct rep_task *t)
{
	return rep_file_write(s);
}

static struct error *(*const on_event[TRACE_EV_KINDS])(struct rep_session *, struct rep_task *) = {
	[TRACE_EV_SYSCALL] = on_whole_call,
	[TRACE_EV_SYSCALL_ENTER] = on_call_entry,
	[TRACE_EV_SYSCALL_EXIT] = on_call_exit,
	[TRACE_EV_RESTART] = on_restart,
	[TRACE_EV_INSN] = on_insn,
	[TRACE_EV_SIGNAL] = on_signal,
	[TRACE_EV_SIGNAL_FATAL] = on_signal_fatal,
	[TRACE_EV_TASK_NEW] = rep_task_new,
	[TRACE_EV_EXEC] = on_exec,
	[TRACE_EV_TASK_EXIT] = on_task_exit,
	[TRACE_EV_FILE_WRITE] = on_file_write,
	[TRACE_EV_SCHED] = on_sched,
	[TRACE_EV_PROBES] = rep_change_sites,
};

/* Whether the event can be one of a task inside a call, or of one that is not. */
enum place {
	ANYWHERE,
	OUTSIDE,
	INSIDE
};

static const enum place places[TRACE_EV_KINDS] = {
	[TRACE_EV_SYSCALL] = OUTSIDE,	  [TRACE_EV_SYSCALL_ENTER] = OUTSIDE,
	[TRACE_EV_SYSCALL_EXIT] = INSIDE, [TRACE_EV_RESTART] = OUTSIDE,
	[TRACE_EV_INSN] = OUTSIDE,	  [TRACE_EV_SIGNAL] = OUTSIDE,
	[TRACE_EV_SCHED] = OUTSIDE,
};

/* Recordings come from strangers: an event out of place would act on a task that is elsewhere. */
static struct error *check_place(struct rep_session *s, const struct rep_task *t)
{
	enum place place = places[s->event.kind];

	if (place == INSIDE && !t->in_call)
		return rep_damaged(s, "ends a system call of task %u that has not begun", t->tid);
	if (place == OUTSIDE && t->in_call)
		return rep_damaged(s, "comes while task %u is inside a system call", t->tid);
	return NULL;
}

/* The task's way to its event is over. */
static void note_event(struct rep_session *s)
{
	struct rep_task *t = rep_find(s, s->event.tid);

	s->pending = false;
	s->done = s->event;
	if (s->event.number > s->echoed)
		s->echoed = s->event.number;
	if (!t)
		return;
	t->last_ns = s->event.time_ns;
	t->moved = t->at_hits = false;
	t->steps = 0;
}

static struct error *replay_event(struct rep_session *s)
{
	struct trace_event *event = &s->event;

	log_stop("event %llu: kind %u, task %u, arg %u, result %lld, flags %#x",
		 (unsigned long long)event->number, event->kind, event->tid, event->arg,
		 (long long)event->result, event->flags);
	if (event->kind == TRACE_EV_START)
		return rep_first_image(s);
	if (event->kind == TRACE_EV_END) {
		s->ended = true;
		s->status = (int)event->result;
		return NULL;
	}
	/* An exec by another thread is recorded under the leader's id. */
	uint32_t tid = event->kind == TRACE_EV_EXEC ? event->arg : event->tid;
	struct rep_task *t = rep_find(s, tid);

	if (!t)
		return rep_damaged(s, "is of task %u, which was not made", tid);
	if (event->kind >= TRACE_EV_KINDS || !on_event[event->kind])
		return error_new("event %llu is of kind %u, which this version does not replay",
				 (unsigned long long)event->number, event->kind);
	try(check_place(s, t));
	return on_event[event->kind](s, t);
}

struct error *rep_pause(struct rep_session *s)
{
	s->paused = true;
	return error_new("paused at event %llu", (unsigned long long)s->event.number);
}

struct error *rep_peek(struct rep_session *s, bool *end)
{
	struct trace_event event;

	*end = false;
	if (s->pending)
		return NULL;
	try(trace_reader_next(s->reader, &event, end));
	if (!*end)
		s->event = event;
	s->pending = !*end;
	return NULL;
}

/* Only while nobody wants to stop in between. */
static struct error *replay_buffered(struct rep_session *s, bool *done)
{
	struct rep_task *t = rep_find(s, s->event.tid);
	struct trace_event next;
	bool end;

	*done = false;
	if (s->pauser || !(s->event.flags & TRACE_F_BUFFERED) || !t || t->in_call)
		return NULL;
	try(rep_feed(s, t, &next, &end, done));
	if (!*done)
		return NULL;
	note_event(s);
	s->pending = !end;
	if (!end)
		s->event = next;
	return NULL;
}

struct error *rep_replay_event(struct rep_session *s)
{
	bool done;

	s->paused = false;
	try(replay_buffered(s, &done));
	if (done)
		return NULL;
	trace_reader_rewind(s->reader);
	try(replay_event(s));
	note_event(s);
	return NULL;
}

/* ---- the whole ---- */

static void show_progress(struct rep_session *s, uint64_t done, uint64_t all)
{
	static const char bar[] = "##################################################";
	int width = all ? (int)(done * 50 / all) : 0;

	dprintf(2, "\rreplay [%-50.*s] %3d%%", width, bar, width * 2);
	s->bar_shown = true;
}

void rep_hide_progress(struct rep_session *s)
{
	if (s->bar_shown)
		dprintf(2, "\r\033[K");
	s->bar_shown = false;
}

static struct error *run_events(struct rep_session *s)
{
	struct trace_counts counts;
	uint64_t shown = 0;
	bool end = false;

	trace_reader_counts(s->reader, &counts);
	uint64_t step = counts.last / 50 + 1;

	while (!s->ended) {
		try(rep_peek(s, &end));
		if (end)
			return NULL;
		try(rep_replay_event(s));
		if (rep_interrupted())
			return rep_stopped_short(s, rep_find(s, s->event.tid));
		if (s->options->progress && s->event.number / step != shown) {
			shown = s->event.number / step;
			show_progress(s, s->event.number, counts.last);
		}
	}
	return NULL;
}

static struct error *make_stub(struct rep_session *s)
{
	/* Not close-on-exec: the replayed processes execute it again and again. */
	s->stub = memfd_create("warp-stub", 0);
	if (s->stub < 0 || write(s->stub, arch.stub, arch.stub_size) != (ssize_t)arch.stub_size)
		return error_os(errno,
				"cannot make the executable that replayed processes begin as");
	return NULL;
}

/* The core of the recording if there is one: where cpuid cannot be made to trap, its results
 * depend on the core. */
static void pin(struct rep_session *s)
{
	uint32_t core = trace_reader_meta(s->reader)->numbers.cpu;
	cpu_set_t one;

	if (sched_getaffinity(0, sizeof(s->cpus), &s->cpus))
		return;
	CPU_ZERO(&one);
	if (core < CPU_SETSIZE && CPU_ISSET(core, &s->cpus))
		CPU_SET(core, &one);
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0 && !CPU_COUNT(&one); cpu--)
		if (CPU_ISSET(cpu, &s->cpus))
			CPU_SET(cpu, &one);
	s->pinned = sched_setaffinity(0, sizeof(one), &one) == 0;
}

void rep_leave_core(const struct rep_session *s)
{
	if (s->pinned)
		sched_setaffinity(0, sizeof(s->cpus), &s->cpus);
}

/* One descriptor a mapped file. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

struct error *rep_open(struct rep_session *s, const struct replay_options *options)
{
	*s = (struct rep_session){.options = options, .stub = -1};
	raise_file_limit();
	try(trace_reader_open(options->directory, &s->reader));
	trace_found_read(options->directory, &s->found);
	s->shares_cpuid_trap =
		trace_reader_meta(s->reader)->numbers.flags & TRACE_META_CPUID_TRAPPED;
	if (s->shares_cpuid_trap)
		arch.share_cpuid_trap(true);
	pin(s);
	return make_stub(s);
}

void rep_close(struct rep_session *s)
{
	if (s->found_more)
		trace_found_write(s->options->directory, &s->found);
	vec_deinit(&s->found);
	vec_deinit(&s->input);
	if (s->shares_cpuid_trap)
		arch.share_cpuid_trap(false);
	rep_hide_progress(s);
	rep_kill_all(s);
	rep_files_deinit(s);
	if (s->stub >= 0)
		close(s->stub);
	trace_reader_destroy(s->reader);
	rep_leave_core(s);
}

static void note_result(struct rep_session *s, bool failed, struct replay_result *result)
{
	result->ended = s->ended;
	result->status = s->status;
	result->last = s->event.number;
	result->interrupted = rep_interrupted();
	if (failed || s->ended)
		return;
	const char *damage = trace_reader_damage(s->reader);
	int stopped = trace_reader_stopped(s->reader);

	result->damaged = damage;
	result->shortfall =
		damage ? xstrdup(damage)
		       : xasprintf("the recording was cut short after event %llu%s%s",
				   (unsigned long long)s->event.number,
				   stopped ? ": recording stopped, for the reason " : "",
				   stopped ? strerror(stopped) : "");
}

struct error *replay_recording(const struct replay_options *options, struct replay_result *result)
{
	struct rep_interrupts own;
	struct rep_session s;

	*result = (struct replay_result){0};
	struct error *error = rep_open(&s, options);

	if (error) {
		rep_close(&s);
		return error;
	}
	rep_interrupts_take(&own);
	error = run_events(&s);
	note_result(&s, error, result);
	rep_close(&s);
	rep_interrupts_return(&own);
	return error;
}
