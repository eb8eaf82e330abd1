/* libwarp: tracing and controlling running Linux programs, for embedding.
 *
 * A tracer (struct warp_tracer) owns one thread, which is what the kernel takes for the tracer of all its
 * targets; the functions here can be called from any thread of yours, also at the same time. A target (struct
 * warp_target) is one process with all its threads, started by you or attached to.
 *
 * There are two ways to work with a target, and they mix:
 * (a) calls: suspend it, look at its threads, registers and memory, set breakpoints, resume it;
 * (b) an event descriptor (warp_fd) for your poll loop: write what the target shall stop for, read what it
 *     has stopped for.
 *
 * Results: functions that return int return 0, or a negative errno value; warp_error() then gives the
 * whole explanation. The values that mean the same everywhere:
 *   -ESRCH   the process or thread has ended (or is none of the target's)
 *   -EBUSY   somebody else traces the process already; or the thread is running and must be stopped for this
 *   -EPERM   the kernel does not allow it; warp_error() says which rule
 *   -EINVAL  an argument makes no sense
 *   -EFAULT  an address that is not mapped
 * Who may trace whom is the kernel's decision (ptrace(2), "Ptrace access mode checking").
 *
 * Blocking: functions wait until the tracer's thread has done it, microseconds to a few milliseconds. Those that
 * can take longer say so.
 *
 * What the target notices: nothing but time. Calls that a stop interrupts go on as if nothing had been,
 * signals keep their siginfo, a process that was stopped (SIGSTOP) stays so, breakpoints do not show in what is
 * read from its memory through this library. That it is traced can be seen in its /proc/PID/status.
 *
 * Ends: the kernel reports the end of a traced process to its tracer. Programs that warp_open_new starts are
 * children of the tracer's thread, which also takes their status when they end after they were closed: you cannot
 * wait for them. A child of your own that you attach to is yours to wait for again once it is closed.
 *
 * What your program must not do: wait for any child (waitpid(-1), wait(), SIGCHLD set to SIG_IGN); that takes
 * the kernel's reports away from the tracer. Wait for the children you know by their ids. */
#ifndef WARP_TRACER_H
#define WARP_TRACER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Grows when something is added; what was there stays compatible within libwarp.so.1. */
#define WARP_API_VERSION 1

struct warp_tracer;
struct warp_target;

/* The explanation of the last failure of a function in this thread: what was attempted, on what, why it failed,
 * what can be done. "" if none has failed. Valid until the next failure in this thread; never NULL. */
const char *warp_error(void);

/* ---- tracers ---- */

/* Starts the tracer's thread. All signals are blocked in it. One tracer is enough for any number of
 * targets. On success *tracer is yours, to be destroyed. -EAGAIN: no thread can be made. */
int warp_tracer_create(struct warp_tracer **tracer);
/* Closes all targets that are still open and ends the thread. All pointers to targets end here. */
void warp_tracer_destroy(struct warp_tracer *tracer);

/* ---- opening and closing targets ---- */

enum warp_open_flags {
	WARP_KILL_ON_CLOSE =
		1 << 0, /* warp_close kills it; so does the end of your process (EXITKILL) */
	WARP_NONBLOCK =
		1 << 1, /* the event descriptor is O_NONBLOCK; fcntl(2) can change that later */
	WARP_NEW_SESSION = 1 << 2, /* warp_open_new: setsid(2) */
};

/* A program to start. Set what you do not need to 0 or NULL. */
struct warp_program {
	char *const *argv; /* NULL-terminated; argv[0] is looked up as execvp(3) does */
	char *const *envp; /* NULL: your environment */
	const int *
		descriptors; /* NULL, or three descriptors of yours that become 0, 1, 2; -1: as yours */
};

/* Starts a program. It stands before its first instruction, after its exec, until it is told to go on (warp_resume, or a
 * write to the event descriptor). Signal mask and ignored signals are yours at the time of warp_tracer_create. On success
 * *target is yours, to be closed. Blocks until the exec is done.
 * -ENOENT, -EACCES, -ENOEXEC: it cannot be executed. */
int warp_open_new(struct warp_tracer *tracer, const struct warp_program *program, unsigned flags,
		  struct warp_target **target);
/* Attaches to a running process; `pid` may be the id of any of its threads. All threads are stopped when this
 * returns, until told to go on. The descriptor as above.
 * -ESRCH, -EPERM, -EBUSY: refused; warp_error() tells the rule. */
int warp_open_pid(struct warp_tracer *tracer, pid_t pid, unsigned flags,
		  struct warp_target **target);
/* After a WARP_CLONE event that reported a new process: makes it a target of its own, still stopped. (A child
 * that you do not open runs on untraced as soon as it is let go.) -ESRCH: it is none that waits. */
int warp_open_child(struct warp_target *parent, pid_t pid, unsigned flags,
		    struct warp_target **target);
/* Ends tracing: takes breakpoints out, delivers signals that were reported and not decided, and lets the process
 * run (or stay stopped, if it was); or kills it (WARP_KILL_ON_CLOSE) and waits for its end. Closes the
 * event descriptor and frees the target. Never fails. */
void warp_close(struct warp_target *target);

/* The process id. Valid also after its end. */
pid_t warp_pid(const struct warp_target *target);

/* ---- (b) events ---- */

/* What a target can stop for. Bits of masks, and the causes in events. */
enum warp_cause {
	WARP_BEFORE_CALL = 1 << 0, /* a: number, b, c, d: the first three arguments */
	WARP_AFTER_CALL = 1 << 1,  /* a: number, b: result (int64_t; -errno on failure) */
	WARP_STEP = 1 << 2,	   /* one instruction executed. a: program counter */
	WARP_SIGNAL =
		1 << 3, /* about to be delivered. a: signal, b: si_code (int64_t), c: si_pid of the
				    * sender or 0, d: si_addr of a fault or si_value */
	WARP_BREAKPOINT = 1 << 4, /* a: its address, b: hits so far */
	WARP_EXIT =
		1
		<< 5, /* a thread has ended. a: wait status (waitpid(2)), b: 1 if it was the last */
	WARP_CLONE = 1 << 6, /* a: id of the new thread or process, b: enum warp_birth */
	WARP_EXEC = 1 << 7,  /* a: the id that the thread had before */
	WARP_STOPPED =
		1 << 8, /* because of warp_interrupt. a: program counter. Needs no bit in a mask */
};

#define WARP_ALL 0xffu /* every bit that a mask can have */

enum warp_birth {
	WARP_NEW_THREAD,
	WARP_NEW_FORK,
	WARP_NEW_VFORK
};

/* What is read from the event descriptor, one at a time: read(fd, &event, sizeof(event)). The thread `tid` is
 * stopped (but at WARP_EXIT), and so are both sides of a WARP_CLONE; other threads are not. */
struct warp_event {
	uint32_t cause; /* one bit of enum warp_cause */
	int32_t tid;
	uint64_t a, b, c, d;
};

enum warp_go_flags {
	WARP_IGNORE =
		1
		<< 0, /* the call of a WARP_BEFORE_CALL is not made; `result` is what it returns */
	WARP_SUPPRESS = 1 << 1, /* the signal of a WARP_SIGNAL is not delivered */
	WARP_KEEP_MASK = 1 << 2 /* `mask` does not count: as it was */
};

/* What is written to the event descriptor, one at a time: write(fd, &go, sizeof(go)); or only the first four
 * bytes, a mask: the rest is 0 then. The mask counts for the whole target from now on. Stopped threads go on: all
 * of them if tid is 0, else that one; a new child goes on if it is named or with all. An empty mask lets
 * the target run to its end without stops. */
struct warp_go {
	uint32_t mask;
	int32_t tid;
	uint32_t flags; /* enum warp_go_flags; of a thread that is not stopped for that: nothing */
	uint32_t reserved; /* 0 */
	int64_t result;
};

/* The target's event descriptor, for poll(2) (POLLIN: an event, or the end), read(2) and write(2); the library's,
 * do not close it. A read gives one event; 0 bytes: the process has ended and all events were read. Without O_NONBLOCK a read
 * waits, with it EAGAIN. What is written to an ended target has no effect. Writes do not wait for the target. */
int warp_fd(const struct warp_target *target);
/* The same with functions: waits up to timeout_ms (-1: for ever) for an event. Returns 1, 0 when the time is up, -ESRCH
 * at the end. Blocks. */
int warp_wait(struct warp_target *target, struct warp_event *event, int timeout_ms);
/* write(2) of *go, but tells whether there was somebody to go on: -ESRCH if the target has ended or has no such thread. */
int warp_go(struct warp_target *target, const struct warp_go *go);
/* Asks a thread (0: all) to stop: WARP_STOPPED is reported for each. Threads that are stopped already: nothing. */
int warp_interrupt(struct warp_target *target, pid_t tid);

/* ---- (a) calls ---- */

/* Stops all threads. Counts: as many resumes. What happens meanwhile is reported afterwards. Blocks
 * until they have stopped: microseconds, but up to two seconds where a thread sleeps uninterruptibly or waits for its
 * vfork child; such a thread stays running (-EBUSY from what needs it stopped). */
int warp_suspend(struct warp_target *target);
/* Undoes one warp_suspend, or the first stop after opening. Threads that are stopped for an event stay so. */
int warp_resume(struct warp_target *target);

/* Thread ids: fills up to `room`, returns how many there are, or -ESRCH. */
int warp_threads(struct warp_target *target, pid_t *tids, size_t room);

struct warp_thread {
	pid_t tid;
	uint32_t stopped; /* 0: running */
	uint32_t cause;	  /* the event it is stopped for, not yet let go; 0: none */
	int32_t call;	  /* number of the system call it is in, -1: none, or running */
	char name[16];
	char state; /* as in /proc/TID/stat: R, S, D, T, t, Z */
	char reserved[7];
};

int warp_thread(struct warp_target *target, pid_t tid, struct warp_thread *thread);

/* Kinds of registers. Layouts are the kernel's, in the target's own format: a 32-bit process has another general one. */
enum warp_flavor {
	WARP_GENERAL, /* struct user_regs_struct of <sys/user.h> (NT_PRSTATUS) */
	WARP_FLOAT,   /* struct user_fpregs_struct: x87 and SSE (NT_PRFPREG) */
	WARP_VECTOR,  /* the whole XSAVE area (NT_X86_XSTATE): up to 16384 bytes */
	WARP_DEBUG,   /* eight uint64_t: DR0 to DR7 */
};

/* Registers of a stopped thread. *size: room in bytes before, bytes filled after. -ENOSPC: not enough room;
 * -EBUSY: the thread runs; -ENODEV: the processor has no such registers. */
int warp_get_regs(struct warp_target *target, pid_t tid, enum warp_flavor flavor, void *regs,
		  size_t *size);
/* Sets them; `size` as warp_get_regs has given it. They count when the thread goes on. */
int warp_set_regs(struct warp_target *target, pid_t tid, enum warp_flavor flavor, const void *regs,
		  size_t size);
/* The system call that a thread is stopped before or after: number and all six arguments. -EINVAL: it is not. */
int warp_get_call(struct warp_target *target, pid_t tid, int *nr, uint64_t args[6]);
/* Before a call: makes another one, or with other arguments. The program finds its argument registers as they were. */
int warp_set_call(struct warp_target *target, pid_t tid, int nr, const uint64_t args[6]);
/* After a call: another result. */
int warp_set_result(struct warp_target *target, pid_t tid, int64_t result);

/* The target's memory; it may be running. Return how many bytes from `addr` on could be read or written, or a negative
 * errno: -EFAULT if none could. Writes pass read-only protections. Breakpoints are neither seen nor harmed. */
ssize_t warp_read(struct warp_target *target, uint64_t addr, void *to, size_t length);
ssize_t warp_write(struct warp_target *target, uint64_t addr, const void *from, size_t length);

/* A stopped thread makes a system call for you (0: any that is stopped); *result is the kernel's: -errno on failure. The thread is as
 * before afterwards. Blocks as long as the call does. -EBUSY: none is stopped. */
int warp_call(struct warp_target *target, pid_t tid, int nr, const uint64_t args[6],
	      int64_t *result);
/* mmap(2) and munmap(2) in the target, private anonymous memory by default (flags 0, fd -1). *addr: the hint before, the
 * place after. A thread must be stopped. */
int warp_mmap(struct warp_target *target, uint64_t *addr, size_t length, int prot, int flags,
	      int fd, uint64_t offset);
int warp_munmap(struct warp_target *target, uint64_t addr, size_t length);

enum warp_breakpoint {
	WARP_BREAK,	   /* in memory: any number */
	WARP_BREAK_HW,	   /* a debug register: there are four */
	WARP_WATCH_WRITE,  /* data is written: reported after the instruction */
	WARP_WATCH_ACCESS, /* or read */
};

/* The target may run. All threads stop there, but only while the mask has WARP_BREAKPOINT. `length` of a watched
 * place: 1, 2, 4 or 8, aligned; else 0. Forked children have none of them; an exec removes them. -EEXIST: there is one;
 * -EFAULT: nothing is mapped there; -ENOSPC: no debug register is left. */
int warp_break(struct warp_target *target, uint64_t addr, enum warp_breakpoint kind,
	       unsigned length);
/* -ENOENT: there is none. */
int warp_unbreak(struct warp_target *target, uint64_t addr);

/* A stopped thread executes one instruction, or enters a signal handler, and is stopped again. Blocks as long as the
 * instruction does (a system call can take for ever). Another event that comes first is reported as usual, and -EINTR. */
int warp_step(struct warp_target *target, pid_t tid);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
