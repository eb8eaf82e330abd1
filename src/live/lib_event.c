/* libwarp: stops become events, and what is written to the event descriptor is carried out.
 *
 * Invariant: a thread that is stopped for an event is held once, and its cause is in its task. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live/lib.h"

/* ---- events ---- */

static bool put(struct warp_target *target, const struct warp_event *event)
{
	ssize_t sent;

	do
		sent = send(target->own_end, event, sizeof(*event), MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == sizeof(*event);
}

/* To be told of room in the socket is wanted only while something waits for it: each read would
 * ring. */
static void wait_for_room(struct warp_target *target, bool wait)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET | (wait ? EPOLLOUT : 0),
				    .data.ptr = target};

	if (target->waits_for_room != wait)
		epoll_ctl(target->tracer->poll, EPOLL_CTL_MOD, target->own_end, &event);
	target->waits_for_room = wait;
}

void lib_flush(struct warp_target *target)
{
	size_t sent = 0;

	while (sent < target->backlog.count && put(target, &target->backlog.items[sent]))
		sent++;
	target->backlog.count -= sent;
	if (sent)
		memmove(target->backlog.items, target->backlog.items + sent,
			target->backlog.count * sizeof(*target->backlog.items));
	wait_for_room(target, target->backlog.count);
	/* Its reader sees the end, but can still write. */
	if (target->finished && !target->backlog.count)
		shutdown(target->own_end, SHUT_WR);
}

static void tell(struct warp_target *target, const struct warp_event *event)
{
	vec_push(&target->backlog, *event);
	lib_flush(target);
}

static struct warp_target *target_of(const struct live_task *task)
{
	return task->process->user;
}

/* A thread that somebody waits for in warp_step has stopped. */
static void end_step(struct warp_target *target, struct live_task *task, int result)
{
	struct command *stepper = target->stepper;

	target->stepper = NULL;
	task->wants = task->process->wants;
	live_set_alone(task, false);
	lib_done(stepper, result);
}

static bool is_stepping(const struct warp_target *target, const struct live_task *task)
{
	return target->stepper && target->step_tid == task->tracee.tid;
}

/* Stops the thread for an event. */
static void stop(struct live_task *task, uint32_t cause, struct warp_event event)
{
	struct warp_target *target = target_of(task);

	event.cause = cause;
	event.tid = task->tracee.tid;
	set_cause(task, cause);
	live_hold(task);
	tell(target, &event);
	if (is_stepping(target, task))
		end_step(target, task, -EINTR);
}

static bool wanted(const struct live_task *task, uint32_t cause)
{
	const struct warp_target *target = target_of(task);

	return target && target->mask & cause;
}

static void on_before_call(void *context, struct live_task *task)
{
	const struct sc_call *call = &task->call;

	task->want_after = wanted(task, WARP_AFTER_CALL);
	if (wanted(task, WARP_BEFORE_CALL))
		stop(task, WARP_BEFORE_CALL,
		     (struct warp_event){.a = (uint64_t)(int64_t)call->nr,
					 .b = call->args[0],
					 .c = call->args[1],
					 .d = call->args[2]});
}

static void on_after_call(void *context, struct live_task *task)
{
	if (wanted(task, WARP_AFTER_CALL))
		stop(task, WARP_AFTER_CALL,
		     (struct warp_event){.a = (uint64_t)(int64_t)task->call.nr,
					 .b = (uint64_t)task->call.result});
}

static bool has_address(int signal)
{
	return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
	       signal == SIGTRAP;
}

static void on_signal(void *context, struct live_task *task, const siginfo_t *info)
{
	if (!wanted(task, WARP_SIGNAL))
		return;
	bool fault = info->si_code > 0 && has_address(task->signal);

	stop(task, WARP_SIGNAL,
	     (struct warp_event){
		     .a = (uint64_t)task->signal,
		     .b = (uint64_t)(int64_t)info->si_code,
		     .c = fault ? 0 : (uint64_t)info->si_pid,
		     .d = fault ? (uint64_t)(uintptr_t)info->si_addr
				: (uint64_t)(uintptr_t)info->si_value.sival_ptr,
	     });
}

static void on_step(void *context, struct live_task *task)
{
	struct warp_target *target = target_of(task);

	if (target && is_stepping(target, task)) {
		if (target->step_cause) { /* else the suspended process keeps it */
			set_cause(task, WARP_STEP);
			live_hold(task);
		}
		end_step(target, task, 0);
	} else if (wanted(task, WARP_STEP)) {
		stop(task, WARP_STEP,
		     (struct warp_event){.a = arch.pc(tracee_regs(&task->tracee))});
	}
}

static void on_breakpoint(void *context, struct live_task *task, struct live_breakpoint *breakpoint)
{
	if (wanted(task, WARP_BREAKPOINT))
		stop(task, WARP_BREAKPOINT,
		     (struct warp_event){.a = breakpoint->at, .b = breakpoint->hits});
}

static void on_interrupted(void *context, struct live_task *task)
{
	if (target_of(task))
		stop(task, WARP_STOPPED,
		     (struct warp_event){.a = arch.pc(tracee_regs(&task->tracee))});
}

/* Parent and child both wait. */
static void on_birth(struct warp_target *target, struct live_task *task, struct live_task *parent,
		     enum warp_birth birth)
{
	struct warp_event event = {
		.cause = WARP_CLONE,
		.tid = parent ? parent->tracee.tid : task->tracee.tid,
		.a = (uint64_t)task->tracee.tid,
		.b = birth,
	};

	set_cause(task, WARP_CLONE);
	live_hold(task);
	if (parent) {
		set_cause(parent, WARP_CLONE);
		live_hold(parent);
	}
	tell(target, &event);
}

static void on_new_task(void *context, struct live_task *task, struct live_task *parent,
			enum live_birth birth)
{
	struct warp_target *target = target_of(parent ? parent : task);

	if (birth == LIVE_SPAWNED) {
		live_hold(task); /* warp_open_new suspends it and releases this */
		return;
	}
	if (birth == LIVE_ATTACHED || !target || !(target->mask & WARP_CLONE))
		return;
	if (birth == LIVE_THREAD) {
		on_birth(target, task, parent, WARP_NEW_THREAD);
		return;
	}
	vec_push(&target->children, task->process->pid);
	on_birth(target, task, parent, birth == LIVE_VFORK ? WARP_NEW_VFORK : WARP_NEW_FORK);
}

static void on_exec(void *context, struct live_task *task, pid_t former)
{
	if (wanted(task, WARP_EXEC))
		stop(task, WARP_EXEC, (struct warp_event){.a = (uint64_t)former});
}

static void on_task_ended(void *context, struct live_task *task, int status)
{
	struct warp_target *target = target_of(task);
	struct warp_event event = {
		.cause = WARP_EXIT,
		.tid = task->tracee.tid,
		.a = (uint64_t)(uint32_t)status,
		.b = task->process->task_count == 1,
	};

	if (target && is_stepping(target, task))
		end_step(target, task, -ESRCH);
	/* One that has vanished in another's exec bears that one's id: WARP_EXEC tells. */
	if (status != -1 && wanted(task, WARP_EXIT))
		tell(target, &event);
}

static void on_process_ended(void *context, struct live_process *process, int status)
{
	if (process->user)
		lib_gone(process->user);
}

static void on_detached(void *context, struct live_process *process)
{
	if (process->user)
		lib_gone(process->user);
}

const struct live_hooks lib_hooks = {
	.before_call = on_before_call,
	.after_call = on_after_call,
	.signal = on_signal,
	.step = on_step,
	.breakpoint = on_breakpoint,
	.interrupted = on_interrupted,
	.new_task = on_new_task,
	.exec = on_exec,
	.task_ended = on_task_ended,
	.process_ended = on_process_ended,
	.detached = on_detached,
};

/* ---- orders ---- */

void lib_release(struct live_task *task)
{
	if (!cause_of(task))
		return;
	set_cause(task, 0);
	live_release(task);
}

static void set_mask(struct warp_target *target, uint32_t mask)
{
	unsigned wants = 0;

	if (mask & (WARP_BEFORE_CALL | WARP_AFTER_CALL))
		wants |= LIVE_CALLS;
	if (mask & WARP_STEP)
		wants |= LIVE_STEPS;
	target->mask = mask;
	target->process->follow = mask & WARP_CLONE;
	live_set_wants(target->process, wants);
}

/* What is decided late about the stop at hand; then the thread goes on. */
static void decide(struct live_task *task, const struct warp_go *go)
{
	uint32_t cause = cause_of(task);

	if (cause == WARP_BEFORE_CALL) {
		task->want_after = wanted(task, WARP_AFTER_CALL);
		if (go->flags & WARP_IGNORE)
			live_call_skip(task, go->result);
	}
	if (cause == WARP_SIGNAL && go->flags & WARP_SUPPRESS)
		task->signal = 0;
	lib_release(task);
}

/* Children that nobody has opened run on untraced. */
static bool let_children_go(struct warp_target *target, pid_t pid)
{
	struct engine *engine = target->tracer->engine;
	bool any = false;

	for (size_t i = 0; i < target->children.count;) {
		pid_t child = target->children.items[i];

		if (pid && pid != child) {
			i++;
			continue;
		}
		vec_remove(&target->children, i);
		struct live_process *process = engine_find_process(engine, child);

		if (process)
			error_free(engine_detach(process)); /* no filter: it can be let go */
		any = true;
	}
	return any;
}

static int go_one(struct warp_target *target, const struct warp_go *go)
{
	struct live_task *task = engine_find_task(target->tracer->engine, go->tid);

	if (task && task->process == target->process) {
		decide(task, go);
		return 0;
	}
	return let_children_go(target, go->tid) ? 0 : -ESRCH;
}

static void go_all(struct warp_target *target, const struct warp_go *go)
{
	struct live_task *task, *next;

	for (task = live_next_task(target->process, NULL); task; task = next) {
		next = live_next_task(target->process, task);
		decide(task, go);
	}
	let_children_go(target, 0);
	if (target->opening)
		lib_resume(target);
}

int lib_go(struct warp_target *target, const struct warp_go *go)
{
	if (!target->process)
		return -ESRCH;
	if (!(go->flags & WARP_KEEP_MASK))
		set_mask(target, go->mask & WARP_ALL);
	if (go->tid)
		return go_one(target, go);
	go_all(target, go);
	return 0;
}

/* Reads the orders of one target. A shorter one is a mask alone. */
static void read_orders(struct warp_target *target)
{
	for (;;) {
		struct warp_go go = {0};
		ssize_t got = recv(target->own_end, &go, sizeof(go), MSG_DONTWAIT);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return;
		if (got >= (ssize_t)sizeof(go.mask))
			lib_go(target, &go);
	}
}

void lib_serve(struct warp_tracer *tracer)
{
	struct epoll_event events[64];
	int count;

	do {
		count = epoll_wait(tracer->poll, events, 64, 0);
		for (int i = 0; i < count; i++) {
			struct warp_target *target = events[i].data.ptr;

			if (target->backlog.count)
				lib_flush(target);
			read_orders(target);
		}
	} while (count == 64);
}
