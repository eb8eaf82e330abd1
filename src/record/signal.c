/* Signals.
 *
 * A handler is entered where the replayer can find the place again: at the instruction that caused
 * the signal, at the end of a system call, just before one, or right after a trapped instruction. A
 * signal that arrives elsewhere is taken from the kernel and kept (the stash) until the task comes
 * to such a place; meanwhile other signals with handlers stay pending in the kernel, blocked.
 * Signals without a handler (ignored, stopping or killing) change no memory and go in at once. */
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/session.h"
#include "tracee/procfs.h"

static uint64_t fault_signals(void)
{
	return SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGILL) |
	       SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGSYS);
}

/* Caused by the instruction: si_code is positive for what the kernel found out, and the signal is
 * one of those instructions cause (sigaction(2)). SIGTRAP's SI_KERNEL (0x80) is int3. */
static bool is_fault(int signal, const siginfo_t *info)
{
	return (SIGNAL_BIT(signal) & fault_signals()) && info->si_code > 0;
}

static bool kills(int signal, const struct proc_signals *set)
{
	uint64_t harmless = SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) |
			    SIGNAL_BIT(SIGWINCH) | SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) |
			    SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU);

	return !((set->ignored | set->caught | harmless) & SIGNAL_BIT(signal));
}

static bool is_stop(int signal)
{
	return SIGNAL_BIT(signal) & (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) |
				     SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU));
}

/* ---- trapped instructions ---- */

static bool emulate_trap(struct rec_session *s, struct rec_task *t, const siginfo_t *info)
{
	uint8_t bytes[16] = {0};
	struct regs at = *tracee_regs(&t->tracee);

	if (info->si_code != SI_KERNEL)
		return false;
	size_t got = tracee_read(&t->tracee, arch.pc(&at), bytes, arch.insn_max);
	enum arch_trap kind = arch.trap_kind(bytes, got);

	if (kind == ARCH_TRAP_NONE || (kind == ARCH_TRAP_CPUID && !s->cpuid_traps))
		return false;
	/* The program's own wish: PR_TSC_SIGSEGV, ARCH_SET_CPUID. */
	if (kind == ARCH_TRAP_TIME ? t->tsc_mode == 2 : t->cpuid_faults)
		return false;
	arch.trap_emulate(bytes, tracee_regs_mut(&t->tracee));
	rec_regs_datum(s, t, tracee_regs(&t->tracee));
	rec_commit(s, t, TRACE_EV_INSN, 0, (uint32_t)kind, 0, &at);
	rec_restore_segv(t);
	return true;
}

/* ---- the stash ---- */

static void keep(struct rec_session *s, struct rec_task *t, const siginfo_t *info,
		 const struct proc_signals *set)
{
	t->stash_until_ns = rec_now() + rec_patience(s);
	if (is_stop(info->si_signo))
		t->stop_arrived = t->arrived;
	vec_push(&t->stash, *info);
	t->resumed_valid = false;
	if (!t->mask_widened) {
		t->stash_mask = tracee_get_sigmask(&t->tracee);
		tracee_set_sigmask(&t->tracee, t->stash_mask | (set->caught & ~fault_signals()));
		t->mask_widened = true;
	}
}

static void stash(struct rec_session *s, struct rec_task *t, const siginfo_t *info,
		  const struct proc_signals *set)
{
	keep(s, t, info, set);
	rec_run_to_place(s, t);
}

static void narrow_mask(struct rec_task *t)
{
	if (t->mask_widened)
		tracee_set_sigmask(&t->tracee, t->stash_mask);
	t->mask_widened = false;
}

/* Has SIGCONT come since the task's stop signal was kept? That takes stop signals back which are on
 * the way (signal(7)), but the kernel knows neither of those in a stash nor that one sent again is
 * the older one. A stop signal takes back SIGCONT: one that still waits is newer (prepare_signal()
 * in kernel/signal.c). */
static bool is_continued(struct rec_session *s, const struct rec_task *t)
{
	struct rec_task *other, *next;

	if (t->leader->continued > t->stop_arrived)
		return true;
	HASH_ITER (hh, s->tasks, other, next) {
		struct proc_signals set = {0};

		if (other->leader != t->leader)
			continue;
		if (other->queued && other->todo == TODO_STATUS && !tracee_event(other->status) &&
		    WSTOPSIG(other->status) == SIGCONT && other->arrived > t->stop_arrived)
			return true;
		proc_read_signals(other->tracee.tid, &set);
		if ((set.pending | set.shared_pending) & SIGNAL_BIT(SIGCONT))
			return true;
	}
	return false;
}

/* The stashed signal becomes pending again; the mark of it is that we sent it. */
void rec_send_stash(struct rec_session *s, struct rec_task *t)
{
	narrow_mask(t);
	while (t->stash.count && is_stop(t->stash.items[0].si_signo) && is_continued(s, t))
		vec_remove(&t->stash, 0);
	if (!t->stash.count)
		return;
	vec_push(&t->sent, t->stash.items[0]);
	vec_remove(&t->stash, 0);
	syscall(SYS_tgkill, t->tracee.tgid, t->tracee.tid,
		t->sent.items[t->sent.count - 1].si_signo);
}

/* SIGCONT takes stop signals back also where we have sent them again; and who ignores a signal from
 * now on (sigaction(2)) those that wait. */
void rec_forget_sent(struct rec_task *t)
{
	struct proc_signals set = {0};

	if (!t->sent.count || !proc_read_signals(t->tracee.tid, &set))
		return;
	for (size_t i = t->sent.count; i-- > 0;) {
		if (!(set.pending & SIGNAL_BIT(t->sent.items[i].si_signo)))
			vec_remove(&t->sent, i);
	}
}

void rec_go_to_signal(struct rec_task *t)
{
	t->resumed = *tracee_regs(&t->tracee);
	t->resumed_valid = true;
	rec_run_user(t, 0);
}

void rec_signal_before_call(struct rec_session *s, struct rec_task *t)
{
	struct regs *regs = tracee_regs_mut(&t->tracee);

	arch.call_rewind(regs, arch.call_nr(regs));
	t->signal_place = TRACE_F_BEFORE_CALL;
	rec_send_stash(s, t);
	rec_go_to_signal(t);
}

/* Dies by the signal whatever its handler is. */
static void kill_by_default(struct rec_task *t, int signal)
{
	static const uint64_t action[4]; /* SIG_DFL */

	tracee_write(&t->tracee, WARP_DATA_PAGE, action, sizeof(action));
	tracee_callv(&t->tracee, SYS_rt_sigaction, (uint64_t)signal, WARP_DATA_PAGE, 0, 8);
	tracee_set_sigmask(&t->tracee, tracee_get_sigmask(&t->tracee) & ~SIGNAL_BIT(signal));
	syscall(SYS_tgkill, t->tracee.tgid, t->tracee.tid, signal);
	rec_run_user(t, 0);
}

void rec_kill_by_rules(struct rec_session *s, struct rec_task *t, int signal)
{
	rec_commit_enter(s, t);
	t->call.open = false;
	if (signal != SIGKILL) {
		kill_by_default(t, signal);
		return;
	}
	/* It resumes by itself, to the stop at its exit. */
	t->state = STATE_RUNNING;
	rec_group(t)->running++;
	kill(t->tracee.tgid, SIGKILL);
}

/* Is it one that we have sent again? Then *info becomes what it was at first. */
static bool take_sent(struct rec_task *t, int signal, siginfo_t *info)
{
	/* One that was pending already has swallowed ours; real-time signals queue. */
	bool ours = signal < SIGRTMIN ||
		    (info->si_code == SI_TKILL &&
		     (info->si_pid == getpid() || !info->si_pid /* in a pid namespace */));

	for (size_t i = 0; i < t->sent.count && ours; i++) {
		if (t->sent.items[i].si_signo != signal)
			continue;
		*info = t->sent.items[i];
		vec_remove(&t->sent, i);
		return true;
	}
	return false;
}

/* ---- delivery ---- */

/* That we have stepped into the handler is not the program's to see. */
static void clear_step_mark(struct rec_task *t, const struct regs *before, const struct regs *in)
{
	taddr at;
	uint64_t word = 0, mark = arch.sigframe_step_mark(before, in, &at);

	if (tracee_read(&t->tracee, at, &word, sizeof(word)) != sizeof(word) || !(word & mark))
		return;
	word &= ~mark;
	tracee_write(&t->tracee, at, &word, sizeof(word));
}

/* Lets the kernel build the handler's frame and stops at the handler's first instruction. */
static void enter_handler(struct rec_session *s, struct rec_task *t, int signal, uint16_t flags,
			  const siginfo_t *info)
{
	struct regs before = *tracee_regs(&t->tracee);
	struct trace_place place = t->place;

	if (t->place.kind)
		rec_place_data(s, t);
	t->signal_place = 0;
	narrow_mask(t); /* the frame holds the mask */
	rec_restore_trap_mask(t);
	tracee_resume(&t->tracee, PTRACE_SINGLESTEP, signal);
	int status = tracee_wait(&t->tracee, 0);

	if (t->tracee.gone || tracee_event(status) || WSTOPSIG(status) != SIGTRAP) {
		/* Killed; or there is no room for a frame: the kernel sends SIGSEGV instead, at the
		 * same place (force_sigsegv()). */
		trace_writer_abandon(s->writer, rec_group(t)->id);
		t->signal_place = flags;
		t->place = place;
		rec_take_status(s, t, status);
		return;
	}
	const struct regs *in = tracee_regs(&t->tracee);
	struct sc_memory memory = tracee_memory(&t->tracee);

	clear_step_mark(t, &before, in);
	rec_faults_delivered(t, signal);
	rec_datum(s, t, TRACE_D_SIGINFO, 0, info, sizeof(*info));
	rec_memory(s, t, TRACE_D_MEMORY, arch.sp(in), arch.sigframe_size(in, &memory));
	rec_regs_datum(s, t, in);
	rec_xstate_datum(s, t);
	rec_commit(s, t, TRACE_EV_SIGNAL, flags, (uint32_t)signal, 0, &before);
	rec_want_known_sites(s, t);
	rec_make_sites(s, t);
	t->restart_pending = false;
	t->timed_since_ns = 0;
	rec_sigmask_exit(s, t);
	rec_continue(s, t);
}

/* One that was kept; any other the kernel knows of. */
static bool is_taken_back(struct rec_session *s, struct rec_task *t, int signal)
{
	bool back = is_stop(signal) && t->stop_arrived && is_continued(s, t);

	if (is_stop(signal))
		t->stop_arrived = 0;
	return back;
}

static void deliver(struct rec_session *s, struct rec_task *t, int signal, uint16_t flags,
		    const siginfo_t *info, const struct proc_signals *set)
{
	if (set->caught & SIGNAL_BIT(signal)) {
		enter_handler(s, t, signal, flags, info);
		return;
	}
	t->signal_place = 0;
	if (kills(signal, set)) {
		if (t->place.kind)
			rec_place_data(s, t);
		rec_datum(s, t, TRACE_D_SIGINFO, 0, info, sizeof(*info));
		rec_commit(s, t, TRACE_EV_SIGNAL_FATAL, flags, (uint32_t)signal, 0,
			   tracee_regs(&t->tracee));
	} else if (t->place.kind) {
		rec_preempt(s, t);
	} else if (flags & TRACE_F_BEFORE_CALL) {
		rec_place_before_call(s, t);
	}
	if (kills(signal, set))
		rec_resume_to_die(t, signal);
	else
		rec_run_user(t, is_taken_back(s, t, signal) ? 0 : signal);
}

void rec_take_stash_here(struct rec_session *s, struct rec_task *t)
{
	siginfo_t info = t->stash.items[0];
	struct proc_signals set = {0};

	narrow_mask(t);
	if (tracee_get_sigmask(&t->tracee) & SIGNAL_BIT(info.si_signo)) {
		/* By a handler that was entered meanwhile. The kernel would not give it, but run
		 * on. */
		rec_send_stash(s, t);
		rec_preempt(s, t);
		rec_run_user(t, 0);
		return;
	}
	vec_remove(&t->stash, 0);
	proc_read_signals(t->tracee.tid, &set);
	tracee_set_siginfo(&t->tracee,
			   &info); /* the kernel gives it to the handler: ptrace_signal() */
	deliver(s, t, info.si_signo, TRACE_F_ASYNC, &info, &set);
}

/* Has the task executed nothing since its last event? At the end of a call the kernel says so;
 * after sigreturn, a handler's entry or an instruction, a signal was pending and all registers are
 * as they were. (Equal registers alone say nothing: loops come by again.) */
static bool at_event(struct rec_task *t)
{
	const struct regs *regs = tracee_regs(&t->tracee);

	return arch.in_call(regs) ||
	       (t->resumed_valid && !memcmp(regs->word, t->resumed.word, sizeof(regs->word)));
}

/* A trap of ours: true if the stop is dealt with. */
static bool sort_out_site(struct rec_session *s, struct rec_task *t, int signal)
{
	switch (softpmu_sort_stop(&t->tracee, &t->mm->probes, signal)) {
	case SOFTPMU_STOP_HIT:
		rec_on_hit(s, t);
		return true;
	case SOFTPMU_STOP_WINDOW:
		rec_note_jump(t);
		rec_run_user(t, 0);
		return true;
	case SOFTPMU_STOP_OTHER:
		break;
	}
	return false;
}

/* A step of the program's own has led to a stub of the agent's: it is not made yet. Programs that
 * step have no such sites from then on, since there are other instructions in them. */
static bool is_led_astray(struct rec_session *s, struct rec_task *t, const siginfo_t *info)
{
	if (info->si_signo != SIGTRAP || info->si_code != TRAP_TRACE || !rec_agent_note_step(s, t))
		return false;
	rec_run_user(t, 0);
	return true;
}

/* Where the signal hits is something that others could tell: the handler's frame holds it; and in a
 * larger group, what the task has written by then. */
static bool needs_place(struct rec_task *t, int signal, const struct proc_signals *set)
{
	if (set->caught & SIGNAL_BIT(signal))
		return true;
	return !rec_alone(t) &&
	       (kills(signal, set) || (is_stop(signal) && !(set->ignored & SIGNAL_BIT(signal))));
}

/* A signal that comes while the agent makes a call waits for the end of that; there it comes
 * again. */
static bool stopped_in_agent(struct rec_session *s, struct rec_task *t, const siginfo_t *info)
{
	if (!t->mm->agent.on)
		return false;
	enum rec_left left = rec_leave_agent(s, t);
	struct proc_signals set = {0};

	softpmu_leave_call_copies(&t->tracee, &t->mm->probes);
	if (left == REC_NOT_INSIDE)
		return false;
	proc_read_signals(t->tracee.tid, &set);
	keep(s, t, info, &set);
	if (left == REC_ELSEWHERE) {
		rec_take_status(s, t, t->status);
		return true;
	}
	rec_send_stash(s, t);
	rec_continue(s, t);
	return true;
}

void rec_on_signal(struct rec_session *s, struct rec_task *t, int signal)
{
	struct proc_signals set = {0};
	siginfo_t info;
	uint16_t place = t->signal_place ? t->signal_place : TRACE_F_AFTER_CALL;

	if (!tracee_get_siginfo(&t->tracee, &info))
		return;
	tracee_take_kept_trap(&t->tracee, &info);
	if (is_led_astray(s, t, &info))
		return;
	if (is_fault(signal, &info) ? sort_out_site(s, t, signal) : stopped_in_agent(s, t, &info))
		return;
	rec_note_moved_back(s, t);
	if (is_fault(signal, &info)) {
		if (signal == SIGSEGV && !t->signal_place && emulate_trap(s, t, &info)) {
			rec_send_stash(s, t);
			rec_continue(s, t);
			return;
		}
		proc_read_signals(t->tracee.tid, &set);
		deliver(s, t, signal, t->signal_place ? t->signal_place : TRACE_F_SYNC_FAULT, &info,
			&set);
		return;
	}
	proc_read_signals(t->tracee.tid, &set);
	if (take_sent(t, signal, &info)) {
		tracee_set_siginfo(&t->tracee, &info);
		deliver(s, t, signal, place, &info, &set);
		return;
	}
	rec_forget_sent(t);
	if (signal == SIGCONT)
		t->leader->continued = t->arrived;
	bool here = at_event(t);

	if (!here && !t->signal_place)
		place = 0; /* somewhere that makes no difference */
	if (is_stop(signal))
		t->stop_arrived = 0;
	if (here || !needs_place(t, signal, &set))
		deliver(s, t, signal, place, &info, &set);
	else
		stash(s, t, &info, &set);
}
