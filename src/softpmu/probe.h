/* Probes: sites in a program's code that count how often they are passed.
 *
 * A site's instructions are replaced by a jump to a stub, which takes one from a counter in a page
 * of ours and traps when it has become 0. All sites of an address space share the counter; it is
 * swapped when another thread runs. From the event at which a site was made (when recording and
 * when replaying, the same one), a thread's progress is a number: how many sites it has passed.
 *
 * The program never sees a stub: a stop inside one is either moved out of it (softpmu_leave_stubs)
 * or shown as the instruction that it stands for (softpmu_sort_stop).
 *
 * Nothing here blocks but for stops of the tracee given; nothing fails but by the tracee being
 * gone. */
#ifndef WARP_SOFTPMU_PROBE_H
#define WARP_SOFTPMU_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "tracee/procfs.h"
#include "tracee/tracee.h"
#include "util/vec.h"

/* A site. Plain data: copied with the address space by fork. */
struct softpmu_probe {
	taddr pc;
	taddr at;	 /* of the stub */
	unsigned jumps;	 /* how often the program has jumped into the window: the caller's */
	unsigned length; /* bytes that the jump replaces */
	unsigned
		shadow; /* bytes from pc on in which the arithmetic flags mean nothing; 0: all kept */
	unsigned size; /* of the stub */
	bool call;     /* it does not count: it lets the agent make the system call there */
	taddr enters, declined; /* of such: where the stub enters the agent; its copy of the call */
	taddr next;		/* and where the program goes on behind that */
	taddr counter;		/* of its own (softpmu/visits.h); 0: the task's */
	taddr trapped;		/* program counter after the stub's trap */
	taddr counted;		/* program counter after the counter was written */
	taddr copies
		[ARCH_WINDOW_MAX]; /* by offset: the stub's copy of the instruction there, or 0 */
	uint8_t saved[ARCH_WINDOW_MAX];
};

/* A task's progress. Zeros are one that has passed nothing. */
struct softpmu_counter {
	uint64_t total;	  /* sites passed, as of when it was last read */
	uint64_t trap_at; /* the total at which it traps; 0: never */
};

/* Of an address space. */
struct softpmu_probes {
	struct vec(struct softpmu_probe) sites;
	struct softpmu_counter *loaded; /* whose progress the counter in memory is */
};

void softpmu_probes_deinit(struct softpmu_probes *probes);
/* What fork copies; the child's memory holds the parent's counter, which is nobody's there. */
void softpmu_probes_copy(struct softpmu_probes *to, const struct softpmu_probes *from);

/* ---- sites ---- */

/* Finds out how a site can be made at `pc`, and where its stub can be. False if it cannot. */
bool softpmu_probe_plan(struct tracee *tracee, const struct softpmu_probes *probes, taddr pc,
			struct softpmu_probe *out);
/* The same for a system call's instruction, which the agent shall make; it has just made call
 * `nr`. */
bool softpmu_call_plan(struct tracee *tracee, const struct softpmu_probes *probes, taddr pc, int nr,
		       struct softpmu_probe *out);
/* Is it code that only a system call can change? */
bool softpmu_is_fixed_code(const struct proc_map *map);
bool softpmu_is_in_fixed_code(struct tracee *tracee, taddr pc, unsigned length);
/* Does a jump nearby lead to an instruction inside the window? It would trap each time. (Others are
 * found when they do.) */
bool softpmu_is_jumped_into(struct tracee *tracee, taddr pc, unsigned length);
/* Do instructions before `pc`, decoded one after the other, lead past it? Then its bytes are
 * perhaps an operand of one of them, too: what is written there changes what that does. */
bool softpmu_is_overlapped(struct tracee *tracee, taddr pc);
/* Makes the site in the stopped tracee's memory; pc, at, length and shadow are given. The caller
 * sees to it that nobody else runs there. False if the code is not what it was, or there is no
 * room. */
bool softpmu_probe_add(struct tracee *tracee, struct softpmu_probes *probes,
		       const struct softpmu_probe *plan);
/* Puts the program's instructions back, where the jump is still there. The stub stays: somebody may
 * stand in it. */
void softpmu_probe_remove(struct tracee *tracee, struct softpmu_probes *probes, size_t index);
/* The site whose jump overlaps these bytes, or NULL. */
const struct softpmu_probe *softpmu_probe_over(const struct softpmu_probes *probes, taddr from,
					       taddr to);

/* ---- the counter ---- */

/* Makes the counter in memory the one of this task, before it runs. */
void softpmu_load(struct tracee *tracee, struct softpmu_probes *probes,
		  struct softpmu_counter *counter);
/* Sites that the task has passed. */
uint64_t softpmu_read(struct tracee *tracee, struct softpmu_probes *probes,
		      struct softpmu_counter *counter);
/* The task will trap when its total reaches this; 0: never. */
void softpmu_arm(struct tracee *tracee, struct softpmu_probes *probes,
		 struct softpmu_counter *counter, uint64_t total);
/* The task was made to stand at a site that it had passed, and was not recorded there: what it
 * passes again counts once. */
void softpmu_uncount(struct tracee *tracee, struct softpmu_probes *probes,
		     struct softpmu_counter *counter);
/* The task ends, or is given another address space. */
void softpmu_unload(struct softpmu_probes *probes, const struct softpmu_counter *counter);

/* ---- stops ---- */

enum softpmu_stop {
	SOFTPMU_STOP_OTHER,  /* the program's own: its registers are as it knows them */
	SOFTPMU_STOP_HIT,    /* the counter has become 0; the program counter is still the stub's */
	SOFTPMU_STOP_WINDOW, /* the program has jumped into a window: it was sent to the copy */
};

/* Looks at a stop by a signal. For one that the program's own instructions have caused, a program
 * counter inside a stub's copies becomes that of the instruction, and flags that mean nothing are
 * zeroed. */
enum softpmu_stop softpmu_sort_stop(struct tracee *tracee, const struct softpmu_probes *probes,
				    int signal);
/* After SOFTPMU_STOP_HIT: makes the site the place where the program stands. */
void softpmu_stand_at_site(struct tracee *tracee, const struct softpmu_probes *probes);
/* Where the program's instruction at `pc` is executed: there, or in a stub. */
taddr softpmu_real_place(const struct softpmu_probes *probes, taddr pc);
/* Is a stub's copy of an instruction at `pc`? *offset: of that instruction in the window. */
bool softpmu_find_copy(const taddr *copies, unsigned length, taddr pc, unsigned *offset);
/* If `pc` is inside a window, behind its first instruction: sends the tracee to the stub's copy. */
bool softpmu_enter_copy(struct tracee *tracee, const struct softpmu_probes *probes, taddr pc);
/* At a stop before or after a system call: if the tracee is in a stub's copy of the instruction, as
 * if it were at the program's own. */
void softpmu_leave_call(struct tracee *tracee, const struct softpmu_probes *probes);
/* Where the tracee stands in a copy of an instruction behind such a call: as if it were at the
 * program's own. */
void softpmu_leave_call_copies(struct tracee *tracee, const struct softpmu_probes *probes);
/* Is the tracee in the part of a stub that enters the agent? */
bool softpmu_enters_call(struct tracee *tracee, const struct softpmu_probes *probes);
/* Has the tracee just jumped to the stub of such a site? */
bool softpmu_comes_to_call(struct tracee *tracee, const struct softpmu_probes *probes);
/* To the copy of the first instruction of such a site, where the tracee stands there. */
void softpmu_enter_call_copies(struct tracee *tracee, const struct softpmu_probes *probes);
/* Does the tracee stand at a call's instruction that the agent may make, or at what stands for it? */
bool softpmu_at_call(struct tracee *tracee, const struct softpmu_probes *probes);
/* Is the program counter inside a stub? */
bool softpmu_in_stub(struct tracee *tracee, const struct softpmu_probes *probes);
/* Zeros the flags that mean nothing where the tracee stands. */
void softpmu_clear_shadow(struct tracee *tracee, const struct softpmu_probes *probes);

/* Of `got` bytes read at pc, how many are certainly the program's own: behind the window there may
 * be another. */
unsigned softpmu_known_behind(const struct softpmu_probes *probes, taddr pc, unsigned length,
			      size_t got);
/* A free place for a page of stub code that a jump at `pc` reaches, such that the bytes of its
 * distance all trap, or at least those at the offsets where instructions begin (`starts`, see
 * arch.h). 0 if there is none. */
taddr softpmu_find_room(struct tracee *tracee, taddr pc, unsigned starts);

#endif
