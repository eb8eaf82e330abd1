/* System calls that a target makes for us, with its own code: some system call instruction of the program's or
 * its vDSO is borrowed, nothing is written to its memory.
 *
 * Invariant: registers and signal mask are as before afterwards; a call that was about to be made is about to
 * be made again, and hooks see nothing of it. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "live/state.h"
#include "tracee/procfs.h"

#define BIT(signal) (1ull << ((signal)-1))
#define SYNCHRONOUS \
	(BIT(SIGTRAP) | BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGFPE) | BIT(SIGILL) | BIT(SIGSYS))
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

/* Runs it to the end of the call. Signals are blocked; a stop signal, which cannot be, is sent again later. */
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
			if (BIT(signal) & SYNCHRONOUS)
				return false; /* the instruction is gone from there */
			tracee->stop_again = signal;
			continue;
		}
		if (tracee_call_info(tracee, &info) && info.op == PTRACE_SYSCALL_INFO_EXIT)
			return true;
	}
}

/* From a stop before a call: to its end, without making it. */
static bool leave_call(struct task *t)
{
	arch.call_skip(tracee_regs_mut(&t->pub.tracee));
	return run_to_end(&t->pub.tracee);
}

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

int64_t live_remote_call(struct live_task *task, int nr, const uint64_t args[SC_ARGS])
{
	struct task *t = task_of(task);
	struct tracee *tracee = &task->tracee;
	taddr site = call_site(task);

	if (!site || t->running || tracee->gone)
		return tracee->gone || t->running ? -ESRCH : -ENOSYS;
	struct regs before = *tracee_regs(tracee);
	uint64_t mask = tracee_get_sigmask(tracee);
	bool entry = task->stop == LIVE_STOP_BEFORE;

	if (entry && !leave_call(t))
		return -ESRCH;
	tracee_set_sigmask(tracee, ~SYNCHRONOUS);
	int64_t result = call_at(t, site, nr, args);

	if (entry) {
		arch.call_rewind(&before, arch.call_nr(&before));
		t->again = true;
	}
	tracee_set_regs(tracee, &before);
	tracee_set_sigmask(tracee, mask);
	return result;
}
