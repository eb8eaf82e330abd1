/* On the way to a place between events: by counting sites, by single steps, and by state, with the
 * user's breakpoints looked at. */
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "timeline/state.h"

static void load(struct rep_task *t)
{
	softpmu_load(&t->tracee, &t->mm->probes, &t->counter);
}

static uint64_t total(struct rep_task *t)
{
	return softpmu_read(&t->tracee, &t->mm->probes, &t->counter);
}

static void stopped_at(struct timeline *tl, struct rep_task *t, taddr addr)
{
	tl->s.paused = true;
	tl->stop =
		(struct timeline_stop){.cause = TIMELINE_BREAKPOINT, .tid = t->tid, .addr = addr};
}

/* The counter has become 0: the step was over the stub's trap. */
bool tl_is_hit(struct rep_task *t)
{
	taddr pc = arch.pc(tracee_regs(&t->tracee));

	vec_foreach (&t->mm->probes.sites, probe)
		if (pc == probe->trapped && total(t) == t->counter.trap_at)
			return true;
	return false;
}

/* A signal from outside, or an interrupt of no meaning, comes before the step. */
static enum softpmu_result step_here(struct rep_task *t, int *status)
{
	enum softpmu_result result;

	do
		result = softpmu_steps(&t->tracee, &t->mm->probes, 1, status);
	while (result == SOFTPMU_STOPPED && !t->tracee.gone && rep_is_foreign(t, *status));
	return result;
}

/* The trap of a site's stub, which is no instruction to be stepped over. */
static bool pass_trap(struct rep_task *t)
{
	taddr pc = arch.pc(tracee_regs(&t->tracee));

	vec_foreach (&t->mm->probes.sites, probe) {
		if (pc != probe->trapped - arch.break_size)
			continue;
		arch.set_pc(tracee_regs_mut(&t->tracee), probe->trapped);
		return true;
	}
	return false;
}

/* What a site's stub does is one with the instruction that it stands for: the thread leaves it. */
enum softpmu_result tl_step_once(struct timeline *tl, struct rep_task *t, int *status)
{
	const struct softpmu_probes *probes = &t->mm->probes;
	enum softpmu_result result;

	load(t);
	do {
		result = pass_trap(t) ? SOFTPMU_FOUND : step_here(t, status);
		if (result == SOFTPMU_EVENT)
			return result;
		t->moved = true;
		if (result != SOFTPMU_FOUND)
			return result;
		t->steps += t->at_hits;
	} while (softpmu_in_stub(&t->tracee, probes) && !tl_is_hit(t));
	softpmu_clear_shadow(&t->tracee, probes);
	return result;
}

/* ---- sites ---- */

/* Runs until the counter traps. False: another stop, *status. */
static bool run_to_hit(struct timeline *tl, struct rep_task *t, int *status)
{
	const struct rep_pauser *pauser = tl->s.pauser;

	for (;;) {
		pauser->before_run(tl, t);
		tracee_resume(&t->tracee, PTRACE_SYSEMU, 0);
		*status = tracee_trap_first(&t->tracee, tracee_wait(&t->tracee, 0));
		t->moved = true;
		if (t->tracee.gone)
			return false;
		pauser->after_run(tl, t);
		tl->s.paused = pauser->is_wanted(tl, t, *status);
		if (tl->s.paused)
			return false;
		if (rep_is_foreign(t, *status))
			continue;
		switch (softpmu_sort_stop(&t->tracee, &t->mm->probes, WSTOPSIG(*status))) {
		case SOFTPMU_STOP_HIT:
			return true;
		case SOFTPMU_STOP_WINDOW:
			break;
		case SOFTPMU_STOP_OTHER:
			return false;
		}
	}
}

/* To the place's last site. An exact place is there, before the site's instruction, which will be
 * counted once more; the way to a state goes on behind it. */
static enum softpmu_result pass_sites(struct timeline *tl, struct rep_task *t,
				      const struct trace_place *place, int *status)
{
	uint64_t hits = place->hits;

	if (!t->at_hits && hits != total(t)) {
		if (hits < t->counter.total)
			return SOFTPMU_OTHER;
		softpmu_arm(&t->tracee, &t->mm->probes, &t->counter, hits);
		bool hit = run_to_hit(tl, t, status);

		if (t->tracee.gone)
			return SOFTPMU_STOPPED;
		softpmu_arm(&t->tracee, &t->mm->probes, &t->counter, 0);
		if (!hit)
			return SOFTPMU_STOPPED;
		if (place->kind == TRACE_PLACE_EXACT)
			softpmu_stand_at_site(&t->tracee, &t->mm->probes);
		t->steps = 0;
	}
	return SOFTPMU_FOUND;
}

/* ---- steps ---- */

static enum softpmu_result pass_steps(struct timeline *tl, struct rep_task *t, unsigned steps,
				      int *status)
{
	while (t->steps < steps) {
		taddr pc = breaks_pc(t);
		enum softpmu_result result;

		if (!tl->deaf && !tl->reported && (t->steps || !t->moved) && breaks_has(tl, pc)) {
			stopped_at(tl, t, pc);
			return SOFTPMU_STOPPED;
		}
		tl->reported = false;
		result = tl_step_once(tl, t, status);
		if (result != SOFTPMU_FOUND)
			return result;
	}
	softpmu_clear_shadow(&t->tracee, &t->mm->probes);
	return SOFTPMU_FOUND;
}

static enum softpmu_result verify(struct rep_task *t, const struct softpmu_target *target)
{
	struct regs regs = *tracee_regs(&t->tracee);

	arch.clear_resume(&regs);
	if (memcmp(regs.word, target->regs.word, sizeof(regs.word)) ||
	    softpmu_vector_hash(&t->tracee) != target->place.vector_hash)
		return SOFTPMU_OTHER;
	tracee_set_regs(&t->tracee, &regs);
	return SOFTPMU_FOUND;
}

/* ---- state ---- */

bool tl_has_state(struct rep_task *t, const struct softpmu_target *target)
{
	struct regs regs = *tracee_regs(&t->tracee);

	arch.clear_resume(&regs);
	return !memcmp(regs.word, target->regs.word, sizeof(regs.word)) &&
	       softpmu_agrees(&t->tracee, target->witnesses, target->count);
}

/* Breakpoints are where a stub would be: each visit is a stop; where it stands, unless that was
 * reported. */
static enum softpmu_result state_by_breakpoints(struct timeline *tl, struct rep_task *t,
						const struct softpmu_target *target, int *status)
{
	taddr place = arch.pc(&target->regs);
	bool first = tl->reported;

	for (;; first = false) {
		taddr pc = arch.pc(tracee_regs(&t->tracee));

		if (pc == place && tl_has_state(t, target))
			return SOFTPMU_FOUND;
		if (!first && breaks_has(tl, breaks_pc(t))) {
			stopped_at(tl, t, breaks_pc(t));
			return SOFTPMU_STOPPED;
		}
		enum softpmu_result result = tl_step_once(tl, t, status);

		if (result != SOFTPMU_FOUND)
			return result;
		pc = arch.pc(tracee_regs(&t->tracee));
		if (pc == place || breaks_has(tl, breaks_pc(t)))
			continue;
		tracee_break_at(&t->tracee, softpmu_real_place(&t->mm->probes, place));
		bool hit = run_to_hit(tl, t, status);

		tracee_break_at(&t->tracee, 0);
		if (tl->s.paused && tl->stop.cause == TIMELINE_BREAKPOINT) {
			tl->s.paused = false; /* perhaps it is the place */
			continue;
		}
		pc = arch.pc(tracee_regs(&t->tracee));
		if (hit || tl->s.paused || t->tracee.gone || pc != place)
			return SOFTPMU_STOPPED;
	}
}

static enum softpmu_result pass_states(struct timeline *tl, struct rep_task *t,
				       struct softpmu_target *target, int *status)
{
	const struct rep_pauser *pauser = tl->s.pauser;

	if (breaks_near(tl, arch.pc(&target->regs)))
		return state_by_breakpoints(tl, t, target, status);
	for (bool whole = true;; whole = false) {
		pauser->before_run(tl, t);
		target->place.hits = total(t);
		enum softpmu_result result =
			softpmu_seek(&t->tracee, &t->mm->probes, &t->counter, target, status);

		if (t->tracee.gone)
			return SOFTPMU_STOPPED;
		pauser->after_run(tl, t);
		t->moved = true;
		tl->s.paused = result == SOFTPMU_STOPPED && pauser->is_wanted(tl, t, *status);
		if (result != SOFTPMU_STOPPED)
			breaks_remove(tl, t);
		if (result == SOFTPMU_FOUND && !whole)
			target->visits = 0; /* of the last part only */
		if (result != SOFTPMU_STOPPED || tl->s.paused || !rep_is_foreign(t, *status))
			return result;
		target->visits = 0; /* an interrupt of no meaning */
	}
}

enum softpmu_result tl_seek(void *context, struct rep_task *t, struct softpmu_target *target,
			    int *status)
{
	struct timeline *tl = context;
	enum softpmu_result result;

	tl->s.paused = false;
	load(t);
	result = pass_sites(tl, t, &target->place, status);
	if (result != SOFTPMU_FOUND)
		return result;
	if (target->place.kind == TRACE_PLACE_STATE)
		return pass_states(tl, t, target, status);
	t->at_hits = true;
	t->hits = target->place.hits;
	result = pass_steps(tl, t, target->place.steps, status);
	return result == SOFTPMU_FOUND ? verify(t, target) : result;
}

struct error *tl_go_to_visit(struct timeline *tl, taddr pc, uint64_t number)
{
	struct rep_task *t = tl_next_task(tl);
	struct softpmu_target target = {.regs = *tracee_regs(&t->tracee), .visits = number};
	int status;

	arch.set_pc(&target.regs, pc);
	target.place.kind = TRACE_PLACE_STATE;
	target.place.hits = softpmu_read(&t->tracee, &t->mm->probes, &t->counter);
	target.keep_code = trace_reader_meta(tl->s.reader)->numbers.flags & TRACE_META_NO_SITES;
	if (tl_seek(tl, t, &target, &status) == SOFTPMU_STOPPED || t->tracee.gone)
		return rep_diverged(&tl->s, t, "an earlier visit was not found again");
	return NULL;
}
