/* Recording side: where to put sites.
 *
 * A thread that computes without events is in a loop. Some hundred single steps show the innermost
 * one; backward jumps behind the program counter show those around it; return addresses on the
 * stack show the callers, whose code is passed when the function is done. A site costs at each
 * pass: those outside the innermost loop are tried first, and should none of them be passed soon,
 * it gets one, too. Only code of files is taken: what is made at run time changes under our
 * hands. */
#include <string.h>
#include <sys/mman.h>

#include "softpmu/softpmu.h"
#include "softpmu/step.h"
#include "tracee/procfs.h"

#define STEPS	    300
#define STACK_WORDS 128
/* How far behind the program counter the end of a loop is looked for. */
#define AHEAD	2048
#define CALLERS 2
#define LOOPS	3

struct learner {
	struct tracee *tracee;
	const struct softpmu_probes *probes;
	struct proc_maps maps;
	struct softpmu_probe *out;
	size_t count, room;
	taddr pcs[STEPS]; /* as stepped; in ascending order once that is done */
	size_t steps;
	bool outer; /* nothing of the innermost loop */
};

static bool is_code(const struct learner *l, taddr pc)
{
	vec_foreach (&l->maps, map)
		if (pc >= map->start && pc < map->end)
			return softpmu_is_fixed_code(map);
	return false;
}

bool softpmu_is_behind_call(struct tracee *tracee, taddr pc)
{
	uint8_t before[8];

	return tracee_read(tracee, pc - sizeof(before), before, sizeof(before)) == sizeof(before) &&
	       arch.behind_call(before, sizeof(before));
}

/* Sites that overlap, or are there already, are not wanted. */
static bool is_taken(const struct learner *l, const struct softpmu_probe *plan)
{
	for (size_t i = 0; i < l->count; i++)
		if (plan->pc < l->out[i].pc + l->out[i].length &&
		    l->out[i].pc < plan->pc + plan->length)
			return true;
	return false;
}

static int compare_pcs(const void *a, const void *b)
{
	taddr x = *(const taddr *)a, y = *(const taddr *)b;

	return x < y ? -1 : x > y;
}

static bool was_stepped(const struct learner *l, taddr pc)
{
	return bsearch(&pc, l->pcs, l->steps, sizeof(pc), compare_pcs);
}

static bool plan(struct learner *l, taddr pc, bool only_dead)
{
	struct softpmu_probe *to = &l->out[l->count];

	if (l->count == l->room || !is_code(l, pc) || (l->outer && was_stepped(l, pc)) ||
	    !softpmu_probe_plan(l->tracee, l->probes, pc, to) || (only_dead && !to->shadow) ||
	    is_taken(l, to))
		return false;
	l->count++;
	return true;
}

/* ---- the innermost loop ---- */

/* Instructions that were executed more than once, those executed least often first. */
static void plan_stepped(struct learner *l)
{
	bool only_dead = true, done = false;

	for (int pass = 0; pass < 2 && !done; pass++, only_dead = false) {
		for (size_t visits = 2; visits < STEPS && !done; visits++) {
			for (size_t i = 0, next; i < l->steps && !done; i = next) {
				for (next = i; next < l->steps && l->pcs[next] == l->pcs[i];)
					next++;
				done = next - i == visits && plan(l, l->pcs[i], only_dead);
			}
		}
	}
}

static enum softpmu_result step(struct learner *l, int *status)
{
	enum softpmu_result result = SOFTPMU_FOUND;

	while (l->steps < STEPS && result == SOFTPMU_FOUND) {
		l->pcs[l->steps++] = arch.pc(tracee_regs(l->tracee));
		result = softpmu_step(l->tracee, l->probes, status);
	}
	qsort(l->pcs, l->steps, sizeof(*l->pcs), compare_pcs);
	return result;
}

/* ---- the loops around it ---- */

/* Places that code jumps forward to: what is behind a block's end is code where they say so. */
struct forwards {
	taddr to[AHEAD / 2];
	size_t count;
};

static bool leads_to(const struct forwards *forwards, taddr pc)
{
	for (size_t i = 0; i < forwards->count; i++)
		if (forwards->to[i] == pc)
			return true;
	return false;
}

/* Do instructions from there on lead up to `pc`, which was executed? Else it is inside one, or in
 * data. */
static bool leads_up_to(struct learner *l, taddr from, taddr pc)
{
	uint8_t code[AHEAD];
	size_t got = tracee_read(l->tracee, from, code, pc - from);
	unsigned length = 0;
	taddr to;
	size_t at = 0;

	while (at < got && arch.branch(code + at, got - at, from + at, &length, &to))
		at += length;
	return at == pc - from;
}

static void plan_enclosing(struct learner *l, taddr pc)
{
	struct forwards forwards = {0};
	uint8_t code[AHEAD];
	size_t got = tracee_read(l->tracee, pc, code, sizeof(code));
	unsigned length = 0;
	int found = 0;
	taddr outermost = pc;

	for (size_t at = 0; at < got && found < LOOPS; at += length) {
		taddr to = 0;

		if (!arch.branch(code + at, got - at, pc + at, &length, &to))
			return;
		if (to > pc + at)
			forwards.to[forwards.count++] = to;
		if (!arch.falls_through(code + at, got - at) &&
		    !leads_to(&forwards, pc + at + length))
			got = 0; /* what follows may be data */
		if (!to || to >= outermost || pc - to > AHEAD || !leads_up_to(l, to, pc))
			continue;
		/* Its head is passed once each time around. */
		if (plan(l, to, true) || plan(l, to, false)) {
			outermost = to;
			found++;
		}
	}
}

static void plan_callers(struct learner *l)
{
	taddr words[STACK_WORDS], sp = arch.sp(tracee_regs(l->tracee)) & ~7ull;
	size_t got = tracee_read(l->tracee, sp, words, sizeof(words)) / sizeof(*words);
	int found = 0;

	for (size_t i = 0; i < got && found < CALLERS; i++) {
		taddr pc = words[i];

		if (!is_code(l, pc) || !softpmu_is_behind_call(l->tracee, pc))
			continue;
		size_t had = l->count;

		if (!plan(l, pc, true))
			plan(l, pc, false);
		plan_enclosing(l, pc);
		found += l->count > had;
	}
}

static void plan_around(struct learner *l)
{
	plan_enclosing(l, arch.pc(tracee_regs(l->tracee)));
	plan_callers(l);
}

size_t softpmu_learn(struct tracee *tracee, const struct softpmu_probes *probes, bool outer,
		     struct softpmu_probe *out, size_t room, enum softpmu_result *result,
		     int *status)
{
	struct learner l = {
		.tracee = tracee, .probes = probes, .out = out, .room = room, .outer = outer};

	*result = step(&l, status);
	if (tracee->gone)
		return 0;
	proc_read_maps(tracee->tid, &l.maps);
	if (outer)
		plan_around(&l);
	l.outer = false;
	if (!l.count) {
		plan_stepped(&l);
		plan_around(&l);
	}
	proc_maps_deinit(&l.maps);
	return l.count;
}
