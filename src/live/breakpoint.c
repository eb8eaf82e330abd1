/* Breakpoints. In memory: the first bytes of an instruction are replaced by one that traps; all
 * threads of the address space see it, and forked copies have it taken out. In debug registers: set
 * for each thread.
 *
 * A thread that goes on from a breakpoint in memory is stepped over it: the others of its address
 * space are stopped, the instruction put back, executed alone, and replaced again. A system call's
 * instruction is left at the stop before the call, so that nobody waits for a call that waits for
 * others. Signals are blocked meanwhile (but those that the instruction itself may cause), so that
 * no handler runs without the breakpoint.
 *
 * Invariant: while a thread runs and nobody is the address space's stepper, all its breakpoints are
 * in. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "live/state.h"
#include "tracee/procfs.h"
#include "util/cleanup.h"

/* A fault whose signal is blocked resets its handler (force_sig_info_to_task() in
 * kernel/signal.c). */
#define ASYNCHRONOUS                                                                             \
	(~(SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | \
	   SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGSYS)))

/* Longer than it takes for a thread in user mode to notice. One that is in the kernel stops before
 * it executes anything. */
#define STOP_OTHERS_MS 100

static bool in_memory(const struct breakpoint *b)
{
	return b->pub.kind == LIVE_BREAK;
}

static struct breakpoint *find_in_memory(struct mm *mm, taddr at)
{
	struct breakpoint *b;

	DL_FOREACH (mm->breakpoints, b)
		if (in_memory(b) && b->pub.at == at)
			return b;
	return NULL;
}

struct live_breakpoint *live_break_at(struct live_process *process, taddr at)
{
	struct breakpoint *b;

	DL_FOREACH (process_of(process)->mm->breakpoints, b)
		if (b->pub.at == at)
			return &b->pub;
	return NULL;
}

/* ---- in memory ---- */

static struct tracee *memory_of(struct process *p)
{
	struct tracee *memory = &p->mm->memory;

	if (memory->mem < 0 && p->tasks)
		memory->tid = p->tasks->pub.tracee.tid;
	return memory;
}

static bool insert(struct mm *mm, struct breakpoint *b)
{
	if (!b->inserted)
		b->inserted = tracee_write(&mm->memory, b->pub.at, arch.break_code,
					   arch.break_size) == arch.break_size;
	return b->inserted;
}

static void take_out(struct mm *mm, struct breakpoint *b)
{
	if (b->inserted)
		tracee_write(&mm->memory, b->pub.at, b->saved, arch.break_size);
	b->inserted = false;
}

static struct error *with_errno(int errnum, struct error *error)
{
	error->os_errno = errnum;
	return error;
}

static struct error *insert_new(struct process *p, struct breakpoint *b)
{
	struct tracee *memory = memory_of(p);

	if (tracee_read(memory, b->pub.at, b->saved, arch.break_size) == arch.break_size &&
	    insert(p->mm, b))
		return NULL;
	return with_errno(EFAULT, error_new("cannot set a breakpoint at %#llx in process %d: "
					    "nothing is mapped there, or what "
					    "is cannot be changed; see /proc/%d/maps",
					    (unsigned long long)b->pub.at, p->pub.pid, p->pub.pid));
}

void break_clean_copy(struct engine *e, struct mm *from, pid_t tid)
{
	struct breakpoint *b;
	struct tracee copy;

	tracee_init(&copy, tid, tid);
	DL_FOREACH (from->breakpoints, b)
		if (in_memory(b) && b->inserted)
			tracee_write(&copy, b->pub.at, b->saved, arch.break_size);
	tracee_deinit(&copy);
}

/* ---- in debug registers ---- */

static bool arm(struct task *t, const struct breakpoint *b, bool on)
{
	static const enum arch_debug kinds[] = {
		[LIVE_BREAK_HW] = ARCH_DEBUG_EXECUTE,
		[LIVE_WATCH_WRITE] = ARCH_DEBUG_WRITE,
		[LIVE_WATCH_ACCESS] = ARCH_DEBUG_ACCESS,
	};

	if (on)
		step_disarm(t); /* there may be no register left for steps */
	return arch.set_debug(t->pub.tracee.tid, (unsigned)b->slot,
			      on ? kinds[b->pub.kind] : ARCH_DEBUG_OFF, b->pub.at, b->pub.length);
}

static int free_slot(const struct mm *mm)
{
	const struct breakpoint *b;
	unsigned used = 0;

	DL_FOREACH (mm->breakpoints, b)
		if (!in_memory(b))
			used |= 1u << b->slot;
	for (unsigned slot = 0; slot < arch.debug_slots; slot++)
		if (!(used & 1u << slot))
			return (int)slot;
	return -1;
}

/* With all threads stopped for the moment. One that cannot be is in the kernel's hands and goes
 * without. */
static bool arm_all(struct process *p, const struct breakpoint *b, bool on)
{
	struct task *t;
	bool ok = true;

	engine_suspend(&p->pub, STOP_OTHERS_MS, NULL);
	DL_FOREACH (p->tasks, t)
		if (!t->running && !t->ended && !arm(t, b, on))
			ok = t->pub.tracee.gone;
	engine_resume(&p->pub);
	return ok;
}

static struct error *arm_new(struct process *p, struct breakpoint *b)
{
	b->slot = free_slot(p->mm);
	if (b->slot < 0)
		return with_errno(ENOSPC, error_new("cannot set a hardware breakpoint at %#llx in "
						    "process %d: all %u debug "
						    "registers are in use; remove one first, or "
						    "use a breakpoint in memory",
						    (unsigned long long)b->pub.at, p->pub.pid,
						    arch.debug_slots));
	if (arm_all(p, b, true))
		return NULL;
	arm_all(p, b, false);
	return with_errno(
		EINVAL,
		error_new(
			"cannot set a hardware breakpoint at %#llx in process %d: the processor or "
			"hypervisor refuses it; watched places must be 1, 2, 4 or 8 bytes and "
			"aligned",
			(unsigned long long)b->pub.at, p->pub.pid));
}

void break_arm_thread(struct task *t)
{
	struct breakpoint *b;

	DL_FOREACH (mm_of(t)->breakpoints, b)
		if (!in_memory(b))
			arm(t, b, true);
}

void break_disarm_thread(struct task *t)
{
	if (!mm_of(t)->debug_used)
		return;
	for (unsigned slot = 0; slot < arch.debug_slots; slot++)
		arch.set_debug(t->pub.tracee.tid, slot, ARCH_DEBUG_OFF, 0, 0);
}

/* ---- setting and removing ---- */

struct error *live_break(struct live_process *process, taddr at, enum live_breakpoint_kind kind,
			 unsigned length, struct live_breakpoint **breakpoint)
{
	struct process *p = process_of(process);
	struct breakpoint *b;

	*breakpoint = live_break_at(process, at);
	if (*breakpoint && (*breakpoint)->kind == kind) {
		struct error *error =
			error_new("there is a breakpoint at %#llx in process %d already",
				  (unsigned long long)at, process->pid);

		error->os_errno = EEXIST;
		return error;
	}
	b = xcalloc(1, sizeof(*b));
	b->pub = (struct live_breakpoint){.at = at, .kind = kind, .length = length};
	b->slot = -1;
	struct error *error = in_memory(b) ? insert_new(p, b) : arm_new(p, b);

	if (error) {
		free(b);
		return error;
	}
	p->mm->debug_used |= !in_memory(b);
	DL_APPEND(p->mm->breakpoints, b);
	*breakpoint = &b->pub;
	return NULL;
}

static void forget(struct mm *mm, struct breakpoint *b)
{
	if (in_memory(b)) {
		take_out(mm, b);
		vec_push(&mm->removed, b->pub.at);
	}
	DL_DELETE(mm->breakpoints, b);
	free(b);
}

void live_unbreak(struct live_process *process, struct live_breakpoint *breakpoint)
{
	struct process *p = process_of(process);
	struct breakpoint *b = (struct breakpoint *)breakpoint;

	if (!in_memory(b))
		arm_all(p, b, false);
	forget(p->mm, b);
}

void break_remove_all(struct engine *e, struct mm *mm)
{
	struct breakpoint *b, *next;

	DL_FOREACH_SAFE(mm->breakpoints, b, next)
	forget(mm, b);
}

/* ---- hits ---- */

/* A trap of a breakpoint that was removed between the trap and its report. */
static bool undo_trap(struct task *t, taddr at)
{
	struct mm *mm = mm_of(t);
	uint8_t now[16];

	vec_foreach (&mm->removed, place) {
		if (*place != at)
			continue;
		if (live_read(&t->pub, at, now, arch.break_size) == arch.break_size &&
		    !memcmp(now, arch.break_code, arch.break_size))
			return false; /* the program's own */
		arch.set_pc(tracee_regs_mut(&t->pub.tracee), at);
		return true;
	}
	return false;
}

static bool on_memory_trap(struct task *t)
{
	taddr at = arch.break_pc(tracee_regs(&t->pub.tracee));
	struct breakpoint *b = find_in_memory(mm_of(t), at);

	if (!b)
		return undo_trap(t, at);
	arch.set_pc(tracee_regs_mut(&t->pub.tracee), at);
	t->hit = at;
	b->pub.hits++;
	hook(t, breakpoint, &b->pub);
	return true;
}

/* No program can use debug registers but through a tracer: all such traps are ours, also those of
 * breakpoints that were removed meanwhile. */
static void on_debug_trap(struct task *t)
{
	unsigned hits = arch.debug_hits(t->pub.tracee.tid);
	struct breakpoint *b, *next;

	DL_FOREACH_SAFE(mm_of(t)->breakpoints, b, next)
	{
		if (in_memory(b) || !(hits & 1u << b->slot))
			continue;
		b->pub.hits++;
		hook(t, breakpoint, &b->pub);
	}
}

bool break_on_trap(struct task *t, const siginfo_t *info)
{
	const struct mm *mm = mm_of(t);

	if (info->si_code == SI_KERNEL && (mm->breakpoints || mm->removed.count))
		return on_memory_trap(t);
	if (info->si_code != TRAP_HWBKPT || !mm->debug_used)
		return false;
	on_debug_trap(t);
	return true;
}

bool break_trap_pending(struct task *t)
{
	const struct mm *mm = mm_of(t);

	if (!mm->breakpoints && !mm->removed.count && !mm->debug_used && !t->stepped)
		return false;
	return tracee_trap_pending(&t->pub.tracee);
}

/* ---- stepping over ---- */

static void stop_others(struct task *t)
{
	struct engine *e = t->pub.engine;
	struct process *p;

	DL_FOREACH (e->processes, p)
		if (p->mm == mm_of(t))
			process_stop_all(p, t, STOP_OTHERS_MS);
}

bool break_step_over(struct task *t)
{
	struct mm *mm = mm_of(t);
	uint8_t bytes[16];

	if (!t->hit || t->pub.stop == LIVE_STOP_GROUP ||
	    (t->pub.stop == LIVE_STOP_SIGNAL && t->pub.signal))
		return false;
	struct breakpoint *b = find_in_memory(mm, t->hit);

	if (!b || !b->inserted || arch.pc(tracee_regs(&t->pub.tracee)) != t->hit) {
		t->hit = 0;
		return false;
	}
	mm->stepper = t;
	stop_others(t);
	if (t->ended)
		return true;
	size_t got = live_read(&t->pub, t->hit, bytes, sizeof(bytes));

	t->pub.in_call = false;
	take_out(mm, b);
	t->over_call = arch.makes_call(bytes, got);
	t->over_step = !t->over_call;
	if (t->over_step) {
		t->mask = tracee_get_sigmask(&t->pub.tracee);
		tracee_set_sigmask(&t->pub.tracee, t->mask | ASYNCHRONOUS);
	}
	task_resume(t, t->over_call ? PTRACE_SYSCALL : PTRACE_SINGLESTEP, 0);
	return true;
}

/* The breakpoint is in again and the others may go on. */
static void end_stepping(struct task *t, struct mm *mm)
{
	struct breakpoint *b = find_in_memory(mm, t->hit);

	if (b)
		insert(mm, b);
	mm->stepper = NULL;
	mm_try_run(t->pub.engine, mm);
}

void break_stepper_gone(struct task *t)
{
	t->over_step = t->over_call = false;
	end_stepping(t, mm_of(t));
}

/* Of a repeated string instruction one round is one step. */
static bool in_middle(struct task *t)
{
	uint8_t bytes[16];
	unsigned length = 0;

	if (arch.pc(tracee_regs(&t->pub.tracee)) != t->hit)
		return false;
	size_t got = live_read(&t->pub, t->hit, bytes, sizeof(bytes));

	return arch.classify(bytes, got, &length) == ARCH_STEP_WHOLE;
}

static bool was_step(struct task *t)
{
	siginfo_t info;

	if (tracee_event(t->status) || WSTOPSIG(t->status) != SIGTRAP)
		return false;
	tracee_get_siginfo(&t->pub.tracee, &info);
	return info.si_code == TRAP_TRACE || info.si_code == TRAP_BRKPT;
}

bool break_stepped(struct task *t)
{
	if (!t->over_step && !t->over_call)
		return false;
	bool step = t->over_step && was_step(t);

	if (t->over_step)
		tracee_set_sigmask(&t->pub.tracee, t->mask);
	t->over_step = t->over_call = false;
	end_stepping(t, mm_of(t));
	if (!step)
		return false;
	t->stepped = false;
	if (!in_middle(t))
		t->hit = 0;
	if (t->pub.wants & LIVE_STEPS)
		hook(t, step);
	return true;
}
