/* The signals that our own traps raise, as the program wants them.
 *
 * The kernel resets a blocked or ignored SIGSEGV or SIGTRAP to its default, and unblocks it, when
 * an instruction raises it (force_sig_info_to_task() in kernel/signal.c). rdtsc does not, natively;
 * and neither do our sites and single steps exist there. What the program has set is noted at its
 * calls, and set again before it goes on. */
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>

#include "record/session.h"
#include "tracee/procfs.h"

/* The kernel's struct sigaction: the handler, flags, a restorer, the mask. */
enum {
	HANDLER,
	FLAGS
};

static struct rec_faults *faults_of(struct rec_task *t)
{
	return &t->leader->faults;
}

static uint64_t *action_of(struct rec_faults *faults, int signal)
{
	return signal == SIGTRAP ? faults->trap : signal == SIGSEGV ? faults->segv : NULL;
}

static bool is_ignored(const uint64_t *action)
{
	return action[HANDLER] == (uint64_t)(uintptr_t)SIG_IGN;
}

/* One that ignores SIGTRAP makes calls for us without a trap. */
static void tell_tracees(struct rec_session *s, struct rec_task *t)
{
	bool ignored = is_ignored(faults_of(t)->trap);

	for (struct rec_task *other = s->tasks; other; other = other->hh.next)
		if (other->leader == t->leader)
			other->tracee.ignores_trap = ignored;
}

void rec_sigaction_exit(struct rec_session *s, struct rec_task *t)
{
	const struct sc_call *call = &t->call.call;
	uint64_t *action = action_of(faults_of(t), (int)call->args[0]);

	if (!action || !call->args[1] || call->result != 0)
		return;
	tracee_read(&t->tracee, call->args[1], action, REC_ACTION_SIZE);
	tell_tracees(s, t);
}

void rec_sigmask_exit(struct rec_session *s, struct rec_task *t)
{
	t->blocked_faults =
		tracee_get_sigmask(&t->tracee) & (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGTRAP));
	t->tracee.blocks_trap = t->blocked_faults & SIGNAL_BIT(SIGTRAP);
}

/* What is ignored stays so (clone(2)). */
static void clear_handler(uint64_t *action)
{
	if (!is_ignored(action))
		memset(action, 0, REC_ACTION_SIZE);
}

void rec_faults_inherit(struct rec_task *child, struct rec_task *t)
{
	child->blocked_faults = t->blocked_faults;
	child->faults = *faults_of(t);
	if (t->call.clone.flags & CLONE_CLEAR_SIGHAND) {
		clear_handler(child->faults.segv);
		clear_handler(child->faults.trap);
	}
	child->tracee.ignores_trap = t->tracee.ignores_trap;
	child->tracee.blocks_trap = t->tracee.blocks_trap;
}

/* What is ignored stays so (execve(2)), and the first program's parent may have ignored it. */
void rec_faults_exec(struct rec_session *s, struct rec_task *t)
{
	struct proc_signals set = {0};

	proc_read_signals(t->tracee.tid, &set);
	t->faults = (struct rec_faults){
		.segv = {set.ignored & SIGNAL_BIT(SIGSEGV) ? (uint64_t)(uintptr_t)SIG_IGN : 0},
		.trap = {set.ignored & SIGNAL_BIT(SIGTRAP) ? (uint64_t)(uintptr_t)SIG_IGN : 0},
	};
	rec_sigmask_exit(s, t);
	tell_tracees(s, t);
}

void rec_faults_delivered(struct rec_task *t, int signal)
{
	uint64_t *action = action_of(faults_of(t), signal);

	if (!action || !(action[FLAGS] & SA_RESETHAND))
		return;
	action[HANDLER] = 0;
}

static void set_again(struct rec_task *t, int signal)
{
	bool ignores = t->tracee.ignores_trap;

	t->tracee.ignores_trap = true; /* this call must not undo itself */
	tracee_write(&t->tracee, WARP_DATA_PAGE, action_of(faults_of(t), signal), REC_ACTION_SIZE);
	tracee_callv(&t->tracee, SYS_rt_sigaction, (uint64_t)signal, WARP_DATA_PAGE, 0, 8);
	t->tracee.ignores_trap = ignores;
	if (t->blocked_faults & SIGNAL_BIT(signal))
		tracee_set_sigmask(&t->tracee, tracee_get_sigmask(&t->tracee) | SIGNAL_BIT(signal));
}

static bool is_reset(struct rec_task *t, int signal)
{
	return (t->blocked_faults & SIGNAL_BIT(signal)) ||
	       is_ignored(action_of(faults_of(t), signal));
}

void rec_restore_segv(struct rec_task *t)
{
	if (is_reset(t, SIGSEGV))
		set_again(t, SIGSEGV);
}

void rec_restore_trap(struct rec_task *t)
{
	if (t->trap_lost || is_reset(t, SIGTRAP))
		set_again(t, SIGTRAP);
	t->trap_lost = t->tracee.trapped = false;
}

void rec_restore_trap_mask(struct rec_task *t)
{
	if (!t->tracee.trapped || !is_reset(t, SIGTRAP))
		return;
	t->trap_lost = true;
	if (t->blocked_faults & SIGNAL_BIT(SIGTRAP))
		tracee_set_sigmask(&t->tracee,
				   tracee_get_sigmask(&t->tracee) | SIGNAL_BIT(SIGTRAP));
}
