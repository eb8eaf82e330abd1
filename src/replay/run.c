/* Letting a task run up to its next event. System calls are never made (PTRACE_SYSEMU). */
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "replay/session.h"
#include "tracee/procfs.h"
#include "util/log.h"

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static bool equal(const struct regs *a, const struct regs *b)
{
	return !memcmp(a->word, b->word, sizeof(a->word));
}

struct error *rep_compare(struct rep_session *s, struct rep_task *t, const struct regs *actual)
{
	struct regs expected = rep_event_regs(s);

	if (equal(actual, &expected))
		return NULL;
	return rep_diverged_regs(s, t, actual);
}

/* A task that runs much longer than it did is perhaps in an endless loop; only the user can know.
 * One that has no core to run on is not. */
#define LONG_SECONDS 10
#define LONG_FACTOR  20

static void tell_if_long(struct rep_session *s, const struct rep_task *t, uint64_t since_ns)
{
	uint64_t then = s->event.time_ns - t->last_ns, now = now_ns() - since_ns;

	if (s->told_event == s->event.number || now < LONG_SECONDS * 1000000000ull ||
	    now / LONG_FACTOR < then || proc_cpu_ns(t->tracee.tid) < LONG_SECONDS * 1000000000ull)
		return;
	s->told_event = s->event.number;
	rep_hide_progress(s);
	log_notice(
		"task %u has run for %llu s towards event %llu, which took %.3f s when it was "
		"recorded: perhaps the replay has diverged; interrupt it (Ctrl-C) to see where it "
		"is",
		t->tid, (unsigned long long)(now / 1000000000), (unsigned long long)s->event.number,
		(double)then / 1e9);
}

static int wait_patiently(struct rep_session *s, struct rep_task *t, uint64_t since_ns)
{
	int status;

	rep_waiting_for(t->tracee.tid);
	while (!(status = tracee_wait_once(&t->tracee, 0)))
		tell_if_long(s, t, since_ns);
	rep_waiting_for(0);
	return tracee_trap_first(&t->tracee, status);
}

/* What a terminal sends comes from the kernel, too (SI_KERNEL). */
bool rep_is_foreign(struct rep_task *t, int status)
{
	siginfo_t info;

	if (tracee_event(status))
		return !rep_interrupted();
	switch (WSTOPSIG(status)) {
	case SIGTRAP | 0x80:
		return false;
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGTRAP:
	case SIGSYS: /* by an instruction, or sent? (sigaction(2)) */
		return tracee_get_siginfo(&t->tracee, &info) && info.si_code <= 0;
	default:
		return true;
	}
}

static int seek_wait(void *context, struct tracee *tracee)
{
	struct rep_seek *seek = context;

	return wait_patiently(seek->session, seek->task, seek->since_ns);
}

static bool seek_is_foreign(void *context, struct tracee *tracee, int status)
{
	struct rep_seek *seek = context;

	return rep_is_foreign(seek->task, status);
}

void rep_seek_begin(struct rep_seek *seek, struct rep_session *s, struct rep_task *t)
{
	*seek = (struct rep_seek){
		.waiter = {seek_wait, seek_is_foreign, seek},
		.session = s,
		.task = t,
		.since_ns = now_ns(),
	};
}

static void before_run(struct rep_session *s, struct rep_task *t)
{
	if (s->pauser)
		s->pauser->before_run(s->pauser->context, t);
}

/* Returns whether to pause. */
static bool after_run(struct rep_session *s, struct rep_task *t, int status)
{
	if (!s->pauser || t->tracee.gone)
		return false;
	s->pauser->after_run(s->pauser->context, t);
	return s->pauser->is_wanted(s->pauser->context, t, status);
}

/* Runs to the next stop that the program caused; signals from outside have no place in a replay. */
static struct error *run(struct rep_session *s, struct rep_task *t, int *status)
{
	uint64_t since = now_ns();

	softpmu_load(&t->tracee, &t->mm->probes, &t->counter);
	for (;;) {
		before_run(s, t);
		softpmu_enter_copy(&t->tracee, &t->mm->probes, arch.pc(tracee_regs(&t->tracee)));
		tracee_resume(&t->tracee, PTRACE_SYSEMU, 0);
		*status = wait_patiently(s, t, since);
		t->moved = true;
		if (after_run(s, t, *status))
			return rep_pause(s);
		log_stop("event %llu, task %u: status %#x", (unsigned long long)s->event.number,
			 t->tid, *status);
		if (rep_interrupted() && !t->tracee.gone)
			return rep_stopped_short(s, t);
		if (t->tracee.gone)
			return rep_diverged(s, t, "the replayed task is gone (wait status %#x)",
					    *status);
		if (rep_is_foreign(t, *status))
			continue;
		if (WSTOPSIG(*status) == (SIGTRAP | 0x80)) {
			softpmu_leave_call(&t->tracee, &t->mm->probes);
			return NULL;
		}
		if (softpmu_sort_stop(&t->tracee, &t->mm->probes, WSTOPSIG(*status)) !=
		    SOFTPMU_STOP_WINDOW)
			return NULL;
	}
}

struct error *rep_run_on(struct rep_session *s, struct rep_task *t, int *status)
{
	return run(s, t, status);
}

static struct error *unexpected(struct rep_session *s, struct rep_task *t, int status)
{
	const struct regs *regs = tracee_regs(&t->tracee);

	if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
		const struct sc_row *row = sc_row(arch.call_nr(regs));

		return rep_diverged(s, t, "the task made the system call %s (%d)",
				    row ? row->name : "unknown", arch.call_nr(regs));
	}
	return rep_diverged(s, t, "an instruction raised %s", strsignal(WSTOPSIG(status)));
}

struct error *rep_run_to_call(struct rep_session *s, struct rep_task *t)
{
	int status;

	try(run(s, t, &status));
	if (WSTOPSIG(status) != (SIGTRAP | 0x80))
		return unexpected(s, t, status);
	return NULL;
}

/* Does the event's SIGSEGV stand for a signal whose frame found no room on its stack?
 * (force_sigsegv() in kernel/signal.c) */
static struct error *is_frameless(struct rep_session *s, bool *frameless)
{
	struct trace_datum_view view;
	siginfo_t info;

	try(trace_reader_find(s->reader, TRACE_D_SIGINFO, &view));
	*frameless = view.bytes && view.length == sizeof(info);
	if (!*frameless)
		return NULL;
	memcpy(&info, view.bytes, sizeof(info));
	*frameless = info.si_signo == SIGSEGV && info.si_code == SI_KERNEL;
	return NULL;
}

struct error *rep_run_to_fault(struct rep_session *s, struct rep_task *t, int signal)
{
	int status;
	bool any = false;

	try(run(s, t, &status));
	if (WSTOPSIG(status) == signal)
		return NULL;
	if (WSTOPSIG(status) != (SIGTRAP | 0x80))
		try(is_frameless(s, &any));
	return any ? NULL : unexpected(s, t, status);
}
