/* The recording's loop: who runs, who waits, and what each stop means.
 *
 * Invariant: in a group, a task is handled or resumed into user mode only while `running` is 0. A
 * task that stops goes to the group's queue; the front of the queue has the turn. */
#include "record/session.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "record/record.h"
#include "tracee/procfs.h"
#include "util/log.h"

uint64_t rec_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

void rec_tell_once(struct rec_session *s, enum rec_told what, uint64_t which, const char *format,
		   ...)
{
	va_list args;

	vec_foreach (&s->told, told)
		if (told->what == what && told->which == which)
			return;
	vec_push(&s->told, ((struct rec_notice){what, which}));
	va_start(args, format);
	char *text = xvasprintf(format, args);

	va_end(args);
	log_notice("%s", text);
	free(text);
}

void rec_fail(struct rec_session *s, struct error *error)
{
	if (!s->failure)
		s->failure = error;
	else
		error_free(error);
}

/* ---- turns ---- */

void rec_run_user(struct rec_task *t, int signal)
{
	struct rec_group *group = rec_group(t);

	if (t->tracee.trapped && !signal)
		rec_restore_trap(t);
	t->state = STATE_RUNNING;
	group->running++;
	group->in_user = t;
	softpmu_load(&t->tracee, &t->mm->probes, &t->counter);
	rec_agent_load(t);
	/* What outer rules answer would pass unseen otherwise; it costs one stop more a call. */
	tracee_resume(&t->tracee, t->outer_rules ? PTRACE_SYSCALL : PTRACE_CONT, signal);
}

void rec_continue(struct rec_session *s, struct rec_task *t)
{
	struct rec_group *group = rec_group(t);

	vec_clear(&t->sample);
	t->spins = false;
	t->resumed = *tracee_regs(&t->tracee);
	t->resumed_valid = !arch.in_call(&t->resumed) && tracee_signal_pending(&t->tracee);
	if (t->tracee.gone) {
		t->state = STATE_DYING;
		return;
	}
	bool others = group->running || (group->ready.count && rec_now() >= group->slice_end_ns);

	if (others || rec_ends_turn(s, t))
		rec_queue(s, t, TODO_RESUME);
	else
		rec_run_user(t, 0);
}

void rec_resume_in_call(struct rec_task *t, int how)
{
	t->state = STATE_IN_CALL;
	tracee_resume(&t->tracee, how, 0);
}

void rec_resume_to_die(struct rec_task *t, int signal)
{
	t->leader->dying = true;
	t->state = STATE_IN_CALL;
	/* A trap of the program's own kills it where it blocks that; at the stop it was blocked
	 * again. */
	tracee_set_sigmask(&t->tracee, tracee_get_sigmask(&t->tracee) & ~SIGNAL_BIT(signal));
	tracee_resume(&t->tracee, PTRACE_CONT, signal);
}

/* ---- stops ---- */

/* One that is interrupted in the agent goes to the end of its call, which is a place for all that
 * an interrupt is made for. A group stop comes again there. */
static bool left_agent(struct rec_session *s, struct rec_task *t)
{
	bool stops = WSTOPSIG(t->status) != SIGTRAP;
	enum rec_left left = rec_leave_agent(s, t);

	if (left == REC_NOT_INSIDE)
		return false;
	if (left == REC_ELSEWHERE) {
		rec_take_status(s, t, t->status);
		return true;
	}
	if (stops) {
		tracee_interrupt(&t->tracee);
		rec_run_user(t, 0);
		return true;
	}
	rec_send_stash(s, t);
	rec_continue(s, t);
	return true;
}

/* A group stop, or the end of one (ptrace(2), "Group-stop" and PTRACE_LISTEN). */
static void on_event_stop(struct rec_session *s, struct rec_task *t)
{
	int status = tracee_trap_first(&t->tracee, t->status), signal = WSTOPSIG(status);

	if (t->tracee.gone || status != t->status) {
		rec_take_status(s, t, status);
		return;
	}
	if (left_agent(s, t))
		return;
	if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU) {
		if (rec_place_group_stop(s, t))
			return;
		t->resumed_valid = t->tracee.interrupted = false;
		t->state = STATE_LISTENING;
		tracee_resume(&t->tracee, PTRACE_LISTEN, 0);
		return;
	}
	if (t->tracee.interrupted) {
		t->tracee.interrupted = false;
		rec_on_interrupt(s, t);
		return;
	}
	t->resumed_valid = false;
	rec_run_user(t, 0); /* perhaps between events: nobody else's turn */
}

static bool at_entry(struct rec_task *t)
{
	struct __ptrace_syscall_info info;

	return tracee_call_info(&t->tracee, &info) && info.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* Not in the middle or at the end of a call. */
static bool ran_in_user(int status)
{
	int event = tracee_event(status);

	if (!event)
		return WSTOPSIG(status) != (SIGTRAP | 0x80);
	return event == PTRACE_EVENT_SECCOMP || event == PTRACE_EVENT_STOP;
}

void rec_handle_status(struct rec_session *s, struct rec_task *t)
{
	int status = t->status;

	log_stop("task %d: status %#x", t->tracee.tid, status);
	if (ran_in_user(status) && !rec_in_agent(t))
		rec_agent_drain(s, t);
	switch (tracee_event(status)) {
	case PTRACE_EVENT_SECCOMP:
		rec_on_call_entry(s, t);
		return;
	case PTRACE_EVENT_CLONE:
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
		rec_on_clone(s, t);
		return;
	case PTRACE_EVENT_EXEC:
		rec_on_exec(s, t);
		return;
	case PTRACE_EVENT_EXIT:
		rec_agent_drain(s, t);
		rec_on_exit(s, t);
		return;
	case PTRACE_EVENT_STOP:
		on_event_stop(s, t);
		return;
	}
	if (WSTOPSIG(status) != (SIGTRAP | 0x80))
		rec_on_signal(s, t, WSTOPSIG(status));
	else if (t->outer_rules && at_entry(t))
		rec_before_rules(s, t);
	else
		rec_on_call_exit(s, t);
}

/* SIGKILL, from anywhere or by an exit_group of the process, takes a task out of the stop that it
 * was queued for, and on to the one at its exit; or it is gone. */
static bool overtaken(struct rec_session *s, struct rec_task *t)
{
	bool at_exit = t->todo == TODO_STATUS && tracee_event(t->status) == PTRACE_EVENT_EXIT;
	/* To act on the old stop would take a dying task past the one at its exit. */
	bool dying = t->leader->dying && !at_exit;
	int status = tracee_wait(&t->tracee, dying ? 0 : WNOHANG);

	if (status)
		rec_take_status(s, t, status);
	return status;
}

/* It was killed while it made a call for us, whatever we did with it then. */
static void see_end(struct rec_session *s, struct rec_task *t)
{
	if (t->state == STATE_RUNNING)
		rec_group(t)->running--;
	rec_take_status(s, t, tracee_wait(&t->tracee, 0));
}

static void handle(struct rec_session *s, struct rec_task *t)
{
	pid_t tid = t->tracee.tid;

	if (!overtaken(s, t)) {
		if (t->todo == TODO_RESUME)
			rec_begin_turn(s, t);
		else
			rec_handle_status(s, t);
	}
	t = rec_find(s, tid); /* or it is no more */
	if (t && t->tracee.unseen)
		see_end(s, t);
}

/* An exec by a thread that is no leader: it now has the leader's id (ptrace(2), "execve(2) under
 * ptrace"), and all other threads are gone without a word. */
static void adopt_leader_id(struct rec_session *s, struct rec_task *leader)
{
	pid_t tid = leader->tracee.tid;
	unsigned long former = 0;

	ptrace(PTRACE_GETEVENTMSG, tid, NULL, &former);
	struct rec_task *t = rec_find(s, (pid_t)former);

	if (!t || t == leader)
		return;
	leader->exit_event = true;
	rec_task_remove(s, leader);
	HASH_DEL(s->tasks, t);
	t->tracee.tid = tid;
	t->leader = t;
	HASH_ADD_INT(s->tasks, tracee.tid, t);
}

void rec_on_wait(struct rec_session *s, pid_t tid, int status)
{
	struct rec_task *t = rec_find(s, tid);

	if (t && WIFSTOPPED(status) && tracee_event(status) == PTRACE_EVENT_EXEC) {
		adopt_leader_id(s, t);
		t = rec_find(s, tid);
	}
	if (!t && WIFSTOPPED(status) && tracee_event(status) == PTRACE_EVENT_EXIT) {
		ptrace(PTRACE_CONT, tid, NULL, NULL); /* killed before anybody knew of it */
		return;
	}
	if (!t) {
		__auto_type early = (typeof(*s->early.items)){tid, status};

		vec_push(&s->early, early);
		return;
	}
	bool ran = t->state == STATE_RUNNING;

	if (ran)
		rec_group(t)->running--;
	t->status = status;
	t->arrived = ++s->arrivals;
	if (!WIFSTOPPED(status)) {
		t->state = STATE_DYING;
		rec_on_gone(s, t, status);
		return;
	}
	tracee_stopped(&t->tracee, status);
	if (ran)
		rec_queue_first(s, t);
	else
		rec_queue(s, t, TODO_STATUS);
}

/* Those that a call has woken come to their stops when they have the core that we share: for a
 * choice by chance they must be there. */
static void gather(struct rec_session *s)
{
	int status;
	pid_t tid;

	sched_yield();
	while ((tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0)
		rec_on_wait(s, tid, status);
}

/* A group in which somebody is ready and nobody runs. */
static struct rec_group *next_group(struct rec_session *s)
{
	if (s->timing.chaos)
		gather(s);
	vec_foreach (&s->groups, group)
		if ((*group)->running == 0 && (*group)->ready.count)
			return *group;
	return NULL;
}

/* Gives the turn to whoever is ready until nobody can have it. Groups come, merge and end
 * meanwhile. */
static void give_turns(struct rec_session *s)
{
	struct rec_group *group;

	while ((group = next_group(s))) {
		struct rec_task *t = group->ready.items[0];

		vec_remove(&group->ready, 0);
		t->queued = false;
		handle(s, t);
	}
}

static void kill_all(struct rec_session *s)
{
	struct rec_task *t, *next;

	HASH_ITER (hh, s->tasks, t, next)
		kill(t->tracee.tgid, SIGKILL);
}

struct error *rec_run(struct rec_session *s)
{
	bool killed = false;

	for (;;) {
		int status;

		give_turns(s);
		if (!s->failure)
			s->failure = trace_writer_check(s->writer);
		if (s->failure && !killed) {
			kill_all(s);
			killed = true;
		}
		if (!s->tasks)
			return s->failure;
		rec_plan_tick(s);
		pid_t tid = waitpid(-1, &status, __WALL);

		if (tid > 0)
			rec_on_wait(s, tid, status);
		else if (errno == ECHILD)
			return s->failure;
		else if (s->tick_ns)
			rec_tick(s);
	}
}
