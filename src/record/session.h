/* A recording in progress. Private to src/record.
 *
 * Tasks belong to address spaces (mm), and those to groups: all that can reach common writable
 * memory. In a group one task at a time runs in user mode; that is the order of events which a
 * replay repeats. Groups are independent of each other.
 *
 * A task is in one of the states below. Whoever wants to act on a task of a group (commit an event,
 * resume it into user mode) must do so while no other task of the group is STATE_RUNNING. */
#ifndef WARP_RECORD_SESSION_H
#define WARP_RECORD_SESSION_H

#include <sched.h>
#include <signal.h>
#include <sys/stat.h>

/* Out of memory ends the process in xmalloc(). */
#define uthash_malloc(size)	   xmalloc(size)
#define uthash_free(pointer, size) free(pointer)

#include "abi/agent_abi.h"
#include "record/record.h"
#include "softpmu/softpmu.h"
#include "syscalls/syscalls.h"
#include "trace/writer.h"
#include "tracee/spawn.h"
#include "tracee/tracee.h"
#include "util/alloc.h"
#include "util/vec.h"

#include <uthash.h>

enum rec_state {
	STATE_NEW,	 /* its first stop has not come yet */
	STATE_READY,	 /* stopped, waits for its turn */
	STATE_RUNNING,	 /* in user mode */
	STATE_IN_CALL,	 /* the kernel works for it, perhaps asleep */
	STATE_LISTENING, /* in a group stop */
	STATE_DYING,	 /* past its exit event, or killed */
};

/* What to do with a ready task when its turn comes. */
enum rec_todo {
	TODO_STATUS, /* look at its wait status */
	TODO_RESUME, /* let it go on in user mode */
};

struct rec_task;
struct rec_filter;

struct rec_group {
	unsigned id;
	struct rec_group *merged_into;
	unsigned running; /* tasks in user mode: more than one only just after a merge */
	struct vec(struct rec_task *) ready; /* in the order in which they shall run */
	struct rec_task *in_user;	     /* who was last resumed there */
	unsigned tasks;
	uint64_t slice_end_ns;
	uint64_t look_ns; /* nobody is interrupted before that: looks at much memory are dear */
	uint64_t waited_since_ns; /* since when somebody is ready; valid while ready.count */
};

/* A file or shared memory object that address spaces have mapped. */
struct rec_file_key {
	uint64_t device, inode;
};

struct rec_file {
	struct rec_file_key key;
	uint32_t id; /* in the recording */
	uint32_t flags;
	struct vec(
		struct rec_mm *) mms; /* that have it mapped (or had: unmapping is not followed) */
	struct vec(struct rec_mm *) shared; /* those that have it mapped shared */
	UT_hash_handle hh;
};

struct rec_scratch_piece {
	taddr addr;
	size_t size;
};

/* An instruction that makes this call. */
struct rec_call_site {
	taddr pc;
	int nr;
};

/* The agent in an address space (agent.c). */
struct rec_agent {
	bool on;
	bool off;	 /* it declines everything */
	bool knows_fds;	 /* some of `regular` and `plain` are set */
	bool shares_fds; /* with another address space: none may be */
	bool steps;	 /* the program has single-stepped itself: no sites any more */
	pid_t owner;	 /* whose records are in its buffer */
	unsigned sites;
	uint64_t regular[AGENT_FDS / 64], plain[AGENT_FDS / 64]; /* as agent_state has them */
	struct vec(struct {
		taddr pc;
		unsigned count;
	}) calls; /* instructions that have stopped */
	struct bytes records;
};

struct rec_mm {
	struct rec_group *group;
	unsigned users; /* tasks */
	bool shares;	/* has writable shared mappings: forked children join the group */
	taddr brk;	/* end of the heap */
	taddr scratch_end;
	struct vec(struct rec_scratch_piece) spare; /* scratch memory of tasks that have ended */
	struct vec(struct rec_file *) files;
	struct softpmu_probes probes;
	bool costly_sites; /* some are to be removed at the next event */
	struct rec_agent agent;
	bool asked_known; /* the sites of earlier recordings were looked up */
};

/* What a call that makes a task was asked for: as clone(2) has it. */
struct rec_clone {
	bool asked;
	uint64_t flags;
	taddr parent_tid, child_tid; /* where ids are written, if the flags say so */
};

/* A system call between its entry and the commit of its (last) event. */
struct rec_call {
	const struct sc_row *row; /* refined; NULL: unknown to the table */
	struct sc_call call;
	struct regs entry;
	struct sc_regions regions;
	struct vec(taddr) homes; /* scratch in use: where each region really is; else empty */
	struct bytes inputs;	 /* memory it reads: address, length, bytes, and so on */
	struct bytes before;	 /* fallback: memory before the call */
	bool open;		 /* entered and not ended */
	bool entered_event;	 /* TRACE_EV_SYSCALL_ENTER was written */
	uint16_t flags;		 /* enum trace_event_flags */
	struct rec_clone clone;
	bool shortened; /* the timeout was: the arguments are the program's at the end */
	int64_t note;	/* the handler's own */
};

/* prctl(PR_SET_SYSCALL_USER_DISPATCH): calls from outside [offset, offset + length) become SIGSYS
 * while the byte at `selector` says so. */
struct rec_dispatch {
	bool on;
	taddr offset, length;
	taddr selector; /* 0: always */
};

/* Actions of signals that traps of ours raise, in the kernel's layout. */
#define REC_ACTION_SIZE 32

struct rec_faults {
	uint64_t segv[REC_ACTION_SIZE / 8], trap[REC_ACTION_SIZE / 8];
};

struct rec_task {
	struct tracee tracee;
	struct rec_mm *mm;
	struct rec_task *leader; /* of its process; itself if it is one */
	enum rec_state state;
	enum rec_todo todo;
	bool queued;
	int status; /* wait status for TODO_STATUS */
	struct rec_call call;
	bool restart_pending;	 /* the last call ended with an ERESTART code */
	bool restart_noted;	 /* ...and TRACE_EV_RESTART was written before it was made again */
	uint64_t timed_since_ns; /* when the call with a timeout began that is under way; 0: none */
	bool outer_rules;	 /* as the session's */
	bool unjudged;		 /* at a call's entry, but its seccomp stop has not come (yet) */
	struct regs unjudged_entry;
	bool dying;	 /* of a leader: SIGKILL is on its way to all threads of the process */
	bool exit_event; /* TRACE_EV_TASK_EXIT was written */
	struct vec(siginfo_t) stash; /* signals that wait for the next sync event, oldest first */
	uint64_t stash_until_ns;     /* when it has waited long enough for an event */
	struct vec(siginfo_t) sent;  /* of the stash, but pending in the kernel again */
	uint64_t arrived;	     /* the number of its last stop: their order */
	uint64_t stop_arrived;	     /* of the newest stop signal that was stashed; 0: none */
	uint64_t continued;	     /* of a leader: the number of the last SIGCONT's */
	struct softpmu_witnesses
		sample;	    /* memory when the stash had waited long: what changes since? */
	struct regs placed; /* where it was recorded last to be, on its way to a group stop */
	struct softpmu_counter counter;
	int priority;			/* in the queue */
	bool spins;			/* preempted in the same state as the last time */
	struct regs stopped;		/* where it was preempted last */
	struct vec(taddr) wanted_sites; /* to be made at the next event */
	struct vec(struct rec_call_site)
		wanted_calls; /* the same, of calls that the agent shall make */
	bool armed;	      /* the next site that it passes is the place */
	uint64_t armed_since_ns;
	bool learnt; /* sites were looked for, and none has been hit since */
	struct trace_place
		place; /* where it stands between events, for the event to come; kind 0: at one */
	bool mask_widened;	  /* the kernel blocks more than stash_mask for us */
	uint16_t signal_place;	  /* enum trace_event_flags: where the next signal stop is */
	uint64_t blocked_faults;  /* SIGSEGV and SIGTRAP, where the program blocks them */
	struct rec_faults faults; /* of a leader: its process's */
	bool trap_lost;		  /* the action of SIGTRAP was reset by our traps */
	struct regs resumed;	  /* at the last event after which it went on in user mode... */
	bool resumed_valid; /* ...with a signal pending: it stops again before it executes anything */
	uint64_t stash_mask; /* the signal mask of the program while the stash blocks more */
	taddr clear_tid;     /* word that the kernel clears at its end: set_tid_address(2) */
	taddr scratch;
	size_t scratch_size;
	bool scratch_failed;	    /* there was no room: the call at hand is made in place */
	cpu_set_t affinity;	    /* what the program believes */
	bool undumpable;	    /* of a leader: the program asked for that (PR_SET_DUMPABLE) */
	struct rec_filter *filters; /* seccomp rules of the program, newest first; held */
	bool no_new_privs;	    /* set by the program */
	bool own_files; /* its descriptors are not those of its address space's others */
	struct rec_dispatch dispatch;
	int tsc_mode;	   /* PR_TSC_*: as the program set it */
	bool cpuid_faults; /* the program wants cpuid to raise SIGSEGV (ARCH_SET_CPUID) */
	UT_hash_handle hh;
};

/* What the user is told about once. */
enum rec_told {
	REC_TOLD_CALL,	  /* which: its number */
	REC_TOLD_UNKNOWN, /* which: a call's number and subcode */
	REC_TOLD_DEVICE,  /* which: its number */
	REC_TOLD_SOCKET,
	REC_TOLD_FANOTIFY,
	REC_TOLD_LISTENER,
	REC_TOLD_PTRACE,
	REC_TOLD_VSYSCALL,
	REC_TOLD_NARROW_CALL,
	REC_TOLD_OUR_MEMORY,
	REC_TOLD_FOREIGN_EXEC,
	REC_TOLD_UNREADABLE_EXEC,
	REC_TOLD_SETUID_EXEC,
};

struct rec_notice {
	enum rec_told what;
	uint64_t which;
};

struct rec_session {
	struct trace_writer *writer;
	struct rec_task *tasks;		       /* by tid */
	struct rec_file *files;		       /* by (device, inode) */
	struct vec(struct rec_group *) groups; /* those that have tasks */
	struct vec(struct rec_group *) ended_groups;
	unsigned next_group;
	struct vec(struct {
		pid_t tid;
		int status;
	}) early; /* stops of tasks not yet announced */
	uint64_t start_ns;
	pid_t first;	  /* the first process */
	int first_status; /* its wait status at the end */
	bool first_ended;
	bool cpuid_traps;
	bool outer_rules;     /* somebody else's seccomp rules bind us: a container's */
	cpu_set_t cpus;	      /* where the recorder was allowed to run */
	struct stat out, err; /* our own standard output and error */
	bool out_known, err_known;
	dev_t proc_device;		    /* of /proc */
	struct vec(struct rec_notice) told; /* what the user was told about */
	uint64_t tick_ns;		    /* when SIGALRM wakes the loop up; 0: not */
	struct record_timing timing;
	uint64_t arrivals; /* stops so far */
	struct {
		uint64_t state;	      /* of the random numbers */
		unsigned steps, odds; /* drawn for the whole recording: see turns.c */
		uint64_t stepping_ns; /* spent on single steps so far */
	} chance;
	struct error *failure;
};

/* ---- session.c ---- */
uint64_t rec_now(void);
/* Tells the user once of each, and of each one of its kind. */
void rec_tell_once(struct rec_session *s, enum rec_told what, uint64_t which, const char *format,
		   ...) __attribute__((format(printf, 4, 5)));
void rec_fail(struct rec_session *s, struct error *error);
/* Lets the task go on in user mode, now or when its turn comes. */
void rec_continue(struct rec_session *s, struct rec_task *t);
/* Resumes it into user mode; it has the turn. `signal`: 0 or the one to deliver. */
void rec_run_user(struct rec_task *t, int signal);
/* Resumes it inside a call (PTRACE_SYSCALL), or towards its end or back to it (PTRACE_CONT). */
void rec_resume_in_call(struct rec_task *t, int how);
/* With the signal that ends its process: it executes nothing more, and dies when the process's
 * others do. */
void rec_resume_to_die(struct rec_task *t, int signal);
/* Takes what wait has reported: notes it and puts the task in line. */
void rec_on_wait(struct rec_session *s, pid_t tid, int status);
/* Looks at the wait status of a task that has the turn. */
void rec_handle_status(struct rec_session *s, struct rec_task *t);

/* ---- task.c ---- */
struct rec_group *rec_group(struct rec_task *t);
struct rec_group *rec_group_of(struct rec_mm *mm);
void rec_merge_groups(struct rec_session *s, struct rec_mm *a, struct rec_mm *b);
struct rec_mm *rec_mm_create(struct rec_session *s, struct rec_group *group);
void rec_mm_release(struct rec_session *s, struct rec_mm *mm);
struct rec_task *rec_task_create(struct rec_session *s, pid_t tid, pid_t tgid, struct rec_mm *mm);
void rec_task_remove(struct rec_session *s, struct rec_task *t);
struct rec_task *rec_find(struct rec_session *s, pid_t tid);
/* The one that `t` means by a number: in its own pid namespace. NULL if it is not recorded. */
struct rec_task *rec_find_named(struct rec_session *s, struct rec_task *t, pid_t number);
bool rec_alone(struct rec_task *t); /* no other task shares its group */
void rec_on_clone(struct rec_session *s, struct rec_task *t);
void rec_on_exit(struct rec_session *s, struct rec_task *t);
void rec_on_gone(struct rec_session *s, struct rec_task *t, int status);
/* Takes what a wait for this task alone has reported. */
void rec_take_status(struct rec_session *s, struct rec_task *t, int status);
/* At a stop that others are to know of: has the kernel moved the task back to its call already, in
 * the last moment before this stop? */
void rec_note_moved_back(struct rec_session *s, struct rec_task *t);
/* Makes sure that the task has scratch memory. At a call's entry that call is lost: move back. */
bool rec_scratch(struct rec_task *t, size_t size);

/* ---- sites.c ---- */
/* These, and those of earlier recordings, are to be made at the task's next event. */
void rec_want_sites(struct rec_session *s, struct rec_task *t, const struct softpmu_probe *plans,
		    size_t count);
/* The task will need places: those of earlier recordings, the first time in an address space. */
void rec_want_known_sites(struct rec_session *s, struct rec_task *t);
/* The task has jumped into the middle of a site, and stands in the copy of that. */
void rec_note_jump(struct rec_task *t);
/* Makes the sites that are wanted, at the event that was just committed. */
void rec_make_sites(struct rec_session *s, struct rec_task *t);
/* Before a call that changes the address space: removes the sites there, with records for the event
 * of its entry. Returns whether there were any. */
bool rec_forget_sites(struct rec_session *s, struct rec_task *t);
/* Removes those of the agent, with an event. */
void rec_remove_call_sites(struct rec_session *s, struct rec_task *t);

/* ---- agent.c ---- */
enum rec_left {
	REC_NOT_INSIDE,
	REC_AT_CALL_END, /* its call has ended, and is recorded: it stands at an event */
	REC_ELSEWHERE,	 /* something else has stopped it: t->status */
};

/* In a new image: maps it. */
void rec_agent_prepare(struct rec_session *s, struct rec_task *t);
/* What fork copies. */
void rec_agent_copy(struct rec_agent *to, const struct rec_agent *from);
/* Before the task goes on in user mode: whether the agent may make its calls. */
void rec_agent_load(struct rec_task *t);
/* Until then: it makes none. The task, which has been moved back to a call's instruction, makes it
 * with a stop. */
void rec_agent_decline(struct rec_task *t);
/* Has the task stopped inside it? */
bool rec_in_agent(struct rec_task *t);
/* At a stop outside of it, or at the task's end: what the agent has recorded becomes events. */
void rec_agent_drain(struct rec_session *s, struct rec_task *t);
/* A task that has stopped inside the agent is run to the end of its call. Its own signals are held
 * back meanwhile. */
enum rec_left rec_leave_agent(struct rec_session *s, struct rec_task *t);
/* A call has stopped and ended: shall the agent make such calls from now on? */
void rec_agent_call_ended(struct rec_session *s, struct rec_task *t);
/* The program has trapped at a step of its own. Returns whether it has not made that step, but was
 * led to a stub by it: it is to run on. */
bool rec_agent_note_step(struct rec_session *s, struct rec_task *t);
/* A task is new: has it the descriptors that the others of its address space have? */
void rec_agent_new_task(struct rec_task *t, struct rec_task *child, uint64_t clone_flags);
/* The task has descriptors of its own from now on. */
void rec_agent_unshare_files(struct rec_task *t);
/* A file is mapped: writes to it concern others. */
void rec_agent_forget_writes(struct rec_session *s);

/* ---- turns.c ---- */
/* Draws what holds for the whole recording. */
void rec_chance_init(struct rec_session *s);
/* How long a signal waits for an event: nanoseconds. */
uint64_t rec_patience(struct rec_session *s);
/* How many instructions behind a site a task is preempted. */
unsigned rec_chance_steps(struct rec_session *s);
/* Puts a task into its group's queue, behind those of its priority. */
void rec_queue(struct rec_session *s, struct rec_task *t, enum rec_todo todo);
/* To the front, whatever its priority: it had the turn when it stopped, and has computed since its
 * last event. */
void rec_queue_first(struct rec_session *s, struct rec_task *t);
/* Has somebody in the queue a higher real-time priority? */
bool rec_outranked(struct rec_session *s, const struct rec_task *t);
/* The queued task, which stands at an event, goes on in user mode. */
void rec_begin_turn(struct rec_session *s, struct rec_task *t);
/* Does chance want another to have the turn after this event? */
bool rec_ends_turn(struct rec_session *s, struct rec_task *t);

/* ---- event.c ---- */
/* Adds a record to the event being built for the task. */
void rec_datum(struct rec_session *s, struct rec_task *t, uint32_t kind, taddr addr,
	       const void *bytes, size_t length);
/* Adds the tracee's memory as TRACE_D_MEMORY (or another kind). */
void rec_memory(struct rec_session *s, struct rec_task *t, uint32_t kind, taddr addr,
		size_t length);
void rec_regs_datum(struct rec_session *s, struct rec_task *t, const struct regs *regs);
void rec_xstate_datum(struct rec_session *s, struct rec_task *t);
/* Commits the event; abandons it instead if the tracee is gone (and returns 0). */
uint64_t rec_commit(struct rec_session *s, struct rec_task *t, enum trace_event_kind kind,
		    uint16_t flags, uint32_t arg, int64_t result, const struct regs *regs);

/* ---- timeout.c ---- */
/* Just before the call is made: if it is made again, with what is left of its timeout. */
void rec_shorten_timeout(struct rec_task *t);

/* ---- call.c ---- */
/* Is any of this one of our pages, or scratch memory? */
bool rec_is_ours(const struct rec_task *t, taddr start, uint64_t length);
/* Refuses a call that would change such memory. */
void rec_answer_ours(struct rec_session *s, struct rec_task *t);
/* With outer rules: before they are asked. A call that they answer never comes to our own stop. */
void rec_before_rules(struct rec_session *s, struct rec_task *t);
void rec_on_call_entry(struct rec_session *s, struct rec_task *t);
void rec_on_call_exit(struct rec_session *s, struct rec_task *t);
/* Writes TRACE_EV_SYSCALL_ENTER for the open call if that was not done. */
void rec_commit_enter(struct rec_session *s, struct rec_task *t);
/* Is it a result after which the kernel makes the call again? */
bool rec_is_restart(int64_t result);
/* Keeps memory that the open call reads, for dump. */
void rec_keep_input(struct rec_task *t, taddr addr, size_t length);
/* Adds bytes that a call has read to the event being built. */
void rec_input_datum(struct rec_session *s, struct rec_task *t, taddr addr, const void *bytes,
		     size_t length);
/* Blocks until this task stops or ends, and handles that: for calls that end soon. */
void rec_await(struct rec_session *s, struct rec_task *t);
/* Answers the call without making it. Data records of the event may have been added before. */
void rec_answer(struct rec_session *s, struct rec_task *t, int64_t result);
/* The same, but the task is left stopped. */
void rec_answer_only(struct rec_session *s, struct rec_task *t, int64_t result);
void rec_call_reset(struct rec_call *call);

/* ---- handlers.c: irregular calls ---- */
enum rec_verdict {
	REC_MAKE,	/* make the call, save its outputs */
	REC_MAKE_ENTER, /* the same, and write SYSCALL_ENTER first */
	REC_ANSWERED,	/* rec_answer() was called */
	REC_NO_EXIT,	/* resumed by the handler; if the call returns, it failed */
};

struct rec_handler {
	/* False if others run who must not: the call waits for its turn, and asks again. */
	bool (*may_begin)(struct rec_session *s, struct rec_task *t);
	enum rec_verdict (*enter)(struct rec_session *s, struct rec_task *t);
	/* Before the call's event is committed; adds records. */
	void (*exit)(struct rec_session *s, struct rec_task *t);
};

const struct rec_handler *rec_handler(enum sc_handler handler);

/* ---- emulate.c: calls that the recorder answers ---- */
enum rec_verdict rec_affinity_set(struct rec_session *s, struct rec_task *t);
enum rec_verdict rec_affinity_get(struct rec_session *s, struct rec_task *t);
enum rec_verdict rec_tsc(struct rec_session *s, struct rec_task *t);
enum rec_verdict rec_cpuid(struct rec_session *s, struct rec_task *t);
enum rec_verdict rec_dumpable(struct rec_session *s, struct rec_task *t);
enum rec_verdict rec_no_new_privs(struct rec_session *s, struct rec_task *t);
enum rec_verdict rec_fanotify(struct rec_session *s, struct rec_task *t);
enum rec_verdict rec_ptrace(struct rec_session *s, struct rec_task *t);

/* ---- seccomp.c: the program's own rules ---- */
enum rec_verdict rec_seccomp(struct rec_session *s, struct rec_task *t);
enum rec_verdict rec_prctl_seccomp(struct rec_session *s, struct rec_task *t);
enum rec_verdict rec_user_dispatch(struct rec_session *s, struct rec_task *t);
/* Turns the open call into SIGSYS if the program asked for that; true if so. */
bool rec_dispatched(struct rec_session *s, struct rec_task *t);
/* Applies them to the open call; true if it was answered or the task is to die. */
bool rec_filtered(struct rec_session *s, struct rec_task *t);
void rec_filter_hold(struct rec_filter *filter);
void rec_filter_release(struct rec_filter *filter);

/* ---- exec.c ---- */
/* Would executing this file give more rights than we have? The kernel does not give them to a
 * process whose tracer lacks them (execve(2)). */
bool rec_gains_rights(const struct stat *status);
enum rec_verdict rec_exec_enter(struct rec_session *s, struct rec_task *t);
void rec_on_exec(struct rec_session *s, struct rec_task *t);
/* The first process, stopped at its first exec. */
void rec_first_image(struct rec_session *s, struct rec_task *t);

/* ---- faults.c: the signals that traps of ours raise ---- */
void rec_sigaction_exit(struct rec_session *s, struct rec_task *t);
void rec_sigmask_exit(struct rec_session *s, struct rec_task *t);
void rec_faults_inherit(struct rec_task *child, struct rec_task *t);
/* In the image that the leader has executed, before anything traps there. */
void rec_faults_exec(struct rec_session *s, struct rec_task *t);
/* A handler was entered. */
void rec_faults_delivered(struct rec_task *t, int signal);
/* After an instruction that raised it and was emulated. */
void rec_restore_segv(struct rec_task *t);
/* After traps of ours, before the task goes on in user mode. */
void rec_restore_trap(struct rec_task *t);
/* Before a handler's frame, which holds the mask, where no call can be made. */
void rec_restore_trap_mask(struct rec_task *t);

/* ---- signal.c ---- */
void rec_on_signal(struct rec_session *s, struct rec_task *t, int signal);
/* SECCOMP_RET_KILL_* and the like: the process dies by the signal instead of making the call. */
void rec_kill_by_rules(struct rec_session *s, struct rec_task *t, int signal);
/* At a system call entry, with a signal stashed: moves back and takes the signal first. */
void rec_signal_before_call(struct rec_session *s, struct rec_task *t);
/* At an event that is not a call: a stashed signal becomes pending, and is taken on resuming. */
void rec_send_stash(struct rec_session *s, struct rec_task *t);
/* Strikes off what was sent and does not wait any more. */
void rec_forget_sent(struct rec_task *t);
/* Goes on with the turn to the signal that was just sent: what the task has computed has no event
 * yet that would put it before what others do. */
void rec_go_to_signal(struct rec_task *t);
/* Takes the stashed signal here, at t->place: the task is at a stop by a signal. */
void rec_take_stash_here(struct rec_session *s, struct rec_task *t);

/* ---- async.c: places between events ---- */
/* Before the loop waits: sees to it that it is woken up when a task has computed for long
 * enough. */
void rec_plan_tick(struct rec_session *s);
/* Woken up: interrupts those whose time is up. */
void rec_tick(struct rec_session *s);
/* The task has come to a group stop. In a larger group others go on meanwhile, and see what it has
 * computed: a place is recorded. True if it is on its way back to the group stop. */
bool rec_place_group_stop(struct rec_session *s, struct rec_task *t);
/* The same where it has just been taken back to before a call. */
void rec_place_before_call(struct rec_session *s, struct rec_task *t);
/* The task was interrupted, somewhere between events. */
void rec_on_interrupt(struct rec_session *s, struct rec_task *t);
/* Lets a task that has a signal to take go on in user mode, to the next place. */
void rec_run_to_place(struct rec_session *s, struct rec_task *t);
/* Preempts a task at most so many instructions behind the event that was just committed. */
void rec_preempt_after(struct rec_session *s, struct rec_task *t, unsigned steps);
/* A site's counter has trapped. */
void rec_on_hit(struct rec_session *s, struct rec_task *t);
/* Writes TRACE_EV_SCHED: t->place is where others get the turn, or a stop signal hits. */
void rec_preempt(struct rec_session *s, struct rec_task *t);
/* Adds what tells a replay where t->place is, and forgets it: the event is about to be
 * committed. */
void rec_place_data(struct rec_session *s, struct rec_task *t);

/* ---- files.c ---- */
/* Keeps a mapped file. `fd`: open on it for reading, or -1 if that cannot be had: then returns
 * TRACE_NO_FILE, and the mapping's memory must be recorded. */
uint32_t rec_map_file(struct rec_session *s, struct rec_task *t, int fd, const char *path,
		      const struct stat *status, bool shared, bool writable);
/* Do the numbers of segments mean the same here and in the program? */
bool rec_shares_ipc(const struct rec_task *t);
uint32_t rec_map_segment(struct rec_session *s, struct rec_task *t, int id, taddr addr,
			 size_t size);
/* After the call's event: TRACE_EV_FILE_WRITE for what it changed in mapped files. */
void rec_note_file_changes(struct rec_session *s, struct rec_task *t);
/* At the entry of a call that may change a file: makes all who have that mapped one group, or whose
 * memory it is. False if somebody of it is running: the call must wait for its turn. */
bool rec_may_change_file(struct rec_session *s, struct rec_task *t);
/* A write to the memory of a recorded process through /proc/PID/mem: adds what is there now. */
void rec_note_memory_file(struct rec_session *s, struct rec_task *t);
/* Has any address space of ours this file mapped, or had it? */
bool rec_is_mapped(struct rec_session *s, const struct stat *status);
/* The flags TRACE_F_ECHO_* of a descriptor. */
uint16_t rec_echo_flags(struct rec_session *s, struct rec_task *t, int fd);
void rec_files_leave(struct rec_session *s, struct rec_mm *mm);
void rec_files_deinit(struct rec_session *s);

/* ---- fallback.c ---- */
void rec_fallback_before(struct rec_session *s, struct rec_task *t);
void rec_fallback_after(struct rec_session *s, struct rec_task *t);

#endif
