/* Sites that earlier recordings have found useful, by the build-id of the file they are in: text
 * files in $XDG_CACHE_HOME/warp/sites (or ~/.cache/warp/sites), a file offset a line.
 *
 * A cache: what cannot be read or written is as if there were nothing. What is read is only a hint
 * where a site could be made; whether it can be is decided there. */
#ifndef WARP_SOFTPMU_KNOWN_H
#define WARP_SOFTPMU_KNOWN_H

#include "tracee/tracee.h"
#include "util/vec.h"

struct softpmu_pcs vec(taddr);

/* Appends the known sites in the files that the tracee has mapped, at most `most`. */
void softpmu_known(struct tracee *tracee, struct softpmu_pcs *out, size_t most);
/* Adds these program counters of the tracee to what is known. */
void softpmu_remember(struct tracee *tracee, const taddr *pcs, size_t count);

#endif
