/* Breakpoints and watchpoints: what stops a task of the process on its way to its event.
 *
 * Breakpoints are bytes of code that trap, put there when a task of the process runs and taken out
 * when it stops. Watchpoints are debug registers (the first belongs to src/softpmu), and, for what
 * the kernel has written, a look at the memory after each event. */
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "timeline/state.h"

#define FIRST_SLOT 1u

/* ---- in memory ---- */

taddr breaks_pc(struct rep_task *t)
{
	taddr pc = arch.pc(tracee_regs(&t->tracee));
	unsigned offset;

	vec_foreach (&t->mm->probes.sites, probe)
		if (softpmu_find_copy(probe->copies, probe->length, pc, &offset))
			return probe->pc + offset;
	return pc;
}

void breaks_insert(struct timeline *tl, struct rep_task *t)
{
	if (tl->deaf || tl->at_event || !tl_is_ours(tl, t) || tl->inserted.count)
		return;
	vec_foreach (&tl->breakpoints, addr) {
		struct inserted one = {*addr, softpmu_real_place(&t->mm->probes, *addr), 0};

		if (tracee_read(&t->tracee, one.at, &one.saved, 1) == 1 &&
		    tracee_write(&t->tracee, one.at, arch.break_code, 1) == 1)
			vec_push(&tl->inserted, one);
	}
}

void breaks_remove(struct timeline *tl, struct rep_task *t)
{
	vec_foreach (&tl->inserted, one)
		tracee_write(&t->tracee, one->at, &one->saved, 1);
	vec_clear(&tl->inserted);
}

bool breaks_has(const struct timeline *tl, taddr addr)
{
	vec_foreach (&tl->breakpoints, one)
		if (*one == addr)
			return true;
	return false;
}

bool breaks_near(const struct timeline *tl, taddr pc)
{
	vec_foreach (&tl->breakpoints, one)
		if (!tl->deaf && *one + 1 >= pc && *one < pc + ARCH_WINDOW_MAX)
			return true;
	return false;
}

static void arm_watches(struct timeline *tl, struct rep_task *t, bool on)
{
	for (size_t i = 0; i < tl->watches.count && tl_is_ours(tl, t); i++) {
		const struct watch *watch = &tl->watches.items[i];

		tracee_set_debug(&t->tracee, FIRST_SLOT + (unsigned)i,
				 on && !tl->deaf ? watch->kind : ARCH_DEBUG_OFF, watch->addr,
				 watch->length);
	}
}

bool tl_is_interrupted(const struct timeline *tl)
{
	return tl->interrupted && !tl->resolute;
}

/* Also in a signal handler. */
static void interrupt(struct timeline *tl, pid_t tid)
{
	tl->kicked = 1;
	ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
}

static void before_run(void *context, struct rep_task *t)
{
	struct timeline *tl = context;

	breaks_insert(tl, t);
	arm_watches(tl, t, true);
	tl->running = t->tracee.tid;
	if (tl_is_interrupted(tl))
		interrupt(tl, t->tracee.tid);
}

static void after_run(void *context, struct rep_task *t)
{
	struct timeline *tl = context;

	tl->running = 0;
	if (tl->kicked)
		tracee_forget_interrupt(&t->tracee);
	tl->kicked = 0;
	if (tl->watches.count && !tl->deaf)
		arm_watches(tl, t, false);
}

/* ---- stops ---- */

void breaks_look(struct timeline *tl)
{
	struct rep_task *t = tl->watches.count ? tl_any_task(tl) : NULL;

	if (!t)
		return;
	vec_foreach (&tl->watches, watch)
		tracee_read(&t->tracee, watch->addr, &watch->value, watch->length);
}

static bool is_breakpoint(struct timeline *tl, struct rep_task *t)
{
	taddr at = arch.break_pc(tracee_regs(&t->tracee));

	vec_foreach (&tl->inserted, one) {
		if (one->at != at || !tracee_is_trap_instruction(&t->tracee))
			continue;
		arch.set_pc(tracee_regs_mut(&t->tracee), at);
		softpmu_leave_call_copies(&t->tracee, &t->mm->probes);
		tl->stop = (struct timeline_stop){
			.cause = TIMELINE_BREAKPOINT, .tid = t->tid, .addr = one->addr};
		return true;
	}
	return false;
}

static bool is_watchpoint(struct timeline *tl, struct rep_task *t)
{
	unsigned hits = tl->watches.count ? arch.debug_hits(t->tracee.tid) >> FIRST_SLOT : 0;

	for (size_t i = 0; i < tl->watches.count; i++) {
		if (!(hits & 1u << i))
			continue;
		tl->stop = (struct timeline_stop){.cause = TIMELINE_WATCHPOINT,
						  .tid = t->tid,
						  .addr = tl->watches.items[i].addr};
		breaks_look(tl); /* or it would be found changed once more */
		return true;
	}
	return false;
}

static bool is_wanted(void *context, struct rep_task *t, int status)
{
	struct timeline *tl = context;
	bool wanted = false;

	if (tracee_event(status)) {
		wanted = tl_is_interrupted(tl);
		tl->stop = (struct timeline_stop){.cause = TIMELINE_INTERRUPTED, .tid = t->tid};
	} else if (WSTOPSIG(status) == SIGTRAP && !tl->deaf) {
		wanted = is_breakpoint(tl, t) || is_watchpoint(tl, t);
	}
	breaks_remove(tl, t);
	if (wanted)
		softpmu_clear_shadow(&t->tracee, &t->mm->probes);
	return wanted;
}

static bool is_caught(const struct timeline *tl, int number)
{
	if (tl->catch_all)
		return true;
	vec_foreach (&tl->caught, one)
		if (*one == number)
			return true;
	return false;
}

static bool is_call(const struct trace_event *event)
{
	return event->kind == TRACE_EV_SYSCALL || event->kind == TRACE_EV_SYSCALL_ENTER;
}

static bool is_event_wanted(void *context, struct rep_task *t)
{
	struct timeline *tl = context;
	const struct trace_event *event = &tl->s.event;

	if (tl->halt == event->number) {
		tl->halt = 0;
		tl->stop = (struct timeline_stop){.cause = TIMELINE_STEPPED, .tid = t->tid};
		return true;
	}
	if (tl->deaf || !tl_is_ours(tl, t) || tl->announced == event->number)
		return false;
	if (event->kind == TRACE_EV_SIGNAL || event->kind == TRACE_EV_SIGNAL_FATAL) {
		tl->stop = (struct timeline_stop){
			.cause = TIMELINE_SIGNAL, .tid = t->tid, .signal = (int)event->arg};
	} else {
		if (!is_call(event) || !is_caught(tl, (int)event->arg))
			return false;
		tl->stop = (struct timeline_stop){.cause = TIMELINE_CALL,
						  .tid = t->tid,
						  .number = (int)event->arg,
						  .before = true};
	}
	tl->announced = event->number;
	return true;
}

const struct rep_pauser breaks_pauser = {
	.before_run = before_run,
	.after_run = after_run,
	.is_wanted = is_wanted,
	.seek = tl_seek,
	.is_event_wanted = is_event_wanted,
};

/* ---- what the kernel writes ---- */

bool breaks_changed(struct timeline *tl)
{
	struct rep_task *t = tl->watches.count && !tl->deaf ? tl_any_task(tl) : NULL;
	bool changed = false;

	for (size_t i = 0; t && i < tl->watches.count; i++) {
		struct watch *watch = &tl->watches.items[i];
		uint64_t now = watch->value;

		tracee_read(&t->tracee, watch->addr, &now, watch->length);
		if (now == watch->value)
			continue;
		watch->value = now;
		changed = true;
		tl->stop = (struct timeline_stop){
			.cause = TIMELINE_WATCHPOINT, .tid = t->tid, .addr = watch->addr};
	}
	return changed;
}

/* ---- put aside ---- */

struct breaks_aside breaks_only(struct timeline *tl, const taddr *addrs, size_t count)
{
	struct breaks_aside aside = {tl->breakpoints, tl->watches.count, tl->caught.count,
				     tl->catch_all,   tl->deaf,		 tl->resolute};

	memset(&tl->breakpoints, 0, sizeof(tl->breakpoints));
	vec_append(&tl->breakpoints, addrs, count);
	tl->watches.count = tl->caught.count = 0;
	tl->catch_all = tl->deaf = false;
	return aside;
}

void breaks_put_back(struct timeline *tl, const struct breaks_aside *aside)
{
	vec_deinit(&tl->breakpoints);
	tl->breakpoints = aside->breakpoints;
	tl->watches.count = aside->watches;
	tl->caught.count = aside->caught;
	tl->catch_all = aside->catch_all;
	tl->deaf = aside->deaf;
	tl->resolute = aside->resolute;
}

/* ---- the user's ---- */

void timeline_set_breakpoint(struct timeline *tl, taddr addr, bool on)
{
	for (size_t i = 0; i < tl->breakpoints.count; i++) {
		if (tl->breakpoints.items[i] != addr)
			continue;
		if (!on)
			vec_remove(&tl->breakpoints, i);
		return;
	}
	if (on)
		vec_push(&tl->breakpoints, addr);
}

static unsigned piece(taddr addr, uint64_t length)
{
	unsigned size = 8;

	while (size > length || addr % size)
		size /= 2;
	return size;
}

static void drop_watch(struct timeline *tl, enum arch_debug kind, taddr addr, unsigned length)
{
	for (size_t i = 0; i < tl->watches.count; i++) {
		const struct watch *watch = &tl->watches.items[i];

		if (watch->kind != kind || watch->addr != addr || watch->length != length)
			continue;
		vec_remove(&tl->watches, i);
		return;
	}
}

bool timeline_set_watchpoint(struct timeline *tl, enum arch_debug kind, taddr addr, uint64_t length,
			     bool on)
{
	unsigned pieces = 0;

	for (uint64_t done = 0; done < length; done += piece(addr + done, length - done))
		pieces++;
	if (on && tl->watches.count + pieces + FIRST_SLOT > arch.debug_slots)
		return false;
	for (uint64_t done = 0; done < length;) {
		unsigned size = piece(addr + done, length - done);
		struct watch watch = {kind, addr + done, size, 0};

		if (on)
			vec_push(&tl->watches, watch);
		else
			drop_watch(tl, kind, addr + done, size);
		done += size;
	}
	return true;
}

void timeline_catch_calls(struct timeline *tl, bool on, const int *numbers, size_t count)
{
	tl->catch_all = on && !count;
	vec_clear(&tl->caught);
	for (size_t i = 0; on && i < count; i++)
		vec_push(&tl->caught, numbers[i]);
}

void timeline_interrupt(struct timeline *tl)
{
	pid_t running = tl->running;

	tl->interrupted = 1;
	if (running && !tl->resolute)
		interrupt(tl, running);
}
