/* libwarp's inside. Private to src/live/lib*.c.
 *
 * One thread, the tracer's, runs the engine and touches everything here but the list of commands.
 * Other threads hand it commands and wait until they are done. Its hooks turn stops into events,
 * which go into each target's socket; what is written there comes back as orders. */
#ifndef WARP_LIVE_LIB_H
#define WARP_LIVE_LIB_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "include/warp/tracer.h"
#include "live/engine.h"
#include "util/vec.h"

/* A command's function returns this if somebody will call lib_done() later. */
#define LATER 1000000

/* Something to be done by the tracer's thread. Lies on the stack of the thread that waits for
 * it. */
struct command {
	struct command *next;
	int (*run)(struct warp_tracer *tracer, struct command *command);
	struct warp_target *target; /* NULL: none */
	void *argument;
	int result;
	char *text; /* why it failed; owned */
	bool done;
};

struct warp_tracer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;	  /* a command is done, or the thread has started */
	struct command *commands; /* newest first */
	bool started, failed;
	/* Everything below is the tracer's thread's. */
	struct engine *engine;
	struct warp_target *targets;
	int poll; /* epoll: sockets of targets */
	sigset_t mask, ignored;
	struct error *error; /* why it could not start */
};

struct warp_target {
	struct warp_tracer *tracer;
	struct warp_target *next, *prev;
	struct live_process *process; /* NULL: it has ended */
	pid_t pid;
	unsigned flags;
	uint32_t mask;
	unsigned suspends;
	bool opening; /* has not been told to go on since it was opened; one of the suspends */
	int user_end, own_end;		       /* the socket */
	struct vec(struct warp_event) backlog; /* the socket has no room for them */
	bool waits_for_room;
	struct vec(pid_t) children; /* new processes that are neither opened nor let go */
	struct command *closer;	    /* waits for its end */
	struct command *stepper;    /* waits for the step of one thread */
	pid_t step_tid;
	uint32_t step_cause; /* what it was stopped for before */
	bool finished;	     /* no events will come any more */
};

/* What a thread is stopped for is in its task's `user`: a cause, or 0. */
static inline uint32_t cause_of(const struct live_task *task)
{
	return (uint32_t)(uintptr_t)task->user;
}

static inline void set_cause(struct live_task *task, uint32_t cause)
{
	task->user = (void *)(uintptr_t)cause;
}

/* ---- lib.c ---- */

/* From any other thread: hands the command over and waits. Returns its result. */
int lib_call(struct warp_tracer *tracer, struct command *command);
/* In a command: the failure -errnum with its explanation. */
int lib_fail(struct command *command, int errnum, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int lib_fail_error(struct command *command, struct error *error);
/* In any thread: an explanation for warp_error(). Takes the text over. */
int lib_explain(int errnum, char *text);
void lib_done(struct command *command, int result);

/* ---- lib_event.c ---- */

extern const struct live_hooks lib_hooks;
/* Sockets: orders are read, events that waited for room are written. */
void lib_serve(struct warp_tracer *tracer);
int lib_go(struct warp_target *target, const struct warp_go *go);
/* Lets a thread go on that is stopped for an event. */
void lib_release(struct live_task *task);
void lib_flush(struct warp_target *target);

/* ---- lib_target.c ---- */

/* The command of warp_close. */
int lib_close(struct warp_tracer *tracer, struct command *command);
/* Ends all that is open. */
void lib_close_all(struct warp_tracer *tracer);
/* Its process has ended, or was let go. */
void lib_gone(struct warp_target *target);
/* Undoes one suspend. */
void lib_resume(struct warp_target *target);

#endif
