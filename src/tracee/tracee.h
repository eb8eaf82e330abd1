/* Control of one traced thread: registers, memory, resuming, remote system calls.
 *
 * A tracee may be killed at any moment, so every ptrace call can find it gone (ESRCH). That is no
 * error: the tracee's `gone` is set, further operations do nothing and return zeros, and the
 * session learns the end from wait. Callers check `gone` where it matters, not after each call.
 * Semantics: ptrace(2), proc(5). */
#ifndef WARP_TRACEE_TRACEE_H
#define WARP_TRACEE_TRACEE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/types.h>

#include "arch/arch.h"
#include "util/error.h"
#include "util/taddr.h"
#include "util/vec.h"

/* mmap(2) since Linux 6.11. */
#define WARP_MAP_DROPPABLE 8

struct agent_state;

/* A debug register. */
struct tracee_debug {
	enum arch_debug kind;
	unsigned length;
	taddr at;
};

#define TRACEE_DEBUG_SLOTS 4

struct tracee {
	pid_t tid, tgid;
	int mem; /* /proc/TID/mem, opened at first use; -1 */
	bool stopped;
	bool gone;
	bool regs_valid, regs_dirty;
	struct regs regs;
	int stop_again; /* a stop signal that arrived during a remote call: sent again after it */
	bool interrupt_again; /* the same for tracee_interrupt() and group stops */
	/* Its end, or the stop before that, which came during a remote call: the next wait tells
	 * it, and until then nothing is resumed, and it is `gone`. 0: none. */
	int unseen;
	bool trapped;	   /* by a SIGTRAP since the caller cleared this */
	bool ignores_trap; /* the program ignores SIGTRAP: remote calls must not raise it */
	bool blocks_trap;  /* it blocks SIGTRAP: the same; and each trap of ours unblocks it */
	siginfo_t
		kept_trap; /* its own SIGTRAP, which the kernel made one with ours; signo 0: none */
	bool interrupted;  /* tracee_interrupt() was called; the caller takes note of its stop */
	bool stray;	   /* see tracee_forget_interrupt() */
	/* Debug registers: as they shall be when it runs, and as they are. Each change costs tens
	 * of microseconds. */
	struct tracee_debug wanted[TRACEE_DEBUG_SLOTS], debug[TRACEE_DEBUG_SLOTS];
	uint64_t stops; /* how many stops it made: the price of tracing */
};

void tracee_init(struct tracee *tracee, pid_t tid, pid_t tgid);
void tracee_deinit(struct tracee *tracee);

/* Maps the agent (src/abi/agent_abi.h) and writes its code and state. False: there is no room. */
bool tracee_map_agent(struct tracee *tracee, const struct agent_state *state);
/* Blocks all signals but those that instructions raise; ours, too, where the program blocks
 * SIGTRAP. */
void tracee_block_signals(struct tracee *tracee);

/* ---- stops ---- */

/* Waits for this tracee's next stop or end, and notes it. Returns the wait status, or -1 if the
 * tracee does not exist any more. `flags`: 0 or WNOHANG (then 0: nothing happened). */
int tracee_wait(struct tracee *tracee, int flags);
/* The same, but returns 0 also when a signal of ours has interrupted the wait. */
int tracee_wait_once(struct tracee *tracee, int flags);
/* Of a stopped tracee that was interrupted, nobody knows whether before its stop or behind it: the
 * stop of that, if it is still to come, will be seen by nobody. For replays: a signal to resume it
 * with would be lost. */
void tracee_forget_interrupt(struct tracee *tracee);
/* Notes a stop that somebody else's wait has reported. */
void tracee_stopped(struct tracee *tracee, int status);
/* At the stop of a signal: if that is the program's own SIGTRAP, which was sent again, puts into
 * *info who has sent it at first. */
void tracee_take_kept_trap(struct tracee *tracee, siginfo_t *info);
/* Lets it run: `how` is PTRACE_CONT, PTRACE_SYSCALL, PTRACE_SYSEMU, PTRACE_SINGLESTEP or
 * PTRACE_LISTEN. Writes changed registers first. */
void tracee_resume(struct tracee *tracee, int how, int signal);
unsigned long tracee_event_message(struct tracee *tracee);
/* From the next resume on that debug register is so; length as in arch.h. (src/live sets them by
 * arch.set_debug() alone.) */
void tracee_set_debug(struct tracee *tracee, unsigned slot, enum arch_debug kind, taddr at,
		      unsigned length);
/* The first of them stops it before it executes the instruction there; 0: nothing. */
void tracee_break_at(struct tracee *tracee, taddr at);
/* Asks it to stop, wherever it is; the stop is PTRACE_EVENT_STOP, or what else comes first. */
void tracee_interrupt(struct tracee *tracee);
/* Stops tracing a stopped tracee. A signal can be given from a signal's stop only. */
void tracee_detach(struct tracee *tracee, int signal);
/* PTRACE_GET_SYSCALL_INFO (Linux 5.3) at a stop before or after a call. */
bool tracee_call_info(struct tracee *tracee, struct __ptrace_syscall_info *info);

/* PTRACE_EVENT_* of a stop's wait status, 0 if it is none. */
static inline int tracee_event(int status)
{
	return status >> 16;
}

/* ---- registers. The pointer is valid until the tracee is resumed ---- */

const struct regs *tracee_regs(struct tracee *tracee);
/* For changing them; they are written when the tracee is resumed. */
struct regs *tracee_regs_mut(struct tracee *tracee);
void tracee_set_regs(struct tracee *tracee, const struct regs *regs);
/* A register set as the kernel has it, by its note type (ptrace(2), PTRACE_GETREGSET). *length:
 * room before, bytes after. Returns 0 or an errno value. What tracee_regs_mut has changed
 * counts. */
int tracee_get_set(struct tracee *tracee, unsigned note, void *to, size_t *length);
int tracee_put_set(struct tracee *tracee, unsigned note, const void *from, size_t length);
/* Changed registers reach the tracee now: before somebody else looks at it. */
void tracee_write_regs(struct tracee *tracee);
/* Vector and floating point state, in the processor's own format. */
bool tracee_get_xstate(struct tracee *tracee, struct bytes *out);
void tracee_set_xstate(struct tracee *tracee, const void *bytes, size_t length);

/* ---- signals ---- */

bool tracee_get_siginfo(struct tracee *tracee, siginfo_t *info);
/* Has an instruction that traps caused this stop by SIGTRAP? A breakpoint register's and a step's
 * are other ones (si_code; arch/x86/kernel/traps.c). */
bool tracee_is_trap_instruction(struct tracee *tracee);
/* Has the breakpoint of tracee_break_at()? Not if a watchpoint has as well: a write right before it
 * is told together with it. */
bool tracee_is_at_break(struct tracee *tracee);
void tracee_set_siginfo(struct tracee *tracee, const siginfo_t *info);
/* Has it a trap of the kernel's (a breakpoint, a step) that is not reported yet? */
bool tracee_trap_pending(struct tracee *tracee);
/* Where is the word that is not 0 while it is in a restartable sequence, which the kernel may send it
 * out of (rseq(2))? 0: it has none. False: the kernel does not tell. */
bool tracee_sequence(struct tracee *tracee, taddr *at);
/* Should that have been overtaken by the stop of a group or an interrupt, whose status is given:
 * now it comes first, the other stop then once more. Returns the status of the present stop. */
int tracee_trap_first(struct tracee *tracee, int status);
/* Will a signal be reported before the stopped tracee executes anything? As far as is known: some
 * are sent only then. */
bool tracee_signal_pending(struct tracee *tracee);
uint64_t tracee_get_sigmask(struct tracee *tracee);
void tracee_set_sigmask(struct tracee *tracee, uint64_t mask);

/* ---- memory ---- */

/* Reads up to `length` bytes; returns how many could be read from `addr` on. */
size_t tracee_read(struct tracee *tracee, taddr addr, void *to, size_t length);
/* Writes through protections, as a debugger may; returns how many bytes were written. */
size_t tracee_write(struct tracee *tracee, taddr addr, const void *from, size_t length);
/* The address space was replaced (exec): the open file refers to the old one. */
void tracee_forget_memory(struct tracee *tracee);
/* For the functions of src/syscalls: context is the struct tracee. */
struct sc_memory tracee_memory(struct tracee *tracee);

/* ---- remote system calls ---- */

/* The stopped tracee makes a call; its registers and signal mask are as before afterwards. Needs
 * the code page in its address space. Returns the kernel's result; -ESRCH if it is gone. */
int64_t tracee_call(struct tracee *tracee, int nr, const uint64_t args[SC_ARGS]);
#define tracee_callv(tracee, nr, ...) \
	tracee_call(tracee, nr, (const uint64_t[SC_ARGS]){__VA_ARGS__})
/* The same for clone: *child is the new thread's id, to be waited for by the caller. */
int64_t tracee_call_clone(struct tracee *tracee, int nr, const uint64_t args[SC_ARGS],
			  pid_t *child);
/* Maps the code and the data page, right after exec, before the program has run: borrows the code
 * at the program counter. */
struct error *tracee_map_pages(struct tracee *tracee);
/* An error if the process, right after exec, has something of its own where these pages go. */
struct error *tracee_check_room(pid_t pid);

#endif
