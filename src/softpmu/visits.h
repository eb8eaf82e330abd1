/* Visits: how often a thread comes to some instructions, counted at full speed.
 *
 * Each is made a site that has a counter of its own and never traps. The address space is changed
 * for good: it is to be one that is thrown away. */
#ifndef WARP_SOFTPMU_VISITS_H
#define WARP_SOFTPMU_VISITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "softpmu/probe.h"

#define SOFTPMU_VISITS 16

/* From here on visits of the instruction at `pc` are counted by counter `number`, below
 * SOFTPMU_VISITS. One at which the stopped tracee stands is visited when it goes on. False: no site
 * can be made there, or only one that changes what the program could see; the counter stays 0. */
bool softpmu_visits_begin(struct tracee *tracee, struct softpmu_probes *probes, taddr pc,
			  unsigned number);
/* The number of visits until now. */
uint64_t softpmu_visits_read(struct tracee *tracee, unsigned number);

#endif
