/* libwarp: opening and closing targets, and the calls that stop them and let them go.
 *
 * Invariant: a target whose process has ended stays until it is closed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utlist.h>

#include "live/lib.h"
#include "util/alloc.h"

/* ---- making and freeing ---- */

static int make_socket(struct command *command, struct warp_target *target)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = target};
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return lib_fail(command, errno, "cannot make an event descriptor: %s",
				strerror(errno));
	target->user_end = ends[0];
	target->own_end = ends[1];
	if (target->flags & WARP_NONBLOCK)
		fcntl(ends[0], F_SETFL, O_NONBLOCK);
	epoll_ctl(target->tracer->poll, EPOLL_CTL_ADD, ends[1], &event);
	return 0;
}

static void target_free(struct warp_target *target)
{
	DL_DELETE(target->tracer->targets, target);
	close(target->own_end);
	close(target->user_end);
	vec_deinit(&target->backlog);
	vec_deinit(&target->children);
	free(target);
}

static int target_make(struct warp_tracer *tracer, struct command *command, unsigned flags,
		       struct warp_target **out)
{
	struct warp_target *target = xcalloc(1, sizeof(*target));

	target->tracer = tracer;
	target->flags = flags;
	target->user_end = target->own_end = -1;
	int result = make_socket(command, target);

	if (result < 0) {
		free(target);
		return result;
	}
	DL_APPEND(tracer->targets, target);
	*out = target;
	return 0;
}

static void adopt(struct warp_target *target, struct live_process *process)
{
	target->process = process;
	target->pid = process->pid;
	process->user = target;
}

void lib_gone(struct warp_target *target)
{
	struct command *closer = target->closer;

	target->process = NULL;
	target->finished = true;
	lib_flush(target);
	if (target->stepper) {
		struct command *stepper = target->stepper;

		target->stepper = NULL;
		lib_done(stepper, -ESRCH);
	}
	target->closer = NULL;
	if (closer)
		lib_done(closer, 0);
}

/* ---- opening ---- */

struct opening {
	const struct warp_program *program;
	pid_t pid;
	unsigned flags;
	struct warp_target *target;
};

static int run_open_new(struct warp_tracer *tracer, struct command *command)
{
	struct opening *opening = command->argument;
	struct live_process *process;
	struct live_spawn spawn = {
		.argv = opening->program->argv,
		.envp = opening->program->envp,
		.descriptors = opening->program->descriptors,
		.kill_on_exit = opening->flags & WARP_KILL_ON_CLOSE,
		.new_session = opening->flags & WARP_NEW_SESSION,
		.mask = tracer->mask,
		.ignored = tracer->ignored,
	};
	int result = target_make(tracer, command, opening->flags, &opening->target);

	if (result < 0)
		return result;
	struct error *error = engine_spawn(tracer->engine, &spawn, &process);

	if (error) {
		target_free(opening->target);
		return lib_fail_error(command, error);
	}
	adopt(opening->target, process);
	opening->target->opening = true;
	opening->target->suspends = 1;
	engine_suspend(process, 0, NULL);
	live_release(live_next_task(process, NULL)); /* held as on_new_task has it */
	return 0;
}

int warp_open_new(struct warp_tracer *tracer, const struct warp_program *program, unsigned flags,
		  struct warp_target **target)
{
	struct opening opening = {.program = program, .flags = flags};
	struct command command = {.run = run_open_new, .argument = &opening};

	*target = NULL;
	if (!program->argv || !program->argv[0])
		return lib_explain(EINVAL,
				   xstrdup("cannot start a program without a name: argv is empty"));
	int result = lib_call(tracer, &command);

	if (result == 0)
		*target = opening.target;
	return result;
}

static int run_open_pid(struct warp_tracer *tracer, struct command *command)
{
	struct opening *opening = command->argument;
	struct live_attach attach = {.stop = true};
	struct live_process *process;
	int result = target_make(tracer, command, opening->flags, &opening->target);

	if (result < 0)
		return result;
	struct error *error = engine_attach(tracer->engine, opening->pid, &attach, &process);

	if (error) {
		target_free(opening->target);
		return lib_fail_error(command, error);
	}
	adopt(opening->target, process);
	opening->target->opening = true;
	opening->target->suspends = 1;
	return 0;
}

int warp_open_pid(struct warp_tracer *tracer, pid_t pid, unsigned flags,
		  struct warp_target **target)
{
	struct opening opening = {.pid = pid, .flags = flags};
	struct command command = {.run = run_open_pid, .argument = &opening};

	*target = NULL;
	int result = lib_call(tracer, &command);

	if (result == 0)
		*target = opening.target;
	return result;
}

static int run_open_child(struct warp_tracer *tracer, struct command *command)
{
	struct opening *opening = command->argument;
	struct warp_target *parent = command->target;
	struct live_process *process = engine_find_process(tracer->engine, opening->pid);
	size_t i = 0;

	while (i < parent->children.count && parent->children.items[i] != opening->pid)
		i++;
	if (i == parent->children.count || !process)
		return lib_fail(command, ESRCH,
				"process %d is no child of %d that waits to be opened",
				opening->pid, parent->pid);
	int result = target_make(tracer, command, opening->flags, &opening->target);

	if (result < 0)
		return result;
	vec_remove(&parent->children, i);
	adopt(opening->target, process);
	opening->target->opening = true;
	opening->target->suspends = 1;
	engine_suspend(process, 0, NULL);
	struct live_task *task = live_next_task(process, NULL);

	if (task)
		lib_release(task);
	return 0;
}

int warp_open_child(struct warp_target *parent, pid_t pid, unsigned flags,
		    struct warp_target **target)
{
	struct opening opening = {.pid = pid, .flags = flags};
	struct command command = {.run = run_open_child, .target = parent, .argument = &opening};

	*target = NULL;
	int result = lib_call(parent->tracer, &command);

	if (result == 0)
		*target = opening.target;
	return result;
}

/* ---- closing ---- */

static void let_children_go(struct warp_target *target)
{
	vec_foreach (&target->children, child) {
		struct live_process *process = engine_find_process(target->tracer->engine, *child);

		if (process)
			error_free(engine_detach(process));
	}
	vec_clear(&target->children);
}

/* Nothing keeps it from dying. */
static void kill_target(struct warp_target *target)
{
	struct live_task *task, *next;

	engine_kill(target->process);
	while (target->suspends)
		lib_resume(target);
	for (task = live_next_task(target->process, NULL); task; task = next) {
		next = live_next_task(target->process, task);
		lib_release(task);
	}
}

int lib_close(struct warp_tracer *tracer, struct command *command)
{
	struct warp_target *target = command->target;

	let_children_go(target);
	if (!target->process)
		return 0;
	target->mask = 0;
	if (target->flags & WARP_KILL_ON_CLOSE) {
		target->closer = command;
		kill_target(target);
		return LATER;
	}
	/* There is no filter, so that it can be let go. Threads that cannot stop now leave later:
	 * nobody waits. */
	error_free(engine_detach(target->process));
	if (target->process) {
		target->process->user = NULL;
		target->process = NULL;
	}
	return 0;
}

static int run_free(struct warp_tracer *tracer, struct command *command)
{
	target_free(command->argument);
	return 0;
}

void warp_close(struct warp_target *target)
{
	struct command closing = {.run = lib_close, .target = target};
	struct command freeing = {.run = run_free, .argument = target};

	if (!target)
		return;
	struct warp_tracer *tracer = target->tracer;

	lib_call(tracer, &closing);
	lib_call(tracer, &freeing);
}

void lib_close_all(struct warp_tracer *tracer)
{
	struct warp_target *target, *next;

	DL_FOREACH_SAFE(tracer->targets, target, next)
	{
		let_children_go(target);
		target->mask = 0;
		if (target->process && target->flags & WARP_KILL_ON_CLOSE)
			engine_kill(target->process);
		if (target->process)
			error_free(engine_detach(target->process));
		if (target->process)
			target->process->user = NULL;
		target_free(target);
	}
}

pid_t warp_pid(const struct warp_target *target)
{
	return target->pid;
}

int warp_fd(const struct warp_target *target)
{
	return target->user_end;
}

/* ---- going on and stopping ---- */

void lib_resume(struct warp_target *target)
{
	target->suspends--;
	target->opening = false;
	engine_resume(target->process);
}

static int run_suspend(struct warp_tracer *tracer, struct command *command)
{
	command->target->suspends++;
	engine_suspend(command->target->process, 2000, NULL);
	return 0;
}

int warp_suspend(struct warp_target *target)
{
	struct command command = {.run = run_suspend, .target = target};

	return lib_call(target->tracer, &command);
}

static int run_resume(struct warp_tracer *tracer, struct command *command)
{
	if (!command->target->suspends)
		return lib_fail(command, EINVAL, "process %d was not suspended",
				command->target->pid);
	lib_resume(command->target);
	return 0;
}

int warp_resume(struct warp_target *target)
{
	struct command command = {.run = run_resume, .target = target};

	return lib_call(target->tracer, &command);
}

static int run_go(struct warp_tracer *tracer, struct command *command)
{
	const struct warp_go *go = command->argument;
	int result = lib_go(command->target, go);

	if (result < 0)
		lib_fail(command, -result,
			 "process %d has no thread %d, nor a new child of that id",
			 command->target->pid, go->tid);
	return result;
}

int warp_go(struct warp_target *target, const struct warp_go *go)
{
	struct command command = {.run = run_go, .target = target, .argument = (void *)go};

	return lib_call(target->tracer, &command);
}

int warp_wait(struct warp_target *target, struct warp_event *event, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = target->user_end, .events = POLLIN};
	int ready = poll(&poll_fd, 1, timeout_ms);

	if (ready < 0)
		return lib_explain(errno, xasprintf("cannot wait for events of process %d: %s",
						    target->pid, strerror(errno)));
	if (ready == 0)
		return 0;
	ssize_t got = recv(target->user_end, event, sizeof(*event), MSG_DONTWAIT);

	if (got == sizeof(*event))
		return 1;
	if (got < 0 && errno == EAGAIN)
		return 0; /* another thread was faster */
	return lib_explain(ESRCH, xasprintf("process %d has ended", target->pid));
}

static int run_interrupt(struct warp_tracer *tracer, struct command *command)
{
	struct live_process *process = command->target->process;
	pid_t tid = *(pid_t *)command->argument;
	struct live_task *task, *next;
	bool any = false;

	for (task = live_next_task(process, NULL); task; task = next) {
		next = live_next_task(process, task);
		if (tid && task->tracee.tid != tid)
			continue;
		any = true;
		if (!cause_of(task))
			live_interrupt(task);
	}
	return any ? 0 : lib_fail(command, ESRCH, "process %d has no thread %d", process->pid, tid);
}

int warp_interrupt(struct warp_target *target, pid_t tid)
{
	struct command command = {.run = run_interrupt, .target = target, .argument = &tid};

	return lib_call(target->tracer, &command);
}
