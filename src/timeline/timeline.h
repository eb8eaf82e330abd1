/* A replay that one can stop anywhere and move in both directions.
 *
 * One process of the recording is looked at: its threads, registers, memory. All of the recording's
 * processes are replayed with it. Positions are in one line: after event N, and then so far on the
 * way of one task to event N + 1. Nothing else moves meanwhile.
 *
 * All functions belong to the thread that opened the timeline (a tracer is one thread), and block
 * until they are done; timeline_interrupt() may be called from a signal handler. An error means
 * that the replay has diverged, or that this system failed; the timeline can only be closed
 * then. */
#ifndef WARP_TIMELINE_TIMELINE_H
#define WARP_TIMELINE_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "arch/arch.h"
#include "replay/replay.h"
#include "util/error.h"
#include "util/taddr.h"
#include "util/vec.h"

struct trace_reader;
struct timeline;

struct timeline_options {
	const char *directory; /* of the recording */
	bool quiet;	       /* do not echo what the program writes */
	uint32_t process;      /* recorded pid of the one to look at; 0: the first */
	uint64_t memory_limit; /* for checkpoints, in bytes; 0: 1 GB */
	bool from_fork;	       /* a child's beginning is its fork in any case */
};

/* Opens at the process's beginning: after its last event before its first instruction (START; the
 * first EXEC of a child that executes a program soon, unless `from_fork`; else its fork). */
struct error *timeline_open(const struct timeline_options *options, struct timeline **out);
/* NULL is fine. Leaves no process behind. */
void timeline_close(struct timeline *timeline);
/* In a child of this process that is no part of the replay: on whichever cores this thread ran before
 * the timeline was opened, which keeps it on one. */
void timeline_leave_core(const struct timeline *timeline);
/* Asks a motion to stop soon (TIMELINE_INTERRUPTED). Async-signal-safe. */
void timeline_interrupt(struct timeline *timeline);

/* ---- motion ---- */

enum timeline_direction {
	TIMELINE_FORWARDS,
	TIMELINE_BACKWARDS
};

enum timeline_cause {
	TIMELINE_STEPPED,    /* by one instruction, or one event */
	TIMELINE_BREAKPOINT, /* about to execute `addr` */
	TIMELINE_WATCHPOINT, /* `addr` was written (read): it has just happened; backwards: it is about to */
	TIMELINE_SIGNAL, /* the thread takes `signal` next: nothing of its handler was executed yet */
	TIMELINE_CALL,	 /* before (`before`) or after system call `number`, which is caught */
	TIMELINE_EXEC,	 /* the process has executed another program */
	TIMELINE_PLACE,	      /* where one has asked for */
	TIMELINE_BEGIN,	      /* the recording, or what there is of the process, begins here */
	TIMELINE_END,	      /* it ends here; `status` is the process's wait status if `ended` */
	TIMELINE_INTERRUPTED, /* by timeline_interrupt() */
};

struct timeline_stop {
	enum timeline_cause cause;
	uint32_t tid; /* recorded id of the thread that it is about */
	taddr addr;
	int signal;
	int number;
	bool before;
	bool ended;
	int status;
};

/* Runs until one of breakpoints, watchpoints, signals, caught calls, exec, end. Backwards: the
 * last such place before this one. */
struct error *timeline_run(struct timeline *timeline, enum timeline_direction direction,
			   struct timeline_stop *stop);
/* Moves the thread by one instruction (a system call is one; so is entering a handler). While it is
 * others' turn, they run first; what stops timeline_run() stops this, too. */
struct error *timeline_step(struct timeline *timeline, uint32_t tid,
			    enum timeline_direction direction, struct timeline_stop *stop);
/* To the position right after that event (the last one at or before it that concerns no other
 * process than those replayed); breakpoints are not looked at. Beyond the end: to the end. */
struct error *timeline_go_to_event(struct timeline *timeline, uint64_t event,
				   struct timeline_stop *stop);

/* A position that was visited. The caller's, until timeline_drop_mark(). */
struct timeline_mark;

struct timeline_mark *timeline_mark(struct timeline *timeline);
struct error *timeline_go_to_mark(struct timeline *timeline, const struct timeline_mark *mark,
				  struct timeline_stop *stop);
void timeline_drop_mark(struct timeline *timeline, struct timeline_mark *mark);

/* ---- what stops a run. Addresses are of the process's present program ---- */

/* Setting one twice is one; removing one that is not there is nothing. */
void timeline_set_breakpoint(struct timeline *timeline, taddr addr, bool on);
/* `kind`: ARCH_DEBUG_WRITE or ARCH_DEBUG_ACCESS. False: no room for it (four aligned pieces of up
 * to 8 bytes in all). */
bool timeline_set_watchpoint(struct timeline *timeline, enum arch_debug kind, taddr addr,
			     uint64_t length, bool on);
/* System calls: all, or those listed. `on` false: none. */
void timeline_catch_calls(struct timeline *timeline, bool on, const int *numbers, size_t count);

/* ---- the present state ---- */

struct timeline_where {
	uint64_t event;	  /* the last one replayed */
	uint64_t time_ns; /* when it was recorded, since the beginning */
	uint32_t tid;	  /* the thread that moves next; 0: none of the process */
	uint64_t last;	  /* number of the recording's last event */
};

void timeline_where(struct timeline *timeline, struct timeline_where *out);

struct timeline_tids vec(uint32_t);

/* The process's pid as recorded. */
uint32_t timeline_process(const struct timeline *timeline);
/* Living threads of the process, the oldest first. */
void timeline_threads(struct timeline *timeline, struct timeline_tids *out);
/* Name of a thread (comm): up to 15 characters. */
void timeline_thread_name(struct timeline *timeline, uint32_t tid, char out[16]);

/* All registers of a thread, as the program knows them. False: there is no such thread. The
 * caller's: state->vector. */
bool timeline_get_state(struct timeline *timeline, uint32_t tid, unsigned flavors,
			struct arch_state *state);
/* Returns how many bytes could be read from addr on: the program's, not what we have put over
 * them. */
size_t timeline_read(struct timeline *timeline, taddr addr, void *to, size_t length);
/* Of all memory that the process can write; 0: it has no thread. Reads everything that is
 * resident. */
uint64_t timeline_memory_hash(struct timeline *timeline);
/* Shows the frames of a thread's stack, the innermost first, at most so many. */
void timeline_walk_stack(struct timeline *timeline, uint32_t tid, unsigned most,
			 replay_frame_fn show, void *context);
/* The process's auxiliary vector, and the path of its program as recorded (owned by the
 * timeline). */
void timeline_auxv(struct timeline *timeline, struct bytes *out);
const char *timeline_program(struct timeline *timeline);

struct timeline_map {
	taddr start, end;
	int prot;
	bool shared;
	uint64_t offset; /* in the file */
	uint32_t file;	 /* id of the mapped file in the recording; UINT32_MAX: none */
	char name[256];	 /* recorded path, [stack], or empty */
};

struct timeline_maps vec(struct timeline_map);

void timeline_maps(struct timeline *timeline, struct timeline_maps *out);
/* The recording: its files and events may be read through it by path or id, its position not
 * moved. */
const struct trace_reader *timeline_reader(const struct timeline *timeline);

/* ---- diversions: what did not happen ---- */

/* From here on writes to registers and memory, and motions forwards, act on a copy; system calls in
 * it are refused (ENOSYS) but those that only touch the copy (memory, its own ids, clocks), and
 * writes to 1 and 2, which are shown. Nested calls are an error. */
struct error *timeline_divert(struct timeline *timeline);
/* Back to where timeline_divert() was called. */
struct error *timeline_return(struct timeline *timeline);
bool timeline_diverted(const struct timeline *timeline);
/* In a diversion only (else false). */
bool timeline_put_state(struct timeline *timeline, uint32_t tid, unsigned flavors,
			const struct arch_state *state);
size_t timeline_write(struct timeline *timeline, taddr addr, const void *from, size_t length);

#endif
