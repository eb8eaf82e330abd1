/* What the engine knows of its targets. Private to the engine's files in src/live.
 *
 * A task is running (resumed and not heard of since), or stopped. A stopped one is first queued:
 * its wait status has to be handled, which calls hooks. Then it is ready: it goes on as soon as
 * nothing keeps it: a hold, a suspended process, or another thread that is being stepped over a
 * breakpoint. */
#ifndef WARP_LIVE_STATE_H
#define WARP_LIVE_STATE_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Out of memory ends the process in xmalloc(). */
#define uthash_malloc(size)	   xmalloc(size)
#define uthash_free(pointer, size) free(pointer)

#include "live/engine.h"
#include "tracee/spawn.h"
#include "util/alloc.h"
#include "util/vec.h"

#include <uthash.h>
#include <utlist.h>

/* Not a wait status: the task vanished in another thread's exec. */
#define STATUS_VANISHED (-1)

struct breakpoint {
	struct live_breakpoint pub; /* first */
	uint8_t saved[16];	    /* what the breakpoint's instruction covers */
	bool inserted;
	int slot; /* debug register; -1 */
	struct breakpoint *next, *prev;
};

/* An address space. After a vfork, and for other processes that share memory, several processes
 * have one. */
struct mm {
	unsigned users;
	struct breakpoint *breakpoints;
	struct vec(taddr) removed; /* places of former ones: a trap there is still ours */
	bool debug_used;	   /* debug registers may be set */
	struct task *stepper;	   /* is being stepped over a breakpoint; nobody else may run */
	taddr call_site;	   /* a system call instruction; 0: not looked for yet */
	struct tracee memory;	   /* for its file descriptor only */
};

struct process {
	struct live_process pub; /* first */
	struct process *next, *prev;
	struct task *tasks;
	struct mm *mm;
	unsigned suspended;
	bool hidden;  /* traced only because it cannot be let go (yet): no hooks */
	bool leaving; /* its threads are let go as they stop */
	bool leave_stopped;
	bool shown;	 /* new_task was called for it */
	bool every_call; /* stops at each: rules of its own may answer calls before our filter */
	pid_t parent;	 /* process id; 0: unknown */
};

struct task {
	struct live_task pub; /* first */
	UT_hash_handle hh;    /* engine.tasks, by tid */
	struct task *next, *prev;
	struct task *queue_next, *queue_prev;
	int status; /* valid while queued and while its stop is handled */
	bool queued, running, ready, in_hook, ended;

	bool interrupting;	/* PTRACE_INTERRUPT was requested and no stop came since */
	bool interrupted;	/* the stop at hand came while that was so */
	bool wants_interrupted; /* live_interrupt was called */
	bool group_stopped;	/* its group stop was told */
	bool vforking;		/* waits for its vfork child: will not stop before */
	bool stepped;		/* was resumed to execute one instruction */
	bool leave;		/* to be let go once it stops */
	bool alone;		/* runs although its process is suspended */
	unsigned holds;

	/* new tasks */
	bool newborn;
	enum live_birth birth;
	pid_t parent; /* thread that made it */
	pid_t former; /* its id before its last exec */

	/* steps */
	bool fresh;	      /* its exec has not ended yet */
	enum arch_show shows; /* of the instruction that was executed */
	taddr step_pc;
	taddr armed;	     /* where a debug register stops it on the way of steps; 0 */
	taddr sequence;	     /* what it writes when it begins a restartable sequence; 0 */
	bool sequence_known; /* `sequence` is that of now, and a debug register stops it there */
	bool no_run;	     /* debug registers were refused, and it has made no call since */

	/* calls */
	bool end_missed;       /* a call made for us came after the end of its own */
	bool skipped;	       /* live_call_skip */
	bool sets_rules;       /* the call at hand may install seccomp rules */
	bool postponed;	       /* the call at hand will be made when the thread was let go */
	bool show_calls;       /* the exec that starts it is shown */
	bool again;	       /* the next beginning is that of a call which hooks know */
	bool changed;	       /* registers differ from what the program has put there */
	struct regs call_regs; /* as the program made the call; valid if changed */
	struct regs ended_with, rewound; /* registers of an EINTR that was taken back */
	bool taken_back;		 /* those are valid, and nothing was executed since */
	uint64_t begun_ns; /* when the call at call_pc began, if it has a timeout; 0 */
	struct {
		taddr pc, sp;
		uint64_t since_ns;
		int switches; /* voluntary ones, of the thread */
	} wait; /* the last timed call that was taken back and had not been seen beginning */

	/* breakpoints */
	taddr hit;     /* stands at this breakpoint, which was reported; 0 */
	uint64_t mask; /* signal mask while it is stepped over one */
	bool over_step, over_call;
};

struct early {
	pid_t tid;
	int status;
};

struct timer {
	uint64_t at_ns;
	void (*function)(void *context, void *argument);
	void *argument;
};

/* A process whose stops wake us: see bell.c. */
struct bell {
	pid_t pid;
	int pidfd, timer, poll;
	void *stack;
};

struct engine {
	struct live_hooks hooks;
	void *context;
	struct task *tasks; /* by thread id */
	struct process *processes;
	struct task *queue;
	struct vec(struct early) early; /* stops of tasks that we do not know yet */
	struct vec(struct timer) timers;
	struct bell bell;
	atomic_bool woken;
	atomic_int bell_fd;
	bool (*sets_rules)(const struct sc_call *call); /* of the filter that targets run under */
	uint64_t let_go_ns;				/* engine_let_go_ns() */
	bool quit, serving;
	size_t task_count;
};

static inline struct task *task_of(struct live_task *task)
{
	return (struct task *)task;
}

static inline struct process *process_of(struct live_process *process)
{
	return (struct process *)process;
}

static inline struct process *process_of_task(const struct task *t)
{
	return (struct process *)t->pub.process;
}

static inline struct mm *mm_of(const struct task *t)
{
	return process_of_task(t)->mm;
}

/* Calls a hook if there is one and the task's process is shown. */
#define hook(t, name, ...)                                                               \
	do {                                                                             \
		struct engine *hook_e_ = (t)->pub.engine;                                \
		if (hook_e_->hooks.name && !process_of_task(t)->hidden)                  \
			hook_e_->hooks.name(hook_e_->context, &(t)->pub, ##__VA_ARGS__); \
	} while (0)

/* ---- wait.c: the kernel's reports, and what they change at once ---- */

/* Waits for a report and notes it, and those that are there besides. `block`: for at least one, or
 * the bell. */
struct error *engine_wait(struct engine *e, bool block);
void engine_enqueue(struct task *t);
/* engine.c: handles the first that can be; false if there is none. */
bool engine_handle_queue(struct engine *e);

/* ---- bell.c ---- */

struct error *bell_start(struct engine *e);
void bell_stop(struct engine *e);
/* A report of the bell's: something may be there for `woken`. */
void bell_rang(struct engine *e, int status);
/* The bell rings by itself at the earliest timer, or at `deadline_ns` if that is not 0 and
 * earlier. */
void bell_set(struct engine *e, uint64_t deadline_ns);
uint64_t engine_now(void);
/* Calls the timers that are due. */
void engine_run_timers(struct engine *e);

/* ---- task.c: tasks and processes ---- */

struct task *task_find(struct engine *e, pid_t tid);
struct process *process_find(struct engine *e, pid_t pid);
struct task *task_create(struct engine *e, struct process *p, pid_t tid, enum live_birth birth,
			 pid_t parent);
/* Without a word. Frees the process too if it was its last task. */
void task_remove(struct task *t);
struct process *process_create(struct engine *e, pid_t pid, struct mm *mm);
void process_free(struct process *p);
struct mm *mm_create(void);
void mm_put(struct mm *mm);
/* The child that a stopped parent has made becomes a task. */
void task_adopt_child(struct task *parent);
/* Stops of tasks whose parent will never report them. */
void task_adopt_orphans(struct engine *e);
/* At PTRACE_EVENT_EXEC of thread `tid`: whoever did it has that id from now on. */
struct task *task_rename_exec(struct engine *e, pid_t tid);

/* ---- stop.c: what a stop means ---- */

void task_handle(struct task *t);

/* ---- run.c: going on ---- */

/* A stop was handled. The task may be gone afterwards. */
void task_finish(struct task *t);
/* Resumes it if nothing keeps it. */
void task_try_run(struct task *t);
void process_try_run(struct process *p);
/* Asks a running task to stop. */
void task_interrupt(struct task *t);
/* Stops all tasks of a process `but` one; returns how many still run when the time is up. */
size_t process_stop_all(struct process *p, const struct task *but, unsigned timeout_ms);
void mm_try_run(struct engine *e, struct mm *mm);
bool task_may_run(const struct task *t);
/* Resumes it for the engine's own purpose and notes that it runs. */
void task_resume(struct task *t, int how, int signal);

/* At a stop, before a step: may it run to where a hook has said? Then it is made to stop there. */
bool step_run(struct task *t);
/* At a stop: nothing stops it any more on the way of its steps. */
void step_disarm(struct task *t);
/* Its debug registers are those of a new program. */
void step_forget(struct task *t);
/* It makes a call, after which it may register for restartable sequences, or debug registers be
 * free. */
void step_unsure(struct task *t);
/* The beginning of a thread: the kernel has copied what controls its parent's debug registers. */
void step_born(struct task *t, const struct task *parent);
/* At a stop: takes out what a stepped instruction has shown. */
void step_hide(struct task *t);

/* ---- call.c ---- */

void call_on_stop(struct task *t);
void call_on_seccomp(struct task *t);
/* At a stop: a call that ended with EINTR only because we have stopped the thread is to be made
 * again. */
void call_take_back(struct task *t);
/* A signal is about to be delivered: what was taken back ends with EINTR after all if it has a
 * handler. */
void call_on_signal(struct task *t, int signal);
/* A signal will not be delivered after all: it interrupts nothing. */
void call_signal_suppressed(struct task *t);
/* It is about to be let go: what was taken back of a call is left to the kernel. */
void call_leave(struct task *t);
/* Registers of a thread that was interrupted in a call: moves them back so that it makes the call
 * again. The kernel would do that itself, but only where it looks for signals. */
void call_make_again(struct task *t, struct regs *regs);
/* The end of a call that no stop will tell. */
void call_end_missed(struct task *t);
void call_begin(struct task *t, const struct __ptrace_syscall_info *info);

/* ---- breakpoint.c ---- */

/* The thread has trapped: is it a breakpoint's trap? Then it is handled. */
bool break_on_trap(struct task *t, const siginfo_t *info);
/* It is about to run and stands at a breakpoint that it was told of: steps over it. True if it was
 * resumed that way. */
bool break_step_over(struct task *t);
/* A stop of the thread that is being stepped over. True: handled, nothing to tell. */
bool break_stepped(struct task *t);
void break_stepper_gone(struct task *t);
/* A copy of the address space has them too: takes them out there. */
void break_clean_copy(struct engine *e, struct mm *from, pid_t tid);
void break_remove_all(struct engine *e, struct mm *mm);
bool break_trap_pending(struct task *t);
/* Debug registers of a new thread; of one that is let go. */
void break_arm_thread(struct task *t);
void break_disarm_thread(struct task *t);

/* ---- target.c ---- */

/* Begins to let a process go, and waits for it a while. The pointer may end. */
void process_leave(struct process *p, bool stopped);
/* Lets a stopped task go. */
void task_leave(struct task *t);
/* Why a thread could not be seized. */
struct error *attach_refused(pid_t pid, pid_t tid, int errnum);

#endif
