/* System calls that a target makes for us, with its own code: some system call instruction of the
 * program's or its vDSO is borrowed, nothing is written to its memory.
 *
 * Invariant: registers and signal mask are as before afterwards; a call that was about to be made
 * is about to be made again, and hooks see nothing of it. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "live/state.h"
#include "tracee/procfs.h"

#define SYNCHRONOUS                                                                            \
	(SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | \
	 SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGSYS))
#define CHUNK 65536

static taddr search(struct live_task *task, taddr from, taddr end)
{
	unsigned char *chunk = xmalloc(CHUNK);
	taddr found = 0;

	for (taddr at = from; at < end && !found; at += CHUNK - arch.call_size) {
		size_t got = live_read(task, at, chunk, end - at < CHUNK ? end - at : CHUNK);
		unsigned char *hit =
			got ? memmem(chunk, got, arch.call_code, arch.call_size) : NULL;

		if (hit)
			found = at + (taddr)(hit - chunk);
		if (got < CHUNK)
			break;
	}
	free(chunk);
	return found;
}

static taddr call_site(struct live_task *task)
{
	struct mm *mm = mm_of(task_of(task));
	struct proc_maps maps = {0};
	unsigned char now[8];

	if (mm->call_site &&
	    live_read(task, mm->call_site, now, arch.call_size) == arch.call_size &&
	    !memcmp(now, arch.call_code, arch.call_size))
		return mm->call_site;
	mm->call_site = 0;
	proc_read_maps(task->tracee.tid, &maps);
	vec_foreach (&maps, map)
		if (!mm->call_site && map->prot & PROT_EXEC && strcmp(map->name, "[vsyscall]"))
			mm->call_site = search(task, map->start, map->end);
	proc_maps_deinit(&maps);
	return mm->call_site;
}

/* Runs it to the end of the call. Signals are blocked; a stop signal, which cannot be, is sent
 * again later. */
static bool run_to_end(struct tracee *tracee)
{
	struct __ptrace_syscall_info info;

	for (;;) {
		tracee_resume(tracee, PTRACE_SYSCALL, 0);
		int status = tracee_wait(tracee, 0);

		if (tracee->gone)
			return false;
		if (tracee_event(status))
			continue;
		int signal = WSTOPSIG(status);

		if (signal != (SIGTRAP | 0x80)) {
			if (SIGNAL_BIT(signal) & SYNCHRONOUS)
				return false; /* the instruction is gone from there */
			tracee->stop_again = signal;
			continue;
		}
		if (tracee_call_info(tracee, &info) && info.op == PTRACE_SYSCALL_INFO_EXIT)
			return true;
	}
}

/* ---- stops that the call would lose ---- */

/* To where the thread is neither about to make a call nor inside one. */
static bool leave_call(struct task *t)
{
	if (t->pub.stop == LIVE_STOP_BEFORE)
		arch.call_skip(tracee_regs_mut(&t->pub.tracee));
	return run_to_end(&t->pub.tracee);
}

/* Stopped by an event that comes out of the middle of a call: an exec, a clone. */
static bool is_inside(const struct task *t)
{
	int event = tracee_event(t->status);

	return t->pub.stop == LIVE_STOP_PLAIN && !t->end_missed && event &&
	       event != PTRACE_EVENT_STOP;
}

/* A signal that was about to be delivered is sent and stopped at again, with its siginfo. */
static void meet_signal(struct task *t, const siginfo_t *info, uint64_t mask)
{
	struct tracee *tracee = &t->pub.tracee;
	int signal = t->pub.signal, status;

	tracee_set_sigmask(tracee, ~SYNCHRONOUS & ~SIGNAL_BIT(signal));
	syscall(SYS_tgkill, tracee->tgid, tracee->tid, signal);
	do {
		tracee_resume(tracee, PTRACE_CONT, 0);
		status = tracee_wait(tracee, 0);
	} while (!tracee->gone && (tracee_event(status) || WSTOPSIG(status) != signal));
	tracee_set_siginfo(tracee, info);
	tracee_set_sigmask(tracee, mask);
}

/* The process is stopped still, and so this thread stops with it at once (ptrace(2),
 * "Group-stop"). */
static void meet_group_stop(struct tracee *tracee)
{
	int status;

	do {
		tracee_interrupt(tracee);
		tracee_resume(tracee, PTRACE_CONT, 0);
		status = tracee_wait(tracee, 0);
	} while (!tracee->gone && tracee_event(status) != PTRACE_EVENT_STOP);
}

/* ---- the call ---- */

static int64_t call_at(struct task *t, taddr site, int nr, const uint64_t args[SC_ARGS])
{
	struct tracee *tracee = &t->pub.tracee;
	struct regs *regs = tracee_regs_mut(tracee);

	arch.remote_call(regs, nr, args);
	arch.set_pc(regs, site);
	if (!run_to_end(tracee))
		return tracee->gone ? -ESRCH : -EFAULT;
	return arch.call_result(tracee_regs(tracee));
}

static int64_t call_blocked(struct task *t, taddr site, int nr, const uint64_t args[SC_ARGS])
{
	struct tracee *tracee = &t->pub.tracee;
	struct regs before = *tracee_regs(tracee);
	uint64_t mask = tracee_get_sigmask(tracee);
	siginfo_t info;

	if (t->pub.stop == LIVE_STOP_SIGNAL)
		tracee_get_siginfo(tracee, &info);
	bool inside = is_inside(t), entry = t->pub.stop == LIVE_STOP_BEFORE;

	if ((inside || entry) && !leave_call(t))
		return -ESRCH;
	if (inside)
		before = *tracee_regs(tracee);
	tracee_set_sigmask(tracee, ~SYNCHRONOUS);
	int64_t result = call_at(t, site, nr, args);

	if (entry)
		arch.call_rewind(&before, arch.call_nr(&before));
	else if (t->pub.stop != LIVE_STOP_SIGNAL)
		call_make_again(t, &before);
	t->again |= entry;
	t->end_missed |= inside;
	tracee_set_regs(tracee, &before);
	tracee_set_sigmask(tracee, mask);
	if (t->pub.stop == LIVE_STOP_SIGNAL && t->pub.signal)
		meet_signal(t, &info, mask);
	if (t->pub.stop == LIVE_STOP_GROUP)
		meet_group_stop(tracee);
	return result;
}

int64_t live_remote_call(struct live_task *task, int nr, const uint64_t args[SC_ARGS])
{
	struct task *t = task_of(task);
	struct tracee *tracee = &task->tracee;

	if (t->running || tracee->gone)
		return -ESRCH;
	if (t->vforking)
		return -EBUSY;
	if (arch.is_narrow(tracee_regs(tracee)))
		return -ENOSYS;
	taddr site = call_site(task);

	if (!site)
		return -ENOSYS;
	int64_t result = call_blocked(t, site, nr, args);

	if (tracee->stop_again)
		syscall(SYS_tgkill, tracee->tgid, tracee->tid, tracee->stop_again);
	tracee->stop_again = 0;
	return result;
}
