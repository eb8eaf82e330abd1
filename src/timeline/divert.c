/* Diversions: what did not happen. A debugger calls the program's functions and changes its memory;
 * that happens in the processes themselves, which are thrown away afterwards: a copy is kept to go
 * on from.
 *
 * System calls of a diversion are answered here: those for memory are made, what is written to the
 * terminal is shown, all others fail with ENOSYS. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "timeline/state.h"

struct error *timeline_divert(struct timeline *tl)
{
	struct rep_task *t = tl_any_task(tl);

	if (tl->diverted)
		return error_new("a diversion cannot begin inside another");
	try(checkpoint_copy(tl, &tl->diverted));
	tl->diverted_tid = t ? t->tid : 0;
	return NULL;
}

struct error *timeline_return(struct timeline *tl)
{
	struct checkpoint *from = tl->diverted;

	if (!from)
		return NULL;
	tl->diverted = NULL;
	struct error *error = checkpoint_restore(tl, from);

	tl->reported = true;
	checkpoint_free(from);
	return error;
}

bool timeline_diverted(const struct timeline *tl)
{
	return tl->diverted;
}

bool timeline_put_state(struct timeline *tl, uint32_t tid, unsigned flavors,
			const struct arch_state *state)
{
	struct rep_task *t = tl_task(tl, tid);

	if (!t || !tl->diverted)
		return false;
	tl->diverted_tid = tid;
	tracee_write_regs(&t->tracee);
	bool done = arch.state_write(t->tracee.tid, flavors, state);

	t->tracee.regs_valid = false;
	return done;
}

size_t timeline_write(struct timeline *tl, taddr addr, const void *from, size_t length)
{
	struct rep_task *t = tl_any_task(tl);

	return t && tl->diverted ? tracee_write(&t->tracee, addr, from, length) : 0;
}

/* ---- motion ---- */

static int64_t show(struct timeline *tl, struct rep_task *t, const struct regs *regs)
{
	char buffer[4096];
	int fd = (int)arch.call_arg(regs, 0);
	uint64_t length = arch.call_arg(regs, 2);
	size_t got = tracee_read(&t->tracee, arch.call_arg(regs, 1), buffer,
				 length < sizeof(buffer) ? length : sizeof(buffer));

	if (fd != 1 && fd != 2)
		return -EBADF;
	return write(fd, buffer, got);
}

/* Private memory, which is thrown away with the processes. */
static int64_t change_memory(struct timeline *tl, struct rep_task *t, const struct regs *regs)
{
	uint64_t args[SC_ARGS];

	for (int i = 0; i < SC_ARGS; i++)
		args[i] = arch.call_arg(regs, i);
	return tracee_call(&t->tracee, arch.call_nr(regs), args);
}

static int64_t map_memory(struct timeline *tl, struct rep_task *t, const struct regs *regs)
{
	uint64_t flags = MAP_ANONYMOUS | MAP_PRIVATE;

	if ((arch.call_arg(regs, 3) & flags) != flags)
		return -EACCES;
	return change_memory(tl, t, regs);
}

static int64_t tell_pid(struct timeline *tl, struct rep_task *t, const struct regs *regs)
{
	return t->tgid;
}

static int64_t tell_tid(struct timeline *tl, struct rep_task *t, const struct regs *regs)
{
	return t->tid;
}

/* The time of the place: nothing passes in a diversion. */
static int64_t tell_time(struct timeline *tl, struct rep_task *t, const struct regs *regs)
{
	uint64_t now = tl->s.done.time_ns;

	if (arch.call_arg(regs, 0) == CLOCK_REALTIME)
		now += (uint64_t)trace_reader_meta(tl->s.reader)->numbers.start_ns;
	struct timespec time = {(time_t)(now / 1000000000), (long)(now % 1000000000)};

	return tracee_write(&t->tracee, arch.call_arg(regs, 1), &time, sizeof(time)) == sizeof(time)
		       ? 0
		       : -EFAULT;
}

static int64_t succeed(struct timeline *tl, struct rep_task *t, const struct regs *regs)
{
	return 0;
}

/* Calls that a diversion answers. */
static const struct answer {
	int nr;
	int64_t (*give)(struct timeline *tl, struct rep_task *t, const struct regs *regs);
} answers[] = {
	{SYS_write, show},
	{SYS_mmap, map_memory},
	{SYS_munmap, change_memory},
	{SYS_mprotect, change_memory},
	{SYS_madvise, change_memory},
	{SYS_mremap, change_memory},
	{SYS_getpid, tell_pid},
	{SYS_gettid, tell_tid},
	{SYS_clock_gettime, tell_time},
	{SYS_rt_sigprocmask, succeed},
	{SYS_futex, succeed}, /* nobody else runs: nobody to wait for, or to wake */
};

static void answer_call(struct timeline *tl, struct rep_task *t)
{
	struct regs regs = *tracee_regs(&t->tracee);
	int64_t result = -ENOSYS;

	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++)
		if (answers[i].nr == arch.call_nr(&regs))
			result = answers[i].give(tl, t, &regs);
	arch.set_call_result(&regs, result);
	arch.call_skip(&regs);
	tracee_set_regs(&t->tracee, &regs);
}

/* Past a breakpoint where the thread stands. */
static int step(struct rep_task *t)
{
	tracee_resume(&t->tracee, PTRACE_SYSEMU_SINGLESTEP, 0);
	return tracee_wait(&t->tracee, 0);
}

static int go(struct timeline *tl, struct rep_task *t)
{
	tl->s.pauser->before_run(tl, t);
	tracee_resume(&t->tracee, PTRACE_SYSEMU, 0);
	int status = tracee_wait(&t->tracee, 0);

	if (!t->tracee.gone)
		tl->s.pauser->after_run(tl, t);
	return status;
}

struct error *divert_go(struct timeline *tl, uint32_t tid, bool stepping)
{
	struct rep_task *t = tl_task(tl, tid);
	bool first = true;

	if (!t)
		return error_new("the diversion's thread %u is gone", tid);
	for (;; first = false) {
		bool over = stepping || (first && breaks_has(tl, breaks_pc(t)));
		int status = over ? step(t) : go(tl, t);

		if (t->tracee.gone) {
			tl->stop = (struct timeline_stop){.cause = TIMELINE_END, .tid = tid};
			return NULL;
		}
		if (!over && tl->s.pauser->is_wanted(tl, t, status))
			return NULL;
		if (tracee_event(status))
			continue;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			answer_call(tl, t);
			continue;
		}
		if (over && WSTOPSIG(status) == SIGTRAP && !stepping)
			continue;
		tl->stop = (struct timeline_stop){.cause = stepping ? TIMELINE_STEPPED
								    : TIMELINE_SIGNAL,
						  .tid = tid,
						  .signal = WSTOPSIG(status)};
		if (softpmu_sort_stop(&t->tracee, &t->mm->probes, WSTOPSIG(status)) !=
		    SOFTPMU_STOP_WINDOW)
			return NULL;
	}
}
