/* System calls: their beginning and end, and what may not be seen of our interrupting them.
 *
 * A thread that we stop in a blocking call leaves that call. Most calls are made again by the
 * kernel (-ERESTARTSYS and kin); some end with EINTR (signal(7), "Interruption of system calls and
 * library functions by stop signals"). Both are taken back: the thread is moved back to the call's
 * instruction. If a signal with a handler comes before the call is made again, that result was
 * right, and is put back: the kernel itself would forget it. A call that is made again for such a
 * reason is the same call: hooks see its beginning once and its end once.
 *
 * A tracer also makes the kernel queue signals that are ignored (sig_ignored() in kernel/signal.c),
 * for which a call would not end: the same is done for them.
 *
 * Invariant: registers that we have changed for a call are as the program knows them when it goes
 * on. */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "live/state.h"
#include "syscalls/timeout.h"
#include "tracee/procfs.h"

/* include/linux/errno.h: never seen by programs. */
#define ERESTARTSYS	      512
#define ERESTARTNOINTR	      513
#define ERESTARTNOHAND	      514
#define ERESTART_RESTARTBLOCK 516

/* Ignored unless there is a handler (signal(7)). */
#define IGNORED_BY_DEFAULT \
	(SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))

static bool will_restart(int64_t result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
	       result == -ERESTART_RESTARTBLOCK;
}

/* A call that has done nothing, and could be made again. */
static bool is_eintr(const struct regs *regs)
{
	return arch.call_result(regs) == -EINTR && sc_can_repeat(arch.call_nr(regs));
}

/* Something has interrupted it: it is to be made again, or a handler runs. */
static bool is_unfinished(const struct regs *regs)
{
	return is_eintr(regs) || will_restart(arch.call_result(regs));
}

/* After such an end the call would begin anew: natively it would have slept on. */
static bool begins_anew(const struct regs *regs)
{
	return is_eintr(regs) ||
	       (arch.call_result(regs) == -ERESTARTNOHAND && sc_timeout(arch.call_nr(regs)));
}

/* ---- seccomp rules of the program's own ---- */

/* Their actions (but RET_TRACE, RET_LOG and RET_ALLOW) precede that of our filter (seccomp(2)), and
 * the call would not stop. From when a program has some on, all its calls stop before rules are
 * asked. */
static bool may_set_rules(const struct task *t)
{
	return process_of_task(t)->pub.filtered && !t->pub.foreign_call &&
	       t->pub.engine->sets_rules(&t->pub.call);
}

static void stop_at_every_call(struct process *p)
{
	struct task *t;

	if (p->every_call)
		return;
	p->every_call = true;
	DL_FOREACH (p->tasks, t)
		if (t->running)
			task_interrupt(t);
}

/* ---- the end ---- */

/* Puts back what live_call_change has changed; also for a call that the kernel will make again. */
static void restore_registers(struct task *t)
{
	struct regs *regs = tracee_regs_mut(&t->pub.tracee);

	for (int i = 0; i < SC_ARGS; i++)
		arch.set_call_arg(regs, i, arch.call_arg(&t->call_regs, i));
	if (!t->skipped)
		arch.set_call_nr(regs, arch.call_nr(&t->call_regs));
	t->changed = false;
}

static void finish_call(struct task *t, int64_t result)
{
	if (t->changed)
		restore_registers(t);
	t->pub.call.result = result;
	t->pub.call.ended = true;
	if (t->sets_rules && result >= 0)
		stop_at_every_call(process_of_task(t));
	t->sets_rules = false;
	if (t->pub.want_after || t->pub.wants & LIVE_CALLS || t->show_calls)
		hook(t, after_call);
	t->pub.in_call = false;
}

/* ---- what is not to be seen ---- */

static uint64_t ignored_signals(const struct proc_signals *signals)
{
	return signals->ignored | (IGNORED_BY_DEFAULT & ~signals->caught);
}

/* Is there no signal for which a call would have ended, had we not interrupted or traced the
 * thread? */
static bool ends_for_us(struct task *t)
{
	struct proc_signals signals;

	if (!proc_read_signals(t->pub.tracee.tid, &signals))
		return t->interrupted;
	uint64_t pending = (signals.pending | signals.shared_pending) & ~signals.blocked;

	if (!pending)
		return t->interrupted;
	return begins_anew(tracee_regs(&t->pub.tracee)) && !(pending & ~ignored_signals(&signals));
}

void call_make_again(struct task *t, struct regs *regs)
{
	int64_t result = arch.call_result(regs);

	if (!arch.in_call(regs) || !is_unfinished(regs))
		return;
	t->ended_with = *regs;
	arch.call_rewind(regs, result == -ERESTART_RESTARTBLOCK ? SYS_restart_syscall
								: arch.call_nr(regs));
	t->rewound = *regs;
	t->taken_back = true;
}

static void rewind_call(struct task *t)
{
	call_make_again(t, tracee_regs_mut(&t->pub.tracee));
}

/* Is the call at hand the one that was last seen beginning? A later one from the same place was not
 * seen only if it has other arguments, which the filter lets pass. */
static bool was_seen(const struct task *t, const struct regs *regs)
{
	const struct live_task *task = &t->pub;

	if (task->call_pc != arch.pc(regs) || task->call_sp != arch.sp(regs))
		return false;
	if (task->in_call || task->foreign_call)
		return true;
	struct sc_call call = sc_call_of(arch.call_nr(regs), regs);

	return call.nr == task->call.nr && !memcmp(call.args, task->call.args, sizeof(call.args));
}

/* It had slept twice since it was taken back: in the call, and in our stop. Had it been awake for
 * another reason, it would have slept more often. */
#define SWITCHES_AGAIN 2

/* Since when it has been in the call at hand, as far as we know. */
static uint64_t call_since(struct task *t, const struct regs *regs, uint64_t now)
{
	int switches = proc_status_number(t->pub.tracee.tid, "voluntary_ctxt_switches");
	taddr pc = arch.pc(regs), sp = arch.sp(regs);

	if (t->begun_ns && was_seen(t, regs))
		return t->begun_ns;
	if (t->wait.pc != pc || t->wait.sp != sp || switches - t->wait.switches > SWITCHES_AGAIN)
		t->wait.since_ns = now;
	t->wait.pc = pc;
	t->wait.sp = sp;
	t->wait.switches = switches;
	return t->wait.since_ns;
}

/* A call that would be made again with its whole timeout, which is over: it is given the result of
 * that. Signals that come faster than the timeout would keep it from ever coming. */
static bool end_if_over(struct task *t)
{
	struct regs *regs = tracee_regs_mut(&t->pub.tracee);
	const struct sc_timeout *timeout = sc_timeout(arch.call_nr(regs));
	const struct sc_memory memory = tracee_memory(&t->pub.tracee);
	const struct sc_call call = sc_call_of(arch.call_nr(regs), regs);
	uint64_t now = engine_now();

	if (!timeout)
		return false;
	if (now - call_since(t, regs, now) < sc_timeout_ns(timeout, &call, &memory))
		return false;
	arch.set_call_result(regs, timeout->result);
	return true;
}

static bool was_interrupted(struct task *t)
{
	const struct regs *regs = tracee_regs(&t->pub.tracee);

	return arch.in_call(regs) && is_unfinished(regs);
}

/* The call that it is to make again may be one that hooks know: then they are not told again. */
static void expect_again(struct task *t)
{
	if (was_seen(t, tracee_regs(&t->pub.tracee)))
		t->again = true;
}

void call_take_back(struct task *t)
{
	if (!was_interrupted(t))
		return;
	expect_again(t);
	rewind_call(t);
}

/* Nobody saw the end of the call. */
static void take_back(struct task *t)
{
	if (begins_anew(tracee_regs(&t->pub.tracee)) && end_if_over(t))
		return;
	if (!t->pub.in_call)
		expect_again(t);
	rewind_call(t);
}

static bool is_ignored(struct task *t, int signal, bool *caught)
{
	struct proc_signals signals;

	*caught = false;
	if (!proc_read_signals(t->pub.tracee.tid, &signals))
		return false;
	*caught = signals.caught & SIGNAL_BIT(signal);
	return ignored_signals(&signals) & SIGNAL_BIT(signal);
}

/* Nothing was executed since the call was taken back. */
static bool still_taken_back(struct task *t)
{
	return t->taken_back &&
	       memcmp(&t->rewound, tracee_regs(&t->pub.tracee), sizeof(t->rewound)) == 0;
}

/* A handler is about to run: the call that we have hidden the end of has ended. */
static void end_after_all(struct task *t)
{
	if (still_taken_back(t))
		tracee_set_regs(&t->pub.tracee, &t->ended_with);
	t->taken_back = false;
	bool again = t->again;

	t->again = false;
	if (again && t->pub.in_call)
		finish_call(t, arch.call_result(tracee_regs(&t->pub.tracee)));
}

void call_on_signal(struct task *t, int signal)
{
	bool caught;

	if (still_taken_back(t) || t->again) {
		is_ignored(t, signal, &caught);
		if (caught)
			end_after_all(t);
	} else if (was_interrupted(t) && is_ignored(t, signal, &caught)) {
		take_back(t);
	}
}

void call_end_missed(struct task *t)
{
	t->end_missed = false;
	t->pub.stop = LIVE_STOP_AFTER;
	if (t->pub.in_call)
		finish_call(t, arch.call_result(tracee_regs(&t->pub.tracee)));
}

void call_signal_suppressed(struct task *t)
{
	if (was_interrupted(t))
		take_back(t);
}

/* Signals that come after this stop are not seen. So the kernel is given a result of which it makes
 * EINTR if a handler runs, and the same call again if none does. It does that where it looks for
 * signals, which letting go makes it do. */
void call_leave(struct task *t)
{
	if (!still_taken_back(t))
		return;
	if (is_eintr(&t->ended_with))
		arch.set_call_result(&t->ended_with, -ERESTARTNOHAND);
	tracee_set_regs(&t->pub.tracee, &t->ended_with);
	t->taken_back = false;
}

/* ---- beginning and end ---- */

void call_begin(struct task *t, const struct __ptrace_syscall_info *info)
{
	struct live_task *task = &t->pub;

	task->call = (struct sc_call){.nr = (int)info->entry.nr};
	memcpy(task->call.args, info->entry.args, sizeof(task->call.args));
	task->in_call = true;
	task->want_after = false;
	task->foreign_call = info->arch != arch.audit_arch;
	task->call_pc = info->instruction_pointer;
	task->call_sp = info->stack_pointer;
	t->changed = t->skipped = false;
	t->begun_ns = sc_timeout(task->call.nr) ? engine_now() : 0;
}

/* It was only interrupted by us, and begins once more. */
static bool is_again(struct task *t, const struct __ptrace_syscall_info *info)
{
	bool again = t->again && info->stack_pointer == t->pub.call_sp &&
		     info->instruction_pointer == t->pub.call_pc;

	t->again = false;
	if (again)
		t->pub.in_call = true;
	return again;
}

static void before(struct task *t, const struct __ptrace_syscall_info *info)
{
	t->taken_back = false;
	t->pub.stop = LIVE_STOP_BEFORE;
	if (is_again(t, info))
		return;
	call_begin(t, info);
	t->sets_rules = may_set_rules(t);
	hook(t, before_call);
}

/* The end of a call that only we have interrupted is none. */
static bool only_interrupted(struct task *t)
{
	const struct regs *regs = tracee_regs(&t->pub.tracee);

	if (t->skipped || !is_unfinished(regs) || !ends_for_us(t) ||
	    (begins_anew(regs) && end_if_over(t)))
		return false;
	t->again = true;
	rewind_call(t);
	return true;
}

static void after(struct task *t, int64_t result)
{
	t->pub.stop = LIVE_STOP_AFTER;
	if (t->skipped && process_of_task(t)->every_call && t->pub.in_call) {
		/* The program's rules were asked about the call that is not made, too. */
		result = t->pub.call.result;
		arch.set_call_result(tracee_regs_mut(&t->pub.tracee), result);
	}
	if (t->postponed) {
		t->postponed = t->pub.in_call = false;
		tracee_set_regs(&t->pub.tracee, &t->rewound);
		return;
	}
	if (t->pub.in_call && !only_interrupted(t))
		finish_call(t, arch.call_result(tracee_regs(&t->pub.tracee)));
}

void call_on_stop(struct task *t)
{
	struct __ptrace_syscall_info info;

	if (!tracee_call_info(&t->pub.tracee, &info))
		return;
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
		after(t, info.exit.rval);
	else if (t->pub.wants & LIVE_CALLS || t->again || t->show_calls ||
		 process_of_task(t)->every_call)
		before(t, &info);
}

void call_on_seccomp(struct task *t)
{
	struct __ptrace_syscall_info info;

	if (!tracee_call_info(&t->pub.tracee, &info))
		return;
	/* With PTRACE_SYSCALL the stop before the call came first. */
	if (!t->pub.in_call)
		before(t, &info);
	t->pub.stop = LIVE_STOP_BEFORE;
	if (info.seccomp.ret_data != LIVE_FILTER_DATA && !t->skipped)
		live_call_skip(&t->pub, -ENOSYS);
}

/* ---- what hooks may do ---- */

void live_call_skip(struct live_task *task, int64_t result)
{
	struct regs *regs = tracee_regs_mut(&task->tracee);

	arch.call_skip(regs);
	arch.set_call_result(regs, result);
	task->call.result = result;
	task_of(task)->skipped = true;
}

void live_call_change(struct live_task *task, int nr, const uint64_t args[SC_ARGS])
{
	struct task *t = task_of(task);
	struct regs *regs = tracee_regs_mut(&task->tracee);

	if (!t->changed)
		t->call_regs = *regs;
	t->changed = true;
	arch.set_call_nr(regs, nr);
	for (int i = 0; i < SC_ARGS; i++)
		arch.set_call_arg(regs, i, args[i]);
}

void live_call_result(struct live_task *task, int64_t result)
{
	arch.set_call_result(tracee_regs_mut(&task->tracee), result);
	task->call.result = result;
}

void live_set_siginfo(struct live_task *task, const siginfo_t *info)
{
	tracee_set_siginfo(&task->tracee, info);
	task->signal = info->si_signo;
}
