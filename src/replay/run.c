/* Letting a task run up to its next event. System calls are never made (PTRACE_SYSEMU). */
#include <string.h>
#include <sys/wait.h>

#include "replay/session.h"
#include "util/log.h"

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

/* Runs to the next stop that the program caused; signals from outside have no place in a replay. */
static struct error *run(struct rep_session *s, struct rep_task *t, int *status)
{
	siginfo_t info;

	softpmu_load(&t->tracee, &t->mm->probes, &t->counter);
	for (;;) {
		tracee_resume(&t->tracee, PTRACE_SYSEMU, 0);
		*status = tracee_wait(&t->tracee, 0);
		log_stop("event %llu, task %u: status %#x", (unsigned long long)s->event.number,
			 t->tid, *status);
		if (t->tracee.gone)
			return rep_diverged(s, t, "the replayed task is gone (wait status %#x)",
					    *status);
		if (tracee_event(*status))
			continue;
		if (WSTOPSIG(*status) == (SIGTRAP | 0x80))
			return NULL;
		if (tracee_get_siginfo(&t->tracee, &info) && info.si_code > 0 &&
		    softpmu_sort_stop(&t->tracee, &t->mm->probes, WSTOPSIG(*status)) !=
			    SOFTPMU_STOP_WINDOW)
			return NULL;
	}
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

struct error *rep_run_to_fault(struct rep_session *s, struct rep_task *t, int signal)
{
	int status;

	try(run(s, t, &status));
	/* SIGSEGV also stands for a signal whose frame found no room on its stack. */
	if (WSTOPSIG(status) != signal &&
	    (signal != SIGSEGV || WSTOPSIG(status) == (SIGTRAP | 0x80)))
		return unexpected(s, t, status);
	return NULL;
}
