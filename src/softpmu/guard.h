/* Code that the program can write while we have changed it. Private to src/softpmu. */
#ifndef WARP_SOFTPMU_GUARD_H
#define WARP_SOFTPMU_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "tracee/tracee.h"

#define GUARD_AREAS 4

/* Pages that the program may not write for now, through any of its mappings of them. */
struct softpmu_guard {
	struct {
		taddr start;
		uint64_t length;
		uint32_t prot;
	} areas[GUARD_AREAS];
	unsigned count;
};

/* Takes the program the right to write the pages of these bytes: it faults where it tries. False,
 * and nothing is done, if they are mapped too often. */
bool softpmu_guard(struct tracee *tracee, struct softpmu_guard *guard, taddr from, taddr to);
/* Gives it back. */
void softpmu_unguard(struct tracee *tracee, struct softpmu_guard *guard);
/* Is this address one whose write has faulted because of the guard? */
bool softpmu_guards(const struct softpmu_guard *guard, taddr addr);

#endif
