/* A replay in progress. For src/replay, and for src/timeline, which moves it in smaller steps.
 *
 * Tasks are real threads, made as they were made; each stands still until its next event comes up
 * in the recording, runs up to it, is compared, and gets what the recording says. */
#ifndef WARP_REPLAY_SESSION_H
#define WARP_REPLAY_SESSION_H

#define uthash_malloc(size)	   xmalloc(size)
#define uthash_free(pointer, size) free(pointer)

#include <sched.h>
#include <signal.h>

#include "replay/replay.h"
#include "softpmu/softpmu.h"
#include "syscalls/syscalls.h"
#include "trace/found.h"
#include "trace/reader.h"
#include "tracee/spawn.h"
#include "tracee/tracee.h"
#include "util/alloc.h"
#include "util/vec.h"

#include <uthash.h>

struct rep_mm {
	unsigned users; /* tasks */
	struct softpmu_probes probes;
};

struct rep_task {
	uint32_t tid, tgid; /* as recorded: not the real ones */
	struct tracee tracee;
	struct rep_mm *mm;
	struct softpmu_counter counter;
	bool in_call; /* the entry of a call was replayed, its end was not */
	bool moved;   /* it has executed something since its last event */
	bool at_hits; /* it has passed the sites that its event's exact place names: */
	uint64_t hits;
	unsigned steps;	  /* instructions since then */
	uint64_t last_ns; /* when its last event was recorded */
	const void *copy; /* src/timeline's, while it makes the task again */
	UT_hash_handle hh;
};

struct rep_file {
	uint32_t id;
	int fd;	       /* of our own: kept contents, or a copy that changes */
	bool changing; /* a copy: other descriptors of it may write */
	bool stale; /* it was left behind by a jump backwards: begins again when it is asked for */
	UT_hash_handle hh;
};

/* Who wants to stop tasks between events. A replay that is paused goes on when its event is
 * replayed again. */
struct rep_pauser {
	void *context;
	/* The task is about to run towards its event; it has stopped. */
	void (*before_run)(void *context, struct rep_task *t);
	void (*after_run)(void *context, struct rep_task *t);
	/* Is this stop of the task one to pause at? */
	bool (*is_wanted)(void *context, struct rep_task *t, int status);
	/* Instead of softpmu_seek(): runs to a place. SOFTPMU_STOPPED with s->paused: on the way
	 * there. */
	enum softpmu_result (*seek)(void *context, struct rep_task *t,
				    struct softpmu_target *target, int *status);
	/* The task is at its event: before a call, or where a signal comes. Pause? */
	bool (*is_event_wanted)(void *context, struct rep_task *t);
};

struct rep_session {
	const struct replay_options *options;
	const struct rep_pauser *pauser; /* NULL: nobody */
	bool paused;			 /* the last error means: by the pauser */
	bool pending;			 /* `event` was read, and is still to be replayed */
	uint64_t echoed; /* output up to this event was written already, in an earlier pass */
	struct trace_reader *reader;
	struct rep_task *tasks;	       /* by recorded tid */
	struct rep_file *files;	       /* by id */
	struct trace_event event;      /* the one being replayed */
	struct trace_event done;       /* the last one that was */
	struct trace_found_list found; /* places by state as numbers, in the order of events */
	bool found_more;	       /* than the recording's directory has */
	struct bytes input;	       /* what a call reads, to be compared */
	cpu_set_t cpus;		       /* of this thread before it was pinned to one */
	bool pinned;
	bool shares_cpuid_trap; /* see arch.share_cpuid_trap() */
	int stub;		/* memfd of the stub executable */
	bool bar_shown;		/* the progress bar stands on the terminal */
	uint64_t told_event;	/* the user was told that this one takes long */
	int status;
	bool ended;
};

/* ---- session.c ---- */
/* Opens the recording and gets ready, without replaying anything. Until rep_close() this thread and
 * its children stay on one core. */
struct error *rep_open(struct rep_session *s, const struct replay_options *options);
void rep_close(struct rep_session *s);
/* To those where it was before: also in a child. */
void rep_leave_core(const struct rep_session *s);
/* Reads the next event into s->event, if that has not been done. *end: there is none. */
struct error *rep_peek(struct rep_session *s, bool *end);
/* Replays the event that rep_peek has read. Where the pauser wants it, an error with s->paused
 * set. */
struct error *rep_replay_event(struct rep_session *s);
/* For returning from where a pauser wants to stop. */
struct error *rep_pause(struct rep_session *s);
struct rep_task *rep_find(struct rep_session *s, uint32_t tid);
/* `mm`: NULL: a new address space. */
struct rep_task *rep_task_add(struct rep_session *s, uint32_t tid, uint32_t tgid,
			      const struct tracee *tracee, struct rep_mm *mm);
/* The task is in this address space (NULL: a new one) from now on, and has passed no sites. */
void rep_enter_mm(struct rep_task *t, struct rep_mm *mm);
void rep_task_drop(struct rep_session *s, struct rep_task *t);
/* Removes the progress bar, before something else is written. */
void rep_hide_progress(struct rep_session *s);
/* Registers as the event has them. */
struct regs rep_event_regs(const struct rep_session *s);

/* ---- interrupt.c ---- */
#define REP_INTERRUPTS 3
struct rep_interrupts {
	struct sigaction before[REP_INTERRUPTS], alarm;
};
/* Takes over the signals that ask us to end, and a timer that lets waits return each second. */
void rep_interrupts_take(struct rep_interrupts *own);
void rep_interrupts_return(const struct rep_interrupts *own);
/* The thread that an interrupt must stop, so that our wait for it ends; 0: none. */
void rep_waiting_for(pid_t tid);
/* The signal that came, or 0. */
int rep_interrupted(void);

/* ---- run.c: letting a task run up to its event ---- */
/* Is the stop one that somebody sent from outside? Those have no place in a replay. */
bool rep_is_foreign(struct rep_task *t, int status);

/* How a search for a place waits: it tells the user if it takes long, and passes over what comes
 * from outside. */
struct rep_seek {
	struct softpmu_waiter waiter;
	struct rep_session *session;
	struct rep_task *task;
	uint64_t since_ns;
};

/* The search begins. `seek` must stay where it is until its end. */
void rep_seek_begin(struct rep_seek *seek, struct rep_session *s, struct rep_task *t);
struct error *rep_run_to_call(struct rep_session *s, struct rep_task *t);
/* Up to a signal caused by an instruction. */
struct error *rep_run_to_fault(struct rep_session *s, struct rep_task *t, int signal);
/* Compares the task's registers with those of the event. */
struct error *rep_compare(struct rep_session *s, struct rep_task *t, const struct regs *actual);

/* To the next stop that the program or the agent in it causes. */
struct error *rep_run_on(struct rep_session *s, struct rep_task *t, int *status);

/* ---- feed.c: calls that the agent has recorded ---- */
/* Replays a run of them, from s->event on, in one go; s->event is the last of them then, and *next
 * what the reader has read behind it (*end: nothing). *done: there were some. */
struct error *rep_feed(struct rep_session *s, struct rep_task *t, struct trace_event *next,
		       bool *end, bool *done);

/* ---- call.c ---- */
struct error *rep_call_end(struct rep_session *s, struct rep_task *t);
/* Writes one record of memory, in the task or in the one that it names. */
struct error *rep_write(struct rep_session *s, struct rep_task *t,
			const struct trace_datum_view *view);
/* Writes the event's memory and registers into the task. `regs`: used if the event has none. */
struct error *rep_apply(struct rep_session *s, struct rep_task *t, const struct regs *regs);

/* ---- places.c: between events ---- */
/* What the event tells about its place; what it points at is the target's and the list's. */
struct error *rep_read_target(struct rep_session *s, struct rep_task *t,
			      struct softpmu_target *target, struct softpmu_contents_list *contents,
			      uint64_t *state_hash);
void rep_free_contents(struct softpmu_contents_list *list);
void rep_free_target(struct softpmu_target *target);
/* Runs to the event's place and compares. */
struct error *rep_seek_place(struct rep_session *s, struct rep_task *t);
/* Changes the sites as the event's records say. */
struct error *rep_change_sites(struct rep_session *s, struct rep_task *t);
/* Applies one TRACE_D_PROBE. */
struct error *rep_change_site(struct rep_session *s, struct rep_task *t,
			      const struct trace_datum_view *view);

/* ---- perform.c: calls that are made again ---- */
typedef struct error *(*rep_perform)(struct rep_session *s, struct rep_task *t);
/* NULL if calls with this handler are not performed. */
rep_perform rep_performer(enum sc_handler handler);
/* A call (SC_PARTIAL) that failed: what it did before that is done. */
struct error *rep_perform_failed(struct rep_session *s, struct rep_task *t,
				 enum sc_handler handler);
/* Maps as recorded; `mapping` says where and which file. */
struct error *rep_map(struct rep_session *s, struct rep_task *t,
		      const struct trace_mapping *mapping, int prot, int flags);

/* ---- task.c ---- */
struct error *rep_first_image(struct rep_session *s);
struct error *rep_task_new(struct rep_session *s, struct rep_task *t);
struct error *rep_exec(struct rep_session *s, struct rep_task *t);
struct error *rep_task_exit(struct rep_session *s, struct rep_task *t);
void rep_kill_all(struct rep_session *s);

/* ---- files.c ---- */
struct error *rep_file_get(struct rep_session *s, uint32_t id, struct rep_file **out);
struct error *rep_file_write(struct rep_session *s);
void rep_files_deinit(struct rep_session *s);

/* ---- stack.c ---- */
/* Shows the frames of the stopped task, the innermost first, at most so many. */
void rep_walk_stack(struct rep_session *s, struct rep_task *t, unsigned most, replay_frame_fn show,
		    void *context);

/* ---- divergence.c ---- */
/* The recording contradicts itself at this event. `format`: how, a sentence's middle. */
struct error *rep_damaged(struct rep_session *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The report: what was expected of the task at this event, and what happened. `format`: what
 * happened, a part of a sentence. */
struct error *rep_diverged(struct rep_session *s, struct rep_task *t, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The user has interrupted the replay: which event the task was to reach, and where it is. */
struct error *rep_stopped_short(struct rep_session *s, struct rep_task *t);
/* The same with the registers that differ. */
struct error *rep_diverged_regs(struct rep_session *s, struct rep_task *t,
				const struct regs *actual);
/* The same for memory that the call reads: what is there now, perhaps less than was recorded. */
struct error *rep_diverged_memory(struct rep_session *s, struct rep_task *t,
				  const struct trace_datum_view *recorded,
				  const struct bytes *actual);

#endif
