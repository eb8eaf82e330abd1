/* Timeouts under repeated samples.
 *
 * Most calls that are interrupted go on with what is left of their timeout; some end with EINTR,
 * and are made again with all of it (signal(7), "Interruption of system calls and library functions
 * by stop signals"). Samples that come faster than the timeout would keep it from ever coming.
 *
 * A thread is in the same call as at the last sample if it has slept twice since: in the call, and
 * in our stop. Had it been awake for another reason, it would have slept more often.
 *
 * Invariant: a call ends early by no more than it was kept longer before. */
#include "live/regs_history.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "tracee/procfs.h"

/* How the timeout is given, and what the call returns then. */
static const struct timed {
	const char *name;
	int arg;
	bool milliseconds; /* an int, negative for ever; else the address of a timespec */
	int result;
} timed_calls[] = {
	{"epoll_wait", 3, true, 0},	   {"epoll_pwait", 3, true, 0},
	{"epoll_pwait2", 3, false, 0},	   {"rt_sigtimedwait", 2, false, -EAGAIN},
	{"semtimedop", 3, false, -EAGAIN}, {"io_getevents", 4, false, 0},
};

static const struct timed *find_timed(int nr)
{
	const struct sc_row *row = sc_row(nr);

	for (size_t i = 0; row && i < sizeof(timed_calls) / sizeof(*timed_calls); i++)
		if (!strcmp(timed_calls[i].name, row->name))
			return &timed_calls[i];
	return NULL;
}

/* UINT64_MAX: none. */
static uint64_t timeout_of(const struct timed *timed, const struct sc_call *call,
			   struct live_task *task)
{
	uint64_t value = call->args[timed->arg];
	struct timespec time;

	if (timed->milliseconds)
		return (int)value < 0 ? UINT64_MAX : (uint64_t)(int)value * 1000000;
	if (!value || live_read(task, value, &time, sizeof(time)) != sizeof(time) ||
	    time.tv_sec < 0 || time.tv_sec > 1000000)
		return UINT64_MAX;
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
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
	struct regs_wait wait = {
		.tid = tid,
		.sp = arch.sp(regs),
		.pc = arch.pc(regs),
		.call.nr = arch.call_nr(regs),
		.since_ns = now_ns,
		.switches = proc_status_number(tid, "voluntary_ctxt_switches"),
	};

	for (int i = 0; i < SC_ARGS; i++)
		wait.call.args[i] = arch.call_arg(regs, i);
	return wait;
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
	const struct timed *timed = NULL;
	struct regs_wait *before = find(history, task->tracee.tid);

	if (!state->narrow && arch.in_call(&state->regs) &&
	    arch.call_result(&state->regs) == -EINTR)
		timed = find_timed(arch.call_nr(&state->regs));
	if (!timed) {
		forget(history, before);
		return;
	}
	struct regs_wait now = wait_of(task->tracee.tid, &state->regs, now_ns);

	if (before && same_call(before, &now))
		now.since_ns = before->since_ns;
	forget(history, before);
	if (now_ns - now.since_ns < timeout_of(timed, &now.call, task)) {
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
