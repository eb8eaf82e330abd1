/* Where exactly a thread is, without hardware counters: places between sync events.
 *
 * A place is known by its state: all registers, and the contents of memory pages as witnesses. When
 * recording, a thread that was stopped somewhere is moved on to the next instruction that can be
 * patched, and its state is taken. In a replay a stub in the thread's own address space compares
 * the registers each time it comes by and traps only when they are equal; then the witnesses
 * decide. A wrong place is never accepted: the search goes on. */
#ifndef WARP_SOFTPMU_SOFTPMU_H
#define WARP_SOFTPMU_SOFTPMU_H

#include <stdbool.h>

#include "tracee/tracee.h"
#include "util/error.h"
#include "util/vec.h"

struct softpmu_witnesses vec(struct trace_witness);

enum softpmu_result {
	SOFTPMU_FOUND,	 /* the tracee stands at the place */
	SOFTPMU_EVENT,	 /* a sync event comes first: there is no need for a place */
	SOFTPMU_STOPPED, /* the tracee stopped for another reason: its status is given */
};

/* Moves a tracee that is stopped in user mode on to an instruction that a replay can find again.
 * `status`: of the stop, for SOFTPMU_STOPPED. */
enum softpmu_result softpmu_settle(struct tracee *tracee, int *status);

/* Takes the witnesses of the tracee's present state: the vector registers, the stack at its
 * pointer, and resident writable pages up to a limit. */
void softpmu_witness(struct tracee *tracee, struct softpmu_witnesses *out);
/* Those of `now` whose contents are not what they were `before`: addresses of memory that changes
 * often, at most `room` of them. */
size_t softpmu_hot(const struct softpmu_witnesses *before, const struct softpmu_witnesses *now,
		   struct trace_witness *out, size_t room);
/* Is the tracee's present state the one of the witnesses? */
bool softpmu_agrees(struct tracee *tracee, const struct trace_witness *witnesses, size_t count);

/* Memory whose contents at the place are known. */
struct softpmu_contents {
	taddr addr;
	uint64_t length;
	const uint8_t *bytes;
};

struct softpmu_contents_list vec(struct softpmu_contents);

struct softpmu_target {
	struct regs regs;
	const struct trace_witness *witnesses;
	size_t count;
	const struct softpmu_contents *contents;
	size_t contents_count;
};

/* Runs the tracee (PTRACE_SYSEMU) until its state is the target's. SOFTPMU_STOPPED: it made a system
 * call or raised a signal before. */
enum softpmu_result softpmu_seek(struct tracee *tracee, const struct softpmu_target *target,
				 int *status);

#endif
