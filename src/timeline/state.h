/* A timeline's insides. Private to src/timeline.
 *
 * A position is (event N replayed, and so far on the way of the next event's task). `moved` of that
 * task says whether it is anywhere but at N. Everything at rest is clean: breakpoints are in memory
 * only while a task of the process runs, so that copies and comparisons see the program's own
 * bytes. */
#ifndef WARP_TIMELINE_STATE_H
#define WARP_TIMELINE_STATE_H

#include <signal.h>

#include "replay/session.h"
#include "timeline/timeline.h"

struct inserted {
	taddr addr; /* as the user knows it */
	taddr at;   /* where the byte is: in a stub, if a site covers the address */
	uint8_t saved;
};

/* What a process executes from an event on. */
struct executed {
	uint64_t event;
	uint32_t process; /* recorded pid */
	char *path;
	struct bytes auxv;
};

struct watch {
	enum arch_debug kind;
	taddr addr;
	unsigned length; /* 1, 2, 4 or 8, aligned */
	uint64_t value;	 /* when it was last looked at */
};

/* A task of a copy. */
struct copied_task {
	uint32_t tid, tgid; /* recorded */
	size_t process;	    /* index into `processes` of its checkpoint */
	bool in_call, moved, at_hits, leader;
	uint64_t hits;
	unsigned steps;
	uint64_t last_ns;
	struct regs regs;
	struct bytes xstate;
	struct softpmu_counter counter;
	bool counts; /* the counter in memory is its */
};

/* One address space of a copy: a process that never runs. */
struct copied_process {
	struct tracee tracee;
	struct softpmu_probes probes;
};

/* Bytes of memory or a file that processes share: copies do not keep them. */
struct shared_bytes {
	size_t process; /* whose memory, or SIZE_MAX: a file's */
	uint32_t file;
	uint64_t at;
	struct bytes bytes;
};

/* A forked, stopped copy of all processes, and all else that a replay goes on from. */
struct checkpoint {
	struct trace_event done; /* the last one replayed */
	bool moved;		 /* a task was on its way to the next */
	struct vec(struct copied_process) processes;
	struct vec(struct copied_task) tasks;
	struct vec(struct shared_bytes) shared;
	struct vec(uint32_t) files;	/* that were open */
	uint64_t bytes;			/* of memory that it costs, about */
	struct checkpoint *prev, *next; /* in the order of positions */
};

/* A position that can be recognised. */
struct timeline_mark {
	uint64_t event; /* the last one replayed */
	bool moved;
	uint32_t tid; /* who has moved */
	struct softpmu_target target;
	struct softpmu_contents_list contents;
};

struct timeline {
	struct rep_session s;
	struct replay_options replay;
	struct rep_pauser pauser;
	uint64_t memory_limit;
	char *directory;
	uint32_t process; /* recorded pid */
	struct vec(struct executed) programs;

	struct vec(taddr) breakpoints;
	struct vec(struct inserted) inserted;
	struct vec(struct watch) watches;
	bool catch_all;
	struct vec(int) caught;

	struct timeline_stop stop; /* why it was paused */
	uint64_t announced;	   /* the event that was stopped at */
	uint64_t halt;		   /* the event before which to stop; 0: none */
	struct {		   /* the place of event `event` */
		uint64_t event;
		struct softpmu_target target;
		struct softpmu_contents_list contents;
	} place;
	const struct timeline_mark *at; /* a mark on the way that is looked for; NULL: none */
	/* Of its instruction on the last stretch to it, if they were counted; else 0. */
	uint64_t visits;
	bool deaf;     /* nothing but marks and events stops it */
	bool at_event; /* the task is at its event: no breakpoints, which it would meet again */
	volatile sig_atomic_t interrupted;
	volatile sig_atomic_t kicked;	/* the thread that runs, or ran last, was interrupted */
	volatile sig_atomic_t resolute; /* interrupts wait: on its way to where one may stop */
	volatile pid_t running;		/* the thread that is waited for */

	struct checkpoint *checkpoints, *last; /* the list; the last one passed */
	uint64_t checkpoint_ns;		       /* when it was taken, or passed */
	struct checkpoint *diverted;	       /* where to return to */
	uint32_t diverted_tid;
	uint64_t position; /* counts motions, but for steps backwards from `near` */
	struct {	   /* where the last step backwards came from: `count` steps before here */
		struct checkpoint *from;
		uint32_t tid;
		unsigned count;
		uint64_t position;
	} near;
	struct { /* the visit of an instruction that is next at or behind here: visits.c */
		uint64_t event, position;
		taddr pc;
		uint64_t number;	  /* from `start` on; 0: not known */
		struct checkpoint *start; /* on the way from the event */
		struct checkpoint *near;  /* later, at visit `near_number`; or NULL */
		uint64_t near_number;
	} visit;
	bool reported; /* of the task that is next: that its place was stopped at */
};

/* What stops a run, put aside while we look for something ourselves. */
struct breaks_aside {
	typeof(((struct timeline *)0)->breakpoints) breakpoints;
	size_t watches, caught;
	bool catch_all, deaf, resolute;
};

/* ---- breaks.c ---- */
extern const struct rep_pauser breaks_pauser;
/* Memory of the task's process is as the program knows it again. */
void breaks_remove(struct timeline *tl, struct rep_task *t);
void breaks_insert(struct timeline *tl, struct rep_task *t);
bool breaks_has(const struct timeline *tl, taddr addr);
/* Is there one where a stub at `pc` would be? */
bool breaks_near(const struct timeline *tl, taddr pc);
/* Has watched memory changed since it was last looked at? Then tl->stop says where. */
bool breaks_changed(struct timeline *tl);
void breaks_look(struct timeline *tl);
/* Only these breakpoints stop a run from here on (and signals, and exec), until the others are put
 * back, which no run has changed. */
struct breaks_aside breaks_only(struct timeline *tl, const taddr *addrs, size_t count);
void breaks_put_back(struct timeline *tl, const struct breaks_aside *aside);
/* Is it to stop now, wherever it is? */
bool tl_is_interrupted(const struct timeline *tl);
/* The address that the program knows the program counter by. */
taddr breaks_pc(struct rep_task *t);

/* ---- seek.c ---- */
/* To a place between events, looking at breakpoints unless deaf: see struct rep_pauser. */
enum softpmu_result tl_seek(void *context, struct rep_task *t, struct softpmu_target *target,
			    int *status);
/* From here to visit `number` of that instruction by the task that is next; where it stands counts,
 * if that is one. Breakpoints must not be near it. */
struct error *tl_go_to_visit(struct timeline *tl, taddr pc, uint64_t number);
/* Lets the task execute one instruction of its way to its event: SOFTPMU_FOUND; SOFTPMU_EVENT: it
 * is at the event (nothing was executed); SOFTPMU_STOPPED: it has raised a signal. */
enum softpmu_result tl_step_once(struct timeline *tl, struct rep_task *t, int *status);

/* Has the task the target's registers and memory? */
bool tl_has_state(struct rep_task *t, const struct softpmu_target *target);
/* Has that step been the one over the trap of a site's stub that counts to 0? */
bool tl_is_hit(struct rep_task *t);

/* ---- inspect.c ---- */
struct rep_task *tl_task(struct timeline *tl, uint32_t tid);
/* Any living task of the process; NULL if there is none. */
struct rep_task *tl_any_task(struct timeline *tl);
/* The task whose turn it is: of the next event. NULL: none. */
struct rep_task *tl_next_task(struct timeline *tl);
bool tl_is_ours(const struct timeline *tl, const struct rep_task *t);
void tl_forget_programs(struct timeline *tl);
/* Keeps what the last event says about programs. */
void tl_note_event(struct timeline *tl);

/* ---- forwards.c ---- */
/* Runs until something stops it, or the mark tl->at is reached (TIMELINE_PLACE). */
struct error *tl_run(struct timeline *tl);
/* One instruction of that thread; 0: of whoever of the process is next. */
struct error *tl_step(struct timeline *tl, uint32_t tid);
/* The next event, with the breakpoints on the way to it put aside; *stopped by anything else. */
struct error *tl_pass_event(struct timeline *tl, bool *stopped);
/* Has the event a way to it, on which its task executes instructions? */
bool tl_has_way(const struct trace_event *event);
/* Has that way an end that is no call or fault? */
bool tl_has_place(const struct trace_event *event);
/* Reads what the next event tells about its place into tl->place, once. */
struct error *tl_know_place(struct timeline *tl, struct rep_task *t);
void tl_forget_place(struct timeline *tl);
/* Replays to right after the event; deaf and resolute, which the caller is. */
struct error *tl_to_event(struct timeline *tl, uint64_t event);

/* ---- mark.c ---- */
struct timeline_mark *mark_make(struct timeline *tl);
void mark_free(struct timeline_mark *mark);
/* Where it is, for a task that is on its way there. No sites are counted to: stopping at one counts
 * it twice. */
struct softpmu_target mark_target(struct timeline *tl, const struct timeline_mark *mark,
				  struct rep_task *t);
/* Is the present position the mark's? */
bool mark_is_here(struct timeline *tl, const struct timeline_mark *mark);
/* From an earlier position. */
struct error *mark_reach(struct timeline *tl, const struct timeline_mark *mark);
/* The same on the last stretch, from the event before it; breakpoints are looked at unless deaf. */
struct error *mark_seek(struct timeline *tl, const struct timeline_mark *mark);

/* ---- checkpoint.c ---- */
/* Of the present position, behind tl->last in the list. */
struct error *checkpoint_take(struct timeline *tl);
struct error *checkpoint_copy(struct timeline *tl, struct checkpoint **out);
struct error *checkpoint_restore(struct timeline *tl, struct checkpoint *from);
void checkpoint_free(struct checkpoint *checkpoint);
/* After a while of motion forwards. */
struct error *checkpoint_if_due(struct timeline *tl);
/* The last one that lies before the mark; NULL if there is none. */
struct checkpoint *checkpoint_before(struct timeline *tl, const struct timeline_mark *mark);

/* Ends the present processes; checkpoints stay. */
void checkpoint_end_tasks(struct timeline *tl);

/* ---- reverse.c ---- */
struct error *tl_run_back(struct timeline *tl);
struct error *tl_step_back(struct timeline *tl, uint32_t tid);
void near_forget(struct timeline *tl);
/* A stop before a call is made where that call has changed no registers yet: a position like
 * others. */
struct error *tl_settle_before_call(struct timeline *tl);

/* ---- visits.c ---- */
/* To the last visit of a breakpoint on the way from here to the mark, on which there is no event, or
 * (NULL) to the next event. Watchpoints must be put aside. *found: it is there, tl->stop; else it is
 * where it began, or (TIMELINE_INTERRUPTED) anywhere. `keep`: visits_keep(), for a run, which can be
 * interrupted. */
struct error *visits_go_to_last(struct timeline *tl, const struct timeline_mark *until, bool keep,
				bool *found);
/* The same for a position of which it is known how often a breakpoint was visited before: it is not
 * counted again. *found false: that does not help, and it is anywhere. */
struct error *visits_go_before(struct timeline *tl, const struct timeline_mark *here, bool *found);
/* Keeps that the position is behind visit `number` of the instruction since `start`, which it takes
 * over; at its next visit, or on the way there. */
void visits_keep(struct timeline *tl, struct checkpoint *start, taddr pc, uint64_t number);
void visits_forget(struct timeline *tl);
/* At the beginning of a motion from the mark: is it known how often its instruction was visited? */
bool visits_are_known(const struct timeline *tl, const struct timeline_mark *here);
/* To the visit before the next one. */
struct error *visits_go_back(struct timeline *tl);
/* After a step backwards from a position of which it was `known`. */
void visits_stepped_back(struct timeline *tl, bool known);

/* ---- divert.c ---- */
/* Lets the diverted thread run to its next stop, or one instruction. */
struct error *divert_go(struct timeline *tl, uint32_t tid, bool step);

#endif
