/* Timeouts under repeated samples.
 *
 * Samples that come faster than the timeout of a call which begins that anew would keep it from
 * ever coming.
 *
 * A thread is in the same call as at the last sample if it has slept twice since: in the call, and
 * in our stop. Had it been awake for another reason, it would have slept more often.
 *
 * Invariant: a call ends early by no more than it was kept longer before. */
#include "live/regs_history.h"

#include <errno.h>
#include <string.h>

#include "syscalls/timeout.h"
#include "tracee/procfs.h"

static size_t read_task(void *context, taddr addr, void *to, size_t length)
{
	return live_read(context, addr, to, length);
}

static struct regs_wait *find(struct regs_history *history, pid_t tid)
{
	vec_foreach (&history->waits, wait)
		if (wait->tid == tid)
			return wait;
	return NULL;
}

static struct regs_wait wait_of(pid_t tid, const struct regs *regs, uint64_t now_ns)
{
	return (struct regs_wait){
		.tid = tid,
		.sp = arch.sp(regs),
		.pc = arch.pc(regs),
		.call = sc_call_of(arch.call_nr(regs), regs),
		.since_ns = now_ns,
		.switches = proc_status_number(tid, "voluntary_ctxt_switches"),
	};
}

static bool same_call(const struct regs_wait *then, const struct regs_wait *now)
{
	return then->sp == now->sp && then->pc == now->pc && then->call.nr == now->call.nr &&
	       !memcmp(then->call.args, now->call.args, sizeof(now->call.args)) &&
	       now->switches - then->switches == 2;
}

static void forget(struct regs_history *history, struct regs_wait *wait)
{
	if (wait)
		vec_remove(&history->waits, (size_t)(wait - history->waits.items));
}

void regs_history_note(struct regs_history *history, struct live_task *task,
		       struct arch_state *state, uint64_t now_ns)
{
	const struct sc_timeout *timed = NULL;
	struct regs_wait *before = find(history, task->tracee.tid);

	if (!state->narrow && arch.in_call(&state->regs) &&
	    arch.call_result(&state->regs) == -EINTR)
		timed = sc_timeout(arch.call_nr(&state->regs));
	if (!timed) {
		forget(history, before);
		return;
	}
	struct regs_wait now = wait_of(task->tracee.tid, &state->regs, now_ns);

	if (before && same_call(before, &now))
		now.since_ns = before->since_ns;
	forget(history, before);
	const struct sc_memory memory = {read_task, task};

	if (now_ns - now.since_ns < sc_timeout_ns(timed, &now.call, &memory)) {
		vec_push(&history->waits, now);
		return;
	}
	arch.set_call_result(&state->regs, timed->result);
	arch.state_write(task->tracee.tid, 1u << ARCH_GENERAL, state);
}

void regs_history_deinit(struct regs_history *history)
{
	vec_deinit(&history->waits);
}
