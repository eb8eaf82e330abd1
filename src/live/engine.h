/* The live engine: one ptrace loop over any number of processes and threads.
 *
 * A tool creates an engine with its hooks, brings targets into it (engine_spawn, engine_attach) and
 * calls engine_run, which blocks until the last target has ended or was let go, or until
 * engine_quit. All hooks are called from there, on the calling thread; that is the thread that the
 * kernel takes for the tracer, and all functions but engine_wake must be called on it.
 *
 * Ownership: the engine owns tasks and processes. A task pointer is valid until its `task_ended`
 * hook has returned, a process pointer until `process_ended` has (or `detached`). `user` fields are
 * the tool's; the engine never follows them.
 *
 * In a hook the task is stopped: its registers (live_regs, tracee_regs and kin), memory (live_read)
 * and `call` or `siginfo` can be looked at and changed. When the hook returns, the task goes on,
 * unless the hook has held it (live_hold). A task can be killed at any moment, in the middle of a
 * hook too: then requests do nothing and return zeros (`task->tracee.gone`), and `task_ended`
 * follows.
 *
 * Stopping threads for us never changes what they see: calls that were interrupted go on, group
 * stops and signals stay what they were. Detaching takes breakpoints out, delivers what was to be
 * delivered, and leaves a stopped process stopped.
 *
 * Semantics: ptrace(2), "PTRACE_SEIZE", "Group-stop", "execve(2) under ptrace"; seccomp(2);
 * waitpid(2). Waiting uses __WNOTHREAD: other threads' children are not touched. Whoever else in
 * this process waits for any child (waitpid(-1)) takes our stops away; that is forbidden. */
#ifndef WARP_LIVE_ENGINE_H
#define WARP_LIVE_ENGINE_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "syscalls/syscalls.h"
#include "tracee/tracee.h"
#include "util/error.h"

struct engine;
struct live_breakpoint;
struct live_process;
struct sock_fprog;

/* What a task is to stop for, besides what happens anyway (signals, new tasks, exec, breakpoints,
 * ends). In live_task.wants; a change counts from the task's next resume on. */
enum live_want {
	LIVE_CALLS = 1 << 0, /* every system call: before_call and after_call, two stops */
	LIVE_STEPS = 1 << 1, /* every instruction: step. Together with LIVE_CALLS: both */
};

/* The data of SECCOMP_RET_TRACE in a filter given to engine_spawn. A filter of the program's own
 * that returns RET_TRACE with anything else is answered with ENOSYS, as without a tracer
 * (seccomp(2)). */
#define LIVE_FILTER_DATA 0x5770

/* As much of an instruction as tells whether it makes a call or shows flags. */
#define LIVE_CODE 4

/* Why a stopped task is stopped. */
enum live_stop {
	LIVE_RUNNING,	  /* it is not */
	LIVE_STOP_PLAIN,  /* interrupted, new, after an exec, a clone, a step or a breakpoint */
	LIVE_STOP_BEFORE, /* before a system call */
	LIVE_STOP_AFTER,
	LIVE_STOP_SIGNAL, /* a signal is about to be delivered */
	LIVE_STOP_GROUP,  /* the whole process is stopped (SIGSTOP, ^Z) */
};

/* A thread. Read-only for tools but where it says otherwise. */
struct live_task {
	struct tracee tracee; /* .tid, .tgid; registers: tracee_regs(), tracee_regs_mut() */
	struct live_process *process;
	struct engine *engine;
	unsigned wants; /* enum live_want; change it freely */
	enum live_stop stop;
	void *user; /* the tool's */

	/* The call it is in: from before_call to after_call. `call.nr` and `call.args` are those
	 * the program has made, whatever live_call_change() has made of it; `call.result` is valid
	 * in after_call. */
	struct sc_call call;
	bool in_call;
	/* Set it in before_call: after_call will be called. With LIVE_CALLS it always is. */
	bool want_after;
	/* Made through the 32-bit gate: numbers and registers are i386's, no row is for it. */
	bool foreign_call;
	taddr call_pc; /* the program counter behind the call's instruction */
	taddr call_sp; /* and its stack pointer */

	/* Set by a hook that knows them: the bytes at the program counter. With LIVE_STEPS this
	 * spares the engine a read of memory. Counts for the next resume. */
	uint8_t code[LIVE_CODE];
	bool code_known;

	/* Set by a hook, with LIVE_STEPS: nothing on the way to there is of interest, and the thread
	 * comes by. It may run so far, which is one step then. Counts for the next resume. */
	taddr run_to;

	/* The signal about to be delivered, in `signal`. 0 in `signal` suppresses it; another
	 * number replaces it (siginfo is then the kernel's, but where live_set_siginfo was
	 * called). */
	int signal;
};

/* A process: the threads that share a thread group id. */
struct live_process {
	pid_t pid;
	struct engine *engine;
	unsigned wants; /* what its new threads, and its followed children, begin with */
	bool attached;	/* not spawned by us, nor a descendant of such */
	bool follow;	/* new child processes are targets too; change it freely */
	bool filtered;	/* runs under the filter given to engine_spawn: cannot be let go */
	void *user;	/* the tool's; a child's begins as NULL */
	size_t task_count;
};

/* How a new task came to be. */
enum live_birth {
	LIVE_SPAWNED,  /* engine_spawn: at the end of its exec, before its first instruction */
	LIVE_ATTACHED, /* engine_attach: it ran already. Registers only after it was stopped */
	LIVE_THREAD,   /* a thread of a process that is a target */
	LIVE_FORK,     /* a new process; its first instruction is the one after its parent's call */
	LIVE_VFORK,    /* the same, and its parent waits for its exec or end */
};

/* What a tool wants to hear of. Each may be NULL. `context` is engine_create's.
 * All but task_ended, process_ended, detached and woken are called with the task stopped. Hooks of
 * child processes that are not followed are never called. */
struct live_hooks {
	/* Before the call is made. May look at task->call, change it (live_call_change), or have it
	 * not made (live_call_skip). exit never comes to after_call; execve that succeeds does,
	 * after `exec`. */
	void (*before_call)(void *context, struct live_task *task);
	/* It has been made: task->call.result, also -512..-516 where it was interrupted and will be
	 * made again (-ERESTARTSYS and kin). May change the result (live_call_result) and
	 * memory. */
	void (*after_call)(void *context, struct live_task *task);
	/* A signal is about to be delivered (not: SIGKILL; our own traps). See live_task.signal. */
	void (*signal)(void *context, struct live_task *task, const siginfo_t *info);
	/* The process was stopped by `signal`; this thread takes part in it until SIGCONT. */
	void (*group_stop)(void *context, struct live_task *task, int signal);
	/* LIVE_STEPS: one instruction was executed (of a repeated string instruction, one round),
	 * or a signal handler entered; or see live_task.run_to. */
	void (*step)(void *context, struct live_task *task);
	/* The program counter stands at a breakpoint, whose instruction has not been executed
	 * yet. */
	void (*breakpoint)(void *context, struct live_task *task,
			   struct live_breakpoint *breakpoint);
	/* A new task, stopped. `parent` made it; NULL for LIVE_SPAWNED, LIVE_ATTACHED, and where
	 * the parent was killed at that moment. LIVE_ATTACHED: the task need not be stopped yet. */
	void (*new_task)(void *context, struct live_task *task, struct live_task *parent,
			 enum live_birth birth);
	/* An exec has succeeded; the task stands before the new program's first instruction.
	 * `former` is the id it had before if it was not the leader, else its own. The other
	 * threads have ended (their task_ended came before), breakpoints are gone. */
	void (*exec)(void *context, struct live_task *task, pid_t former);
	/* A thread has ended: its wait status (waitpid(2)). -1: it vanished in another thread's
	 * exec. */
	void (*task_ended)(void *context, struct live_task *task, int status);
	/* The last thread of a process has; status of the process. */
	void (*process_ended)(void *context, struct live_process *process, int status);
	/* engine_detach has let it go. The pointers of the process and its tasks end here. */
	void (*detached)(void *context, struct live_process *process);
	/* live_interrupt was called. At the task's next stop, before the hook of that stop if it
	 * has one. */
	void (*interrupted)(void *context, struct live_task *task);
	/* engine_wake was called, or a descriptor of engine_watch is ready, at least once since the
	 * last time; or for no reason. */
	void (*woken)(void *context);
};

/* ---- the engine ---- */

/* Never NULL. The hooks are copied. */
struct engine *engine_create(const struct live_hooks *hooks, void *context);
/* Lets go of all that is left (engine_detach), kills what was spawned with kill_on_exit. */
void engine_destroy(struct engine *engine);
/* Blocks until there is no target left, or engine_quit was called. Errors: waiting failed. */
struct error *engine_run(struct engine *engine);
/* The same, but returns only after engine_quit: waits for targets to come. */
struct error *engine_serve(struct engine *engine);
/* Lets engine_run return after the hook at hand; it can be called again. */
void engine_quit(struct engine *engine);
/* Makes engine_run call `woken` soon. From any thread and from signal handlers (async-signal-safe);
 * loses no wake-up. Several before the hook is called are one. */
void engine_wake(struct engine *engine);
/* `woken` is called also when there is something new to read from a descriptor. It stays the
 * caller's; closing it ends this. */
struct error *engine_watch(struct engine *engine, int fd);
/* Calls `timer` once, `after_ns` from now, out of engine_run; with the argument, which is not
 * followed. Cannot be taken back: the function looks for itself whether it is still wanted. Targets
 * keep engine_run going, timers do not. */
void engine_timer(struct engine *engine, uint64_t after_ns,
		  void (*timer)(void *context, void *argument), void *argument);
/* Processes and tasks, for listings: call with NULL first; NULL ends it. Ending or detaching what
 * was returned is fine only after asking for its successor. */
struct live_process *engine_next_process(struct engine *engine, struct live_process *after);
struct live_task *live_next_task(struct live_process *process, struct live_task *after);
/* NULL if it is not ours. */
struct live_process *engine_find_process(struct engine *engine, pid_t pid);
struct live_task *engine_find_task(struct engine *engine, pid_t tid);

/* ---- targets ---- */

struct live_spawn {
	char *const *argv; /* the program, looked up as execvp(3) does */
	char *const *envp; /* NULL: our environment */
	/* A seccomp program; NULL: none. Its RET_TRACE must bear LIVE_FILTER_DATA. Implies
	 * kill_on_exit. */
	const struct sock_fprog *filter;
	/* Goes with a filter, which lets such calls stop: may this one install seccomp rules of the
	 * program's own? Those come before the filter; once there are any, every call stops. */
	bool (*sets_rules)(const struct sc_call *call);
	unsigned wants;
	bool follow;
	bool kill_on_exit; /* the kernel kills it when the tracer ends in any way (EXITKILL) */
	bool new_session;  /* setsid */
	/* before_call and after_call for the exec that starts the program, too: then new_task is
	 * called before it. */
	bool show_exec;
	const cpu_set_t *cpus; /* where it may run; NULL: as we do. The program can see this */
	/* NULL, or three: what becomes its stdin, stdout, stderr (-1: as ours). */
	const int *descriptors;
	sigset_t mask;	  /* signal mask that it begins with */
	sigset_t ignored; /* signals that it finds ignored */
};

/* Starts a program; `new_task` (LIVE_SPAWNED) is called out of here. Blocks until the exec is done.
 * Errors name the program; kinds ERROR_NOT_FOUND and ERROR_NOT_EXEC are used. 32-bit programs are
 * fine. */
struct error *engine_spawn(struct engine *engine, const struct live_spawn *spawn,
			   struct live_process **process);

struct live_attach {
	/* LIVE_CALLS, LIVE_STEPS: each thread is interrupted once to begin with it. */
	unsigned wants;
	bool follow;
	bool stop; /* the process is suspended when engine_attach returns, see engine_suspend */
};

/* Takes over a running process, all threads of it (pid may be the id of any of them); `new_task`
 * (LIVE_ATTACHED) is called out of here for each. Refusals are explained: there is no such process,
 * it is a kernel thread, a zombie, ourselves, another user's, not dumpable, traced already (by
 * whom), forbidden by Yama or a container. Error.os_errno: ESRCH, EPERM, EBUSY (traced already, by
 * us too). */
struct error *engine_attach(struct engine *engine, pid_t pid, const struct live_attach *attach,
			    struct live_process **process);

/* Lets a process go; it runs on (or stays stopped) as if nothing had been. Calls that are pending
 * at a stop are made, signals delivered. Calls `detached`; the pointers end. Can be called from any
 * hook, for any process; from a hook of its own task it takes effect when the hook returns. A
 * process with a filter cannot be let go: error. Blocks until its threads have stopped, calling no
 * hooks. */
struct error *engine_detach(struct live_process *process);
/* The same, and leaves it stopped as by SIGSTOP (for gdb to attach to). */
struct error *engine_detach_stopped(struct live_process *process);
/* When the stopped threads of the process that was let go last went on (CLOCK_MONOTONIC). Those
 * that had never stopped may have been waited for after that. */
uint64_t engine_let_go_ns(const struct engine *engine);
/* SIGKILL; its end is reported as usual. */
void engine_kill(struct live_process *process);

/* Stops all threads, waits for that, and keeps them stopped until engine_resume. Calls no hooks:
 * what happens meanwhile is reported after engine_resume. Counts: as many resumes as suspends.
 * Threads that cannot be stopped within `timeout_ms` (in an uninterruptible sleep, or waiting for a
 * vfork child) stay LIVE_RUNNING in `stop`, and *running says how many. */
void engine_suspend(struct live_process *process, unsigned timeout_ms, size_t *running);
void engine_resume(struct live_process *process);
/* A task that may run although its process is suspended, and whose hooks are called. */
void live_set_alone(struct live_task *task, bool alone);

/* ---- a stopped task ---- */

/* What all threads of a process are to stop for from now on. Running ones are interrupted to learn
 * it. */
void live_set_wants(struct live_process *process, unsigned wants);
/* Keeps it stopped after the hook, until live_release. Decisions of the stop (live_call_skip,
 * signal = 0, ...) can still be made while it is held. */
void live_hold(struct live_task *task);
void live_release(struct live_task *task);
bool live_held(const struct live_task *task);
/* Asks a running task to stop: `interrupted` will be called. A call that it blocks in goes on
 * afterwards. */
void live_interrupt(struct live_task *task);

/* In before_call, or held there: the call is not made, its result is `result` (or -errno).
 * after_call comes if it was wanted. */
void live_call_skip(struct live_task *task, int64_t result);
/* In before_call: another call, or other arguments. After the call the program finds its argument
 * registers as they were. `nr` can be call.nr. */
void live_call_change(struct live_task *task, int nr, const uint64_t args[SC_ARGS]);
/* In after_call. Updates task->call too. */
void live_call_result(struct live_task *task, int64_t result);
/* In `signal`: what is delivered; sets task->signal to info->si_signo. */
void live_set_siginfo(struct live_task *task, const siginfo_t *info);

/* ---- memory: as the program sees it, without our breakpoints ---- */

/* How many bytes from `addr` on could be read or written. Writes pass read-only protections. */
size_t live_read(struct live_task *task, taddr addr, void *to, size_t length);
size_t live_write(struct live_task *task, taddr addr, const void *from, size_t length);
/* For the functions of src/syscalls and src/expr; valid as long as the task. */
struct sc_memory live_memory(struct live_task *task);
/* A stopped task makes a system call for us; everything is as before afterwards. From any stop,
 * also before a call. Returns the kernel's result. Other threads run on meanwhile unless
 * suspended. */
int64_t live_remote_call(struct live_task *task, int nr, const uint64_t args[SC_ARGS]);

/* ---- breakpoints: of a process, all its threads stop at them ---- */

enum live_breakpoint_kind {
	LIVE_BREAK,	  /* an instruction in memory: any number of them */
	LIVE_BREAK_HW,	  /* a debug register: the processor has few */
	LIVE_WATCH_WRITE, /* data is written; reported after the instruction that did it */
	LIVE_WATCH_ACCESS,
};

struct live_breakpoint {
	taddr at;
	enum live_breakpoint_kind kind;
	unsigned length; /* of a watched place: 1, 2, 4, 8, aligned */
	uint64_t hits;
	void *user;
};

/* The process may run: its threads are stopped for the moment of the change. Errors: nothing mapped
 * there; no debug register left. Children that are forked have none of them. A second one at the
 * same place is the same one: EEXIST. The pointer is the engine's, valid until removed, an exec, or
 * the end. */
struct error *live_break(struct live_process *process, taddr at, enum live_breakpoint_kind kind,
			 unsigned length, struct live_breakpoint **breakpoint);
void live_unbreak(struct live_process *process, struct live_breakpoint *breakpoint);
struct live_breakpoint *live_break_at(struct live_process *process, taddr at);

#endif
