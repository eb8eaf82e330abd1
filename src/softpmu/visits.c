/* Sites with counters of their own. No flags are ever changed: what the thread does next is compared
 * with what it did without them. */
#include "softpmu/visits.h"

#include "abi/agent_abi.h"

/* In the data page: one word each. */
#define COUNTERS (WARP_DATA_PAGE + 0x940)
/* What they count down from. */
#define BEGIN (1ull << 62)

bool softpmu_visits_begin(struct tracee *tracee, struct softpmu_probes *probes, taddr pc,
			  unsigned number)
{
	taddr counter = COUNTERS + number * sizeof(uint64_t);
	uint64_t begin = BEGIN;
	struct softpmu_probe plan;

	if (tracee_write(tracee, counter, &begin, sizeof(begin)) != sizeof(begin) ||
	    !softpmu_is_in_fixed_code(tracee, pc, ARCH_WINDOW_MAX) ||
	    !softpmu_probe_plan(tracee, probes, pc, &plan))
		return false;
	plan.shadow = 0;
	plan.counter = counter;
	return softpmu_probe_add(tracee, probes, &plan);
}

uint64_t softpmu_visits_read(struct tracee *tracee, unsigned number)
{
	uint64_t left = BEGIN;

	tracee_read(tracee, COUNTERS + number * sizeof(left), &left, sizeof(left));
	return BEGIN - left;
}
