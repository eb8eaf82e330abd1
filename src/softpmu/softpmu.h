/* Where exactly a thread is, without hardware counters: places between sync events.
 *
 * A place is one of two kinds. An exact one is a number: so many sites passed (softpmu/probe.h),
 * then so many single steps. Where there are no sites, a place is known by its state: all
 * registers, and the contents of memory pages as witnesses. In a replay a stub in the thread's own
 * address space then compares the registers each time it comes by and traps only when they are
 * equal; then the witnesses decide. Either way the registers at the place are compared, the vector
 * registers too: a wrong place is never accepted. */
#ifndef WARP_SOFTPMU_SOFTPMU_H
#define WARP_SOFTPMU_SOFTPMU_H

#include <stdbool.h>

#include "softpmu/probe.h"
#include "tracee/tracee.h"
#include "util/error.h"
#include "util/vec.h"

struct softpmu_witnesses vec(struct trace_witness);

enum softpmu_result {
	SOFTPMU_FOUND,	 /* the tracee stands at the place */
	SOFTPMU_EVENT,	 /* a sync event comes first: there is no need for a place */
	SOFTPMU_STOPPED, /* the tracee stopped for another reason: its status is given */
	SOFTPMU_OTHER,	 /* seeking: it stands where the place should be, in another state */
};

/* ---- recording ---- */

/* Moves a tracee that is stopped in user mode on to an instruction that a replay can find again by
 * its state. `status`: of the stop, for SOFTPMU_STOPPED. */
enum softpmu_result softpmu_settle(struct tracee *tracee, const struct softpmu_probes *probes,
				   int *status);
/* Runs (`how`: PTRACE_CONT or PTRACE_SYSCALL) for up to some milliseconds, to an instruction that
 * is not passed often. */
enum softpmu_result softpmu_go_where_rare(struct tracee *tracee, int how, int *status);
/* `steps` instructions further, from a place that is exact. */
enum softpmu_result softpmu_steps(struct tracee *tracee, const struct softpmu_probes *probes,
				  unsigned steps, int *status);
/* Out of the stub that it stands in, if it does. */
enum softpmu_result softpmu_leave_stubs(struct tracee *tracee, const struct softpmu_probes *probes,
					int *status);

/* Witnesses that come before those of pages: the vector registers and the stack at its pointer. */
#define SOFTPMU_WITNESSES_FIRST 2

/* Takes the witnesses of the tracee's present state: SOFTPMU_WITNESSES_FIRST, then one for each
 * resident page that the program can write, shared memory too, up to `most` in all. A million pages
 * take 1 s. */
void softpmu_witness(struct tracee *tracee, size_t most, struct softpmu_witnesses *out);
/* Makes few of many: one witness for a run of pages. Such are to be kept, not compared by
 * softpmu_hot(). */
void softpmu_fold(struct softpmu_witnesses *pages);
/* Those of `now` whose contents are not what they were `before`: addresses of memory that changes
 * often, at most `room` of them. */
size_t softpmu_hot(const struct softpmu_witnesses *before, const struct softpmu_witnesses *now,
		   struct trace_witness *out, size_t room);
/* Is the tracee's present state the one of the witnesses? The first that says no is moved to the
 * front, where it is asked first the next time. */
bool softpmu_agrees(struct tracee *tracee, struct trace_witness *witnesses, size_t count);
uint64_t softpmu_vector_hash(struct tracee *tracee);
/* Of all registers but the program counter's kin, and all writable memory: the truth, for debug
 * builds and tests. Slow: it reads everything. */
uint64_t softpmu_state_hash(struct tracee *tracee);
/* Of all writable memory. As slow. */
uint64_t softpmu_memory_hash(struct tracee *tracee);

/* Finds places for sites near where the tracee stands, by looking on as it takes some hundred steps
 * and at the callers of its function: loops that it is in. `outer`: in the innermost one only where
 * there is nothing around it. At most `room` are put into `out`; returns how many. Each is to be
 * planned again before it is made: plans do not know of each other's stubs. `result` and `status`
 * tell what the stepping came to. */
size_t softpmu_learn(struct tracee *tracee, const struct softpmu_probes *probes, bool outer,
		     struct softpmu_probe *out, size_t room, enum softpmu_result *result,
		     int *status);

/* ---- replaying ---- */

/* Can the code there change without a system call? Then it is in memory that is mapped writable, or
 * shared. */
bool softpmu_code_changes(struct tracee *tracee, taddr pc);

/* Memory whose contents at the place are known. */
struct softpmu_contents {
	taddr addr;
	uint64_t length;
	const uint8_t *bytes;
};

struct softpmu_contents_list vec(struct softpmu_contents);
struct softpmu_waiter;

struct softpmu_target {
	struct trace_place place;
	struct regs regs;
	struct trace_witness *witnesses; /* the rest is for TRACE_PLACE_STATE */
	size_t count;
	const struct softpmu_contents *contents;
	size_t contents_count;
	/* How often the place's instruction is reached until then, if that is known from an earlier
	 * search; else 0. Out: how often it was, where the state was searched for. */
	uint64_t visits;
	/* Is it known (softpmu_code_changes()) that only system calls change the place's code? */
	bool is_fixed;
	bool keep_code; /* no jump to a stub: the breakpoint register finds all visits */
	/* NULL: each stop is waited for as long as it takes, and looked at. */
	const struct softpmu_waiter *waiter;
};

/* How a search waits. */
struct softpmu_waiter {
	/* Instead of tracee_wait(). */
	int (*wait)(void *context, struct tracee *tracee);
	/* Is the stop from outside, and of no meaning to the replay? */
	bool (*is_foreign)(void *context, struct tracee *tracee, int status);
	void *context;
};

/* Runs the tracee (PTRACE_SYSEMU) until it is at the target. SOFTPMU_STOPPED: it made a system call
 * or raised a signal before. */
enum softpmu_result softpmu_seek(struct tracee *tracee, struct softpmu_probes *probes,
				 struct softpmu_counter *counter, struct softpmu_target *target,
				 int *status);

#endif
