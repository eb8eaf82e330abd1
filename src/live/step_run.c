/* Instead of many single steps: to where a hook has said, with a debug register.
 *
 * Invariant: a thread that runs comes by at t->armed, or stops before for a signal or because it is
 * interrupted. Only the kernel can send it elsewhere, out of a restartable sequence (rseq(2)): inside
 * of one it is stepped, and the write that begins one stops it, too. While it is stepped, a stop at
 * a former place is one that no instruction was executed for, which hooks can tell. Without debug
 * registers, or with breakpoints in some, all are single steps. */
#include "live/state.h"

/* They are taken from the end. */
#define PLACE	 (arch.debug_slots - 1)
#define SEQUENCE (arch.debug_slots - 2)

static bool set(struct task *t, unsigned slot, enum arch_debug kind, taddr at, unsigned length)
{
	return arch.set_debug(t->pub.tracee.tid, slot, at ? kind : ARCH_DEBUG_OFF, at, length);
}

void step_unsure(struct task *t)
{
	t->sequence_known = false;
	t->no_run = false;
}

void step_disarm(struct task *t)
{
	if (t->armed)
		set(t, PLACE, ARCH_DEBUG_OFF, 0, 0);
	if (t->sequence)
		set(t, SEQUENCE, ARCH_DEBUG_OFF, 0, 0);
	step_forget(t);
}

void step_forget(struct task *t)
{
	t->armed = 0;
	t->sequence = 0;
	step_unsure(t);
}

void step_born(struct task *t, const struct task *parent)
{
	if (!parent->armed && !parent->sequence)
		return;
	set(t, PLACE, ARCH_DEBUG_OFF, 0, 0);
	set(t, SEQUENCE, ARCH_DEBUG_OFF, 0, 0);
}

static bool watch_sequences(struct task *t)
{
	taddr at;

	if (t->sequence_known)
		return true;
	if (!tracee_sequence(&t->pub.tracee, &at) ||
	    (at != t->sequence && !set(t, SEQUENCE, ARCH_DEBUG_WRITE, at, sizeof(uint64_t))))
		return false;
	t->sequence = at;
	t->sequence_known = true;
	return true;
}

/* Or was a short while ago: the kernel clears that word when it next looks at it. */
static bool in_sequence(struct task *t)
{
	uint64_t word;

	return t->sequence &&
	       (live_read(&t->pub, t->sequence, &word, sizeof(word)) < sizeof(word) || word);
}

static bool arm(struct task *t, taddr at)
{
	if (at == t->armed)
		return true;
	if (t->armed ? !arch.move_debug(t->pub.tracee.tid, PLACE, at)
		     : !set(t, PLACE, ARCH_DEBUG_EXECUTE, at, 1))
		return false;
	t->armed = at;
	return true;
}

bool step_run(struct task *t)
{
	taddr at = t->pub.run_to;

	if (mm_of(t)->debug_used)
		step_disarm(t);
	if (!at || t->pub.stop == LIVE_STOP_SIGNAL || t->fresh || t->no_run ||
	    mm_of(t)->debug_used || arch.traces_itself(tracee_regs(&t->pub.tracee)))
		return false;
	if (!watch_sequences(t) || !arm(t, at)) {
		t->no_run = true;
		return false;
	}
	if (in_sequence(t))
		return false;
	t->stepped = true;
	t->shows = ARCH_SHOW_NOTHING;
	t->pub.code_known = false;
	return true;
}
