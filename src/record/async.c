/* Places between events: where a task is preempted, or takes a signal, while it computes.
 *
 * A task that has computed for long enough, while others are ready or a signal waits, is
 * interrupted. Where its address space has sites (softpmu/probe.h), the counter is armed and the
 * next site that it passes is the place: an exact number. Where there are none, or none is passed
 * soon, the place is one by state, and sites are made there for the next time. Memory that has
 * changed between two looks tells states apart, so the task is looked at twice. */
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "record/session.h"
#include "util/log.h"

/* An armed task that passes no site for so long gets a place by state. */
#define HIT_PATIENCE_NS 2000000ull
/* Who becomes ready waits at least this long for one that computes. */
#define MIN_WAIT_NS 1000000ull
/* Should a tick be lost between the look at the clock and wait. */
#define TICK_AGAIN_US 5000
/* At most this many new sites at a time. */
#define SITES_NEW 4u
/* Pages kept whole for a place by state, because they change while the task computes. */
#define HOT_PAGES 64
/* A look at all memory takes seconds where that is gigabytes. After one that took longer than this,
 * the next task is interrupted so many times as long later. */
#define LOOK_NS	    5000000ull
#define LOOK_RARELY 4

/* ---- when ---- */

/* When the task is to be interrupted; 0: never. */
static uint64_t due(struct rec_session *s, struct rec_task *t)
{
	const struct rec_group *group = rec_group(t);
	uint64_t when = 0;

	if (t->stash.count)
		when = t->stash_until_ns;
	if (group->ready.count) {
		uint64_t turn = group->slice_end_ns;

		if (rec_outranked(s, t))
			turn = group->waited_since_ns;
		else if (!s->timing.chaos && turn < group->waited_since_ns + MIN_WAIT_NS)
			turn = group->waited_since_ns + MIN_WAIT_NS;
		if (!when || turn < when)
			when = turn;
	}
	if (when && t->armed && when < t->armed_since_ns + HIT_PATIENCE_NS)
		when = t->armed_since_ns + HIT_PATIENCE_NS;
	return when && when < group->look_ns ? group->look_ns : when;
}

static void set_tick(struct rec_session *s, uint64_t when)
{
	uint64_t now = rec_now(), in = when > now + 1000 ? (when - now) / 1000 : 1;
	struct itimerval timer = {{0, TICK_AGAIN_US},
				  {(time_t)(in / 1000000), (suseconds_t)(in % 1000000)}};

	if (!when)
		timer = (struct itimerval){0};
	if (s->tick_ns == when)
		return;
	setitimer(ITIMER_REAL, &timer, NULL);
	s->tick_ns = when;
}

void rec_plan_tick(struct rec_session *s)
{
	uint64_t first = 0;

	vec_foreach (&s->groups, group) {
		struct rec_task *t = (*group)->in_user;
		uint64_t when =
			t && t->state == STATE_RUNNING && !t->tracee.interrupted ? due(s, t) : 0;

		if (when && (!first || when < first))
			first = when;
	}
	set_tick(s, first);
}

void rec_tick(struct rec_session *s)
{
	uint64_t now = rec_now();

	s->tick_ns = 1; /* set anew */
	vec_foreach (&s->groups, group) {
		struct rec_task *t = (*group)->in_user;

		if (!t || t->state != STATE_RUNNING || t->tracee.interrupted)
			continue;
		uint64_t when = due(s, t);

		if (when && now >= when)
			tracee_interrupt(&t->tracee);
	}
}

/* ---- places ---- */

static void look_rarely(struct rec_task *t, uint64_t took_ns)
{
	rec_group(t)->look_ns = took_ns > LOOK_NS ? rec_now() + took_ns * LOOK_RARELY : 0;
}

/* What a replay needs to find a place by state: hashes of memory, and the contents of what changes
 * often, the stack first. */
static void add_witnesses(struct rec_session *s, struct rec_task *t)
{
	struct softpmu_witnesses now = {0};
	struct trace_witness hot[HOT_PAGES];
	taddr sp = arch.sp(tracee_regs(&t->tracee));
	uint64_t since = rec_now();

	softpmu_witness(&t->tracee, SIZE_MAX, &now);
	look_rarely(t, rec_now() - since);
	rec_memory(s, t, TRACE_D_WITNESS_BYTES, sp & ~7ull, 8192);
	size_t count = softpmu_hot(&t->sample, &now, hot, HOT_PAGES);

	for (size_t i = 0; i < count; i++)
		rec_memory(s, t, TRACE_D_WITNESS_BYTES, hot[i].addr, hot[i].length);
	softpmu_fold(&now);
	rec_datum(s, t, TRACE_D_WITNESS, 0, now.items, now.count * sizeof(*now.items));
	vec_clear(&t->sample);
	vec_deinit(&now);
}

void rec_place_data(struct rec_session *s, struct rec_task *t)
{
	t->place.vector_hash = softpmu_vector_hash(&t->tracee);
	rec_datum(s, t, TRACE_D_PLACE, 0, &t->place, sizeof(t->place));
	if (t->place.kind == TRACE_PLACE_STATE)
		add_witnesses(s, t);
	if (s->timing.hash_states) {
		uint64_t hash = softpmu_state_hash(&t->tracee);

		rec_datum(s, t, TRACE_D_STATE_HASH, 0, &hash, sizeof(hash));
	}
	t->place.kind = 0;
}

void rec_preempt(struct rec_session *s, struct rec_task *t)
{
	const struct regs *at = tracee_regs(&t->tracee);

	t->spins = !memcmp(at->word, t->stopped.word, sizeof(at->word));
	t->stopped = *at;
	rec_place_data(s, t);
	rec_commit(s, t, TRACE_EV_SCHED, TRACE_F_ASYNC, 0, 0, tracee_regs(&t->tracee));
	rec_make_sites(s, t);
}

static bool waits_for_place(const struct rec_task *t)
{
	return t->stash.count || rec_group((struct rec_task *)t)->ready.count;
}

static uint64_t total(struct rec_task *t)
{
	return softpmu_read(&t->tracee, &t->mm->probes, &t->counter);
}

static void disarm(struct rec_task *t)
{
	if (t->armed)
		softpmu_arm(&t->tracee, &t->mm->probes, &t->counter, 0);
	t->armed = false;
}

static void arm(struct rec_task *t)
{
	softpmu_arm(&t->tracee, &t->mm->probes, &t->counter, total(t) + 1);
	t->armed = true;
	t->armed_since_ns = rec_now();
}

/* Stepping has led to a stop of another kind, or the task is gone. */
static void go_on_with(struct rec_session *s, struct rec_task *t, enum softpmu_result result)
{
	if (result == SOFTPMU_EVENT)
		rec_run_user(t, 0);
	else
		rec_take_status(s, t, t->status);
}

void rec_run_to_place(struct rec_session *s, struct rec_task *t)
{
	if (!t->armed && t->mm->probes.sites.count)
		arm(t);
	rec_run_user(t, 0);
}

static enum softpmu_result learn(struct rec_session *s, struct rec_task *t)
{
	struct softpmu_probe wanted[SITES_NEW];
	enum softpmu_result result;
	size_t count = softpmu_learn(&t->tracee, &t->mm->probes, !t->learnt, wanted, SITES_NEW,
				     &result, &t->status);

	t->learnt = true;
	rec_want_sites(s, t, wanted, count);
	return result;
}

static enum softpmu_result learn_and_settle(struct rec_session *s, struct rec_task *t)
{
	int how = t->outer_rules ? PTRACE_SYSCALL : PTRACE_CONT;
	enum softpmu_result result = s->timing.no_sites
					     ? softpmu_go_where_rare(&t->tracee, how, &t->status)
					     : learn(s, t);

	if (result != SOFTPMU_FOUND)
		return result;
	return softpmu_settle(&t->tracee, &t->mm->probes, &t->status);
}

static void place_by_state(struct rec_session *s, struct rec_task *t)
{
	if (!t->sample.count && !s->timing.no_sites) { /* once more, a little later */
		softpmu_witness(&t->tracee, SIZE_MAX, &t->sample);
		arm(t);
		rec_run_user(t, 0);
		return;
	}
	enum softpmu_result result = learn_and_settle(s, t);

	if (result != SOFTPMU_FOUND) {
		go_on_with(s, t, result);
		return;
	}
	t->place = (struct trace_place){.kind = TRACE_PLACE_STATE, .hits = total(t)};
	if (t->stash.count) { /* the stop is that of a single step: a signal can be given with it */
		rec_take_stash_here(s, t);
		return;
	}
	rec_preempt(s, t);
	rec_queue(s, t, TODO_RESUME);
}

void rec_place_before_call(struct rec_session *s, struct rec_task *t)
{
	t->placed = *tracee_regs(&t->tracee);
	if (!rec_alone(t))
		rec_commit(s, t, TRACE_EV_SCHED, TRACE_F_BEFORE_CALL, 0, 0, &t->placed);
}

bool rec_place_group_stop(struct rec_session *s, struct rec_task *t)
{
	const struct regs *regs = tracee_regs(&t->tracee);

	if (rec_alone(t) || arch.in_call(regs) ||
	    !memcmp(regs->word, t->placed.word, sizeof(regs->word)))
		return false;
	disarm(t);
	rec_note_moved_back(s, t);
	if (t->signal_place & TRACE_F_BEFORE_CALL) {
		rec_place_before_call(s, t);
		return false;
	}
	enum softpmu_result result = learn_and_settle(s, t);

	if (result == SOFTPMU_FOUND || result == SOFTPMU_EVENT) {
		t->place = (struct trace_place){.kind = TRACE_PLACE_STATE, .hits = total(t)};
		rec_preempt(s, t);
		t->placed = *tracee_regs(&t->tracee);
		result = SOFTPMU_EVENT;
	}
	/* Interrupted again, it stops for the group before it executes anything (do_jobctl_trap()
	 * in kernel/signal.c). */
	tracee_interrupt(&t->tracee);
	go_on_with(s, t, result);
	return true;
}

void rec_on_interrupt(struct rec_session *s, struct rec_task *t)
{
	bool armed = t->armed;

	t->resumed_valid = false;
	if (arch.in_call(tracee_regs(&t->tracee))) {
		rec_send_stash(s, t);
		rec_continue(s, t);
		return;
	}
	if (armed && total(t) == t->counter.trap_at) { /* its trap is on the way */
		rec_run_user(t, 0);
		return;
	}
	disarm(t);
	if (!waits_for_place(t)) {
		rec_run_user(t, 0);
	} else if (!armed && t->mm->probes.sites.count) {
		arm(t);
		rec_run_user(t, 0);
	} else {
		place_by_state(s, t);
	}
}

/* Some instructions further, and out of the stub that this may lead into: *steps says how many it
 * were. */
static enum softpmu_result step_on(struct rec_task *t, unsigned wanted, unsigned *steps)
{
	enum softpmu_result result = SOFTPMU_FOUND;

	*steps = 0;
	while (*steps < wanted || softpmu_in_stub(&t->tracee, &t->mm->probes)) {
		result = softpmu_steps(&t->tracee, &t->mm->probes, 1, &t->status);
		if (result != SOFTPMU_FOUND)
			return result;
		++*steps;
	}
	softpmu_clear_shadow(&t->tracee, &t->mm->probes);
	return SOFTPMU_FOUND;
}

void rec_preempt_after(struct rec_session *s, struct rec_task *t, unsigned wanted)
{
	struct trace_place place = {.kind = TRACE_PLACE_EXACT};

	softpmu_load(&t->tracee, &t->mm->probes, &t->counter);
	disarm(t);
	place.hits = total(t);
	enum softpmu_result result = step_on(t, wanted, &place.steps);

	if (result != SOFTPMU_FOUND) {
		go_on_with(s, t, result);
		return;
	}
	t->place = place;
	if (t->stash.count && rec_now() >= t->stash_until_ns) {
		/* Else one that is always preempted would never get it. */
		rec_take_stash_here(s, t);
		return;
	}
	rec_preempt(s, t);
	rec_queue(s, t, TODO_RESUME);
}

void rec_on_hit(struct rec_session *s, struct rec_task *t)
{
	struct trace_place place = {.kind = TRACE_PLACE_EXACT, .hits = total(t)};
	enum softpmu_result result;

	disarm(t);
	vec_clear(&t->sample);
	t->learnt = false;
	if (!waits_for_place(t)) { /* the reason is gone: on behind the trap */
		rec_run_user(t, 0);
		return;
	}
	softpmu_stand_at_site(&t->tracee, &t->mm->probes);
	result = step_on(t, rec_chance_steps(s), &place.steps);
	if (result != SOFTPMU_FOUND) {
		if (!t->tracee.gone)
			softpmu_uncount(&t->tracee, &t->mm->probes, &t->counter);
		go_on_with(s, t, result);
		return;
	}
	t->place = place;
	if (t->stash.count) {
		rec_take_stash_here(s, t);
		return;
	}
	rec_preempt(s, t);
	rec_queue(s, t, TODO_RESUME);
}
