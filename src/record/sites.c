/* Sites in the code of recorded programs: when they are made, kept, and given up.
 *
 * Invariant: sites are made and removed only at events, while all tasks of the address space stand
 * at places that a replay reaches: then their counters agree. */
#include "record/session.h"
#include "softpmu/known.h"
#include "util/log.h"

/* Sites of an address space. The oldest make room for new ones. */
#define SITES_MAX 48u
/* Of these, at most so many come from earlier recordings. */
#define KNOWN_MAX 24u
/* A site whose middle the program has jumped to so often costs more than it is worth. */
#define JUMPS_MAX 50u

static void site_datum(struct rec_session *s, struct rec_task *t, const struct softpmu_probe *probe,
		       bool gone)
{
	struct trace_probe record = {.pc = probe->pc,
				     .at = probe->at,
				     .length = gone ? 0 : probe->length,
				     .shadow = probe->call ? TRACE_PROBE_CALL : probe->shadow};

	rec_datum(s, t, TRACE_D_PROBE, 0, &record, sizeof(record));
}

static void remove_site(struct rec_session *s, struct rec_task *t, size_t index)
{
	t->mm->agent.sites -= t->mm->probes.sites.items[index].call;
	site_datum(s, t, &t->mm->probes.sites.items[index], true);
	softpmu_probe_remove(&t->tracee, &t->mm->probes, index);
}

void rec_note_jump(struct rec_task *t)
{
	taddr pc = arch.pc(tracee_regs(&t->tracee));

	vec_foreach (&t->mm->probes.sites, probe)
		if (pc >= probe->at && pc < probe->at + probe->size && ++probe->jumps > JUMPS_MAX)
			t->mm->costly_sites = true;
}

/* Returns whether there was one. */
static bool remove_costly(struct rec_session *s, struct rec_task *t)
{
	struct softpmu_probes *probes = &t->mm->probes;
	bool any = false;

	for (size_t i = probes->sites.count; i-- > 0;) {
		if (probes->sites.items[i].jumps <= JUMPS_MAX)
			continue;
		remove_site(s, t, i);
		any = true;
	}
	return any;
}

/* Of those that count. */
static size_t oldest(const struct softpmu_probes *probes)
{
	size_t at = 0;

	while (at + 1 < probes->sites.count && probes->sites.items[at].call)
		at++;
	return at;
}

static bool make_site(struct rec_session *s, struct rec_task *t, taddr pc)
{
	struct softpmu_probes *probes = &t->mm->probes;
	struct softpmu_probe plan;

	if (!softpmu_probe_plan(&t->tracee, probes, pc, &plan) ||
	    !softpmu_probe_add(&t->tracee, probes, &plan))
		return false;
	log_info("task %d: a site at %#llx, flags %s", t->tracee.tid, (unsigned long long)pc,
		 plan.shadow ? "dead" : "kept");
	site_datum(s, t, &plan, false);
	if (probes->sites.count - t->mm->agent.sites > SITES_MAX)
		remove_site(s, t, oldest(probes));
	return true;
}

static bool make_call_site(struct rec_session *s, struct rec_task *t, struct rec_call_site call)
{
	struct softpmu_probes *probes = &t->mm->probes;
	struct softpmu_probe plan;

	if (!softpmu_call_plan(&t->tracee, probes, call.pc, call.nr, &plan) ||
	    !softpmu_probe_add(&t->tracee, probes, &plan))
		return false;
	log_info("task %d: the agent makes the calls at %#llx", t->tracee.tid,
		 (unsigned long long)call.pc);
	site_datum(s, t, &plan, false);
	t->mm->agent.sites++;
	return true;
}

void rec_make_sites(struct rec_session *s, struct rec_task *t)
{
	bool any = false;

	if (!t->wanted_sites.count && !t->wanted_calls.count && !t->mm->costly_sites)
		return;
	if (t->mm->costly_sites)
		any = remove_costly(s, t);
	t->mm->costly_sites = false;
	vec_foreach (&t->wanted_sites, pc)
		any |= make_site(s, t, *pc);
	vec_clear(&t->wanted_sites);
	vec_foreach (&t->wanted_calls, call)
		any |= make_call_site(s, t, *call);
	vec_clear(&t->wanted_calls);
	if (any)
		rec_commit(s, t, TRACE_EV_PROBES, 0, 0, 0, NULL);
}

void rec_want_known_sites(struct rec_session *s, struct rec_task *t)
{
	if (t->mm->asked_known || s->timing.no_sites)
		return;
	t->mm->asked_known = true;
	struct softpmu_pcs known = {0};

	softpmu_known(&t->tracee, &known, KNOWN_MAX);
	vec_append(&t->wanted_sites, known.items, known.count);
	vec_deinit(&known);
}

void rec_want_sites(struct rec_session *s, struct rec_task *t, const struct softpmu_probe *plans,
		    size_t count)
{
	vec_clear(&t->wanted_sites);
	for (size_t i = 0; i < count; i++)
		vec_push(&t->wanted_sites, plans[i].pc);
	softpmu_remember(&t->tracee, t->wanted_sites.items, t->wanted_sites.count);
	rec_want_known_sites(s, t);
}

bool rec_forget_sites(struct rec_session *s, struct rec_task *t)
{
	const struct rec_call *c = &t->call;
	struct softpmu_probes *probes = &t->mm->probes;
	taddr from = c->call.args[0], to = from + c->call.args[1];
	bool any = false;

	/* Where the kernel likes is where nothing was; and brk, with one argument, is no range. */
	if (!c->row || !(c->row->flags & SC_CHANGES_MM) || !from || c->row->nargs < 2)
		return false;
	for (size_t i = probes->sites.count; i-- > 0;) {
		const struct softpmu_probe *probe = &probes->sites.items[i];

		if (probe->pc >= to || probe->pc + probe->length <= from)
			continue;
		remove_site(s, t, i);
		any = true;
	}
	return any;
}

void rec_remove_call_sites(struct rec_session *s, struct rec_task *t)
{
	struct softpmu_probes *probes = &t->mm->probes;
	bool any = false;

	for (size_t i = probes->sites.count; i-- > 0;) {
		if (!probes->sites.items[i].call)
			continue;
		remove_site(s, t, i);
		any = true;
	}
	if (any)
		rec_commit(s, t, TRACE_EV_PROBES, 0, 0, 0, NULL);
}
