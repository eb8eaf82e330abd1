/* Single steps over whole instructions, and looks at code. Private to src/softpmu. */
#ifndef WARP_SOFTPMU_STEP_H
#define WARP_SOFTPMU_STEP_H

#include "softpmu/softpmu.h"

/* One instruction further; a repeated one to its end; one whose bytes are a site's in its copy.
 * SOFTPMU_EVENT: it is one that makes an event, and was not executed; SOFTPMU_STOPPED: a stop for
 * another reason, `status`, perhaps before it was executed. */
enum softpmu_result softpmu_step(struct tracee *tracee, const struct softpmu_probes *probes,
				 int *status);
/* Is the instruction before this one a call? */
bool softpmu_is_behind_call(struct tracee *tracee, taddr pc);

#endif
