/* Tasks of a replay: made as real threads and processes, given fresh address spaces by executing
 * the stub, ended when the recording says so. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/agent_abi.h"
#include "replay/session.h"
#include "util/cleanup.h"

#define PTRACE_OPTIONS                                                                          \
	(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | \
	 PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC)

/* ---- images ---- */

static struct error *apply_image_datum(struct rep_session *s, struct rep_task *t,
				       const struct trace_datum_view *view)
{
	struct trace_mapping mapping;

	switch (view->kind) {
	case TRACE_D_MAPPING:
		memcpy(&mapping, view->bytes, sizeof(mapping));
		return rep_map(s, t, &mapping, (int)mapping.prot, (int)mapping.flags);
	case TRACE_D_NAME:
		tracee_write(&t->tracee, WARP_DATA_PAGE, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
		tracee_write(&t->tracee, WARP_DATA_PAGE, view->bytes,
			     view->length < 15 ? view->length : 15);
		tracee_callv(&t->tracee, SYS_prctl, PR_SET_NAME, WARP_DATA_PAGE);
		return NULL;
	default:
		return NULL; /* memory and registers come last */
	}
}

/* One that makes no calls: all of them stop. */
static bool map_agent(struct rep_task *t)
{
	const struct agent_state state = {.entry = AGENT_DECLINE,
					  .bases = arch.bases_are_readable()};

	return tracee_map_agent(&t->tracee, &state);
}

/* Rearms what exec drops, clears the stub's mappings and builds the recorded ones. */
static struct error *build_image(struct rep_session *s, struct rep_task *t)
{
	struct trace_datum_view view;
	struct regs regs = rep_event_regs(s);
	uint64_t args[SC_ARGS];
	bool end = false;
	int nr;

	tracee_forget_memory(&t->tracee);
	tracee_write(&t->tracee, WARP_CODE_PAGE, arch.code_page, arch.code_page_size);
	tracee_callv(&t->tracee, SYS_munmap, WARP_PAGES_END, arch.user_end - WARP_PAGES_END);
	if ((trace_reader_meta(s->reader)->numbers.flags & TRACE_META_AGENT) && !map_agent(t))
		return error_new("cannot map warp's code in a replayed process");
	if (trace_reader_meta(s->reader)->numbers.flags & TRACE_META_CPUID_TRAPPED) {
		arch.cpuid_trap_call(&nr, args);
		tracee_call(&t->tracee, nr, args);
	}
	trace_reader_rewind(s->reader);
	for (;;) {
		try(trace_reader_datum(s->reader, &view, &end));
		if (end)
			break;
		try(apply_image_datum(s, t, &view));
	}
	return rep_apply(s, t, &regs);
}

struct error *rep_first_image(struct rep_session *s)
{
	struct spawn_options options = {
		.argv = (char *const[]){"warp-replay", NULL},
		.image = s->stub,
		.time_traps = true,
		.new_session = true,
		.ptrace_options = PTRACE_OPTIONS,
	};
	struct spawn_result result;
	struct tracee tracee;

	if (s->tasks)
		return rep_damaged(s, "is a second start");
	sigemptyset(&options.mask);
	sigemptyset(&options.ignored);
	try(tracee_spawn(&options, &tracee, &result));
	struct rep_task *t = rep_task_add(s, s->event.tid, s->event.tid, &tracee, NULL);

	if (!result.time_traps)
		return error_new(
			"this kernel cannot make rdtsc trap (PR_SET_TSC), which a replay needs");
	tracee_resume(&t->tracee, PTRACE_CONT, 0); /* to the trap at the stub's entry */
	tracee_wait(&t->tracee, 0);
	if (t->tracee.gone)
		return rep_diverged(s, t, "the first process is gone");
	return build_image(s, t);
}

/* Executes the stub. A thread that is no leader takes over its process's id. */
static struct error *exec_stub(struct rep_session *s, struct rep_task *t)
{
	const uint64_t args[SC_ARGS] = {(uint64_t)s->stub, WARP_DATA_PAGE, WARP_DATA_PAGE + 8, 0,
					AT_EMPTY_PATH};
	const uint64_t page[3] = {0, WARP_DATA_PAGE, 0}; /* "", argv = {"", NULL} */

	tracee_write(&t->tracee, WARP_DATA_PAGE, page, sizeof(page));
	arch.remote_call(tracee_regs_mut(&t->tracee), SYS_execveat, args);
	tracee_resume(&t->tracee, PTRACE_CONT, 0);
	for (bool executed = false;;) {
		if (!executed)
			t->tracee.tid = t->tracee.tgid;
		int status = tracee_wait(&t->tracee, 0);

		if (t->tracee.gone)
			return rep_diverged(s, t,
					    "the process is gone while it executes a new image");
		if (tracee_event(status) == PTRACE_EVENT_EXEC)
			executed = true;
		else if (!tracee_event(status) && WSTOPSIG(status) == SIGTRAP)
			return executed ? NULL : rep_diverged(s, t, "cannot execute the stub");
		tracee_resume(&t->tracee, PTRACE_CONT, 0);
	}
}

/* An exec ends all other threads of its process. */
static void drop_others(struct rep_session *s, const struct rep_task *t)
{
	struct rep_task *other, *next;

	HASH_ITER (hh, s->tasks, other, next)
		if (other != t && other->tracee.tgid == t->tracee.tgid)
			rep_task_drop(s, other);
}

struct error *rep_exec(struct rep_session *s, struct rep_task *t)
{
	try(exec_stub(s, t));
	rep_enter_mm(t, NULL);
	drop_others(s, t);
	t->in_call = false;
	if (t->tid != s->event.tid && rep_find(s, s->event.tid))
		return rep_damaged(s, "gives task %u the id of another, %u", t->tid, s->event.tid);
	/* Recorded under the leader's id from now on. */
	if (t->tid != s->event.tid) {
		HASH_DEL(s->tasks, t);
		t->tid = t->tgid = s->event.tid;
		HASH_ADD_INT(s->tasks, tid, t);
	}
	return build_image(s, t);
}

/* ---- new tasks ---- */

#define SHARED_FLAGS \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

/* Children are ours, not the replayed parent's, which never waits. */
static int64_t clone_again(struct rep_task *t, uint64_t recorded, pid_t *child)
{
	uint64_t flags = recorded & SHARED_FLAGS;

	if (!(flags & CLONE_THREAD))
		flags |= CLONE_PARENT | SIGCHLD;
	if (!(flags & CLONE_VM))
		flags &= ~(uint64_t)CLONE_SIGHAND;
	const uint64_t args[SC_ARGS] = {flags};

	return tracee_call_clone(&t->tracee, SYS_clone, args, child);
}

struct error *rep_task_new(struct rep_session *s, struct rep_task *t)
{
	struct trace_datum_view view;
	struct trace_task task;
	struct tracee tracee;
	pid_t real = 0;

	try(trace_reader_find(s->reader, TRACE_D_TASK, &view));
	if (!view.bytes)
		return rep_diverged(s, t, "the recording does not say what task was made");
	memcpy(&task, view.bytes, sizeof(task));
	if (rep_find(s, task.tid))
		return rep_damaged(s, "makes task %u, which there is already", task.tid);
	int64_t result = clone_again(t, task.clone_flags, &real);

	if (result < 0 || !real)
		return error_os(result < 0 ? (int)-result : ECHILD,
				"cannot make task %u of the recording again", task.tid);
	tracee_init(&tracee, real, task.clone_flags & CLONE_THREAD ? t->tracee.tgid : real);
	tracee_wait(&tracee, 0);
	bool same_mm = task.clone_flags & CLONE_VM;
	struct rep_task *child =
		rep_task_add(s, task.tid, task.tgid, &tracee, same_mm ? t->mm : NULL);

	if (!same_mm)
		softpmu_probes_copy(&child->mm->probes, &t->mm->probes);
	struct regs regs = rep_event_regs(s);

	tracee_set_sigmask(&child->tracee, 0);
	return rep_apply(s, child, &regs);
}

/* ---- the end ---- */

static bool last_of_process(struct rep_session *s, const struct rep_task *t)
{
	struct rep_task *other, *next;

	HASH_ITER (hh, s->tasks, other, next) {
		if (other != t && other->tracee.tgid == t->tracee.tgid)
			return false;
	}
	return true;
}

/* Words that the kernel wrote at the task's end, for others to see. */
static struct error *write_exit_words(struct rep_session *s, struct rep_task *t)
{
	struct trace_datum_view view;
	bool end = false;

	for (;;) {
		try(trace_reader_datum(s->reader, &view, &end));
		if (end)
			return NULL;
		if (view.kind == TRACE_D_MEMORY)
			try(rep_write(s, t, &view));
	}
}

/* A leader that ends before its threads stays as a zombie, which wait does not report. */
struct error *rep_task_exit(struct rep_session *s, struct rep_task *t)
{
	try(write_exit_words(s, t));
	if (last_of_process(s, t)) {
		kill(t->tracee.tgid, SIGKILL);
		while (!t->tracee.gone)
			tracee_wait(&t->tracee, 0);
	} else {
		const uint64_t args[SC_ARGS] = {0};

		arch.remote_call(tracee_regs_mut(&t->tracee), SYS_exit, args);
		tracee_resume(&t->tracee, PTRACE_CONT, 0);
		while (t->tracee.tid != t->tracee.tgid && !t->tracee.gone)
			tracee_wait(&t->tracee, 0);
	}
	rep_task_drop(s, t);
	return NULL;
}

void rep_kill_all(struct rep_session *s)
{
	struct rep_task *t, *next;

	HASH_ITER (hh, s->tasks, t, next) {
		kill(t->tracee.tgid, SIGKILL);
		rep_task_drop(s, t);
	}
	/* All children of a replay are tracees, threads too: a leader is reported after its
	 * threads. */
	while (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)
		;
}
