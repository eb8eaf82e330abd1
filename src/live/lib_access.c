/* libwarp: what can be seen and changed of a target: threads, registers, memory, calls,
 * breakpoints. */
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "live/lib.h"
#include "tracee/procfs.h"
#include "util/alloc.h"

/* ---- threads ---- */

static struct live_task *find(struct command *command, pid_t tid)
{
	struct warp_target *target = command->target;
	struct live_task *task = engine_find_task(target->tracer->engine, tid);

	if (task && task->process == target->process)
		return task;
	lib_fail(command, ESRCH, "process %d has no thread %d; it may have ended", target->pid,
		 tid);
	return NULL;
}

/* A thread that is stopped; `tid` 0: any. On failure NULL, and *result says what to return. */
static struct live_task *find_stopped(struct command *command, pid_t tid, int *result)
{
	struct live_process *process = command->target->process;
	struct live_task *task = NULL;

	if (tid) {
		task = find(command, tid);
		if (!task)
			*result = -ESRCH;
	} else {
		do
			task = live_next_task(process, task);
		while (task && task->stop == LIVE_RUNNING);
	}
	if (task && task->stop != LIVE_RUNNING)
		return task;
	if (task || !tid)
		*result = lib_fail(command, EBUSY,
				   "thread %d of process %d is running; suspend the process first",
				   tid, process->pid);
	return NULL;
}

struct list {
	pid_t *tids;
	size_t room;
};

static int run_threads(struct warp_tracer *tracer, struct command *command)
{
	struct list *list = command->argument;
	struct live_task *task = NULL;
	size_t count = 0;

	while ((task = live_next_task(command->target->process, task))) {
		if (count < list->room)
			list->tids[count] = task->tracee.tid;
		count++;
	}
	return (int)count;
}

int warp_threads(struct warp_target *target, pid_t *tids, size_t room)
{
	struct list list = {tids, room};
	struct command command = {.run = run_threads, .target = target, .argument = &list};

	return lib_call(target->tracer, &command);
}

static void read_name(pid_t tid, char name[16])
{
	struct bytes text = {0};

	memset(name, 0, 16);
	if (proc_read(tid, "comm", &text) && text.count)
		memcpy(name, text.items, text.count - 1 < 15 ? text.count - 1 : 15);
	vec_deinit(&text);
}

static int run_thread(struct warp_tracer *tracer, struct command *command)
{
	struct warp_thread *thread = command->argument;
	struct live_task *task = find(command, thread->tid);

	if (!task)
		return -ESRCH;
	thread->stopped = task->stop != LIVE_RUNNING;
	thread->cause = cause_of(task);
	thread->call = -1;
	if (thread->stopped && arch.in_call(tracee_regs(&task->tracee)))
		thread->call = arch.call_nr(tracee_regs(&task->tracee));
	read_name(task->tracee.tid, thread->name);
	thread->state = proc_state(task->tracee.tid);
	return 0;
}

int warp_thread(struct warp_target *target, pid_t tid, struct warp_thread *thread)
{
	struct command command = {.run = run_thread, .target = target, .argument = thread};

	*thread = (struct warp_thread){.tid = tid};
	return lib_call(target->tracer, &command);
}

/* ---- registers ---- */

struct access {
	pid_t tid;
	enum warp_flavor flavor;
	void *bytes;
	const void *from;
	size_t size;
};

static unsigned note_of(enum warp_flavor flavor)
{
	switch (flavor) {
	case WARP_GENERAL:
		return NT_PRSTATUS;
	case WARP_FLOAT:
		return NT_PRFPREG;
	default:
		return arch.xstate_note;
	}
}

static int access_failed(struct command *command, const struct access *access, int errnum)
{
	if (errnum == EINVAL)
		errnum = ENOSPC;
	return lib_fail(command, errnum, "cannot access registers of thread %d: %s", access->tid,
			errnum == ENOSPC ? "the buffer has the wrong size" : strerror(errnum));
}

static int get_debug(struct command *command, struct live_task *task, struct access *access)
{
	struct arch_state state = {0};

	if (access->size < sizeof(state.debug))
		return access_failed(command, access, ENOSPC);
	if (!arch.state_read(task->tracee.tid, 1u << ARCH_DEBUG, &state))
		return access_failed(command, access, errno);
	memcpy(access->bytes, state.debug, sizeof(state.debug));
	access->size = sizeof(state.debug);
	return 0;
}

/* The kernel fills what there is room for: a longer buffer shows whether that was all. */
static int get_set(struct command *command, struct live_task *task, struct access *access)
{
	char set[16384];
	size_t size = sizeof(set);
	int errnum = tracee_get_set(&task->tracee, note_of(access->flavor), set, &size);

	if (errnum || size > access->size)
		return access_failed(command, access, errnum ? errnum : ENOSPC);
	memcpy(access->bytes, set, size);
	access->size = size;
	return 0;
}

static int run_get_regs(struct warp_tracer *tracer, struct command *command)
{
	struct access *access = command->argument;
	int result;
	struct live_task *task = find_stopped(command, access->tid, &result);

	if (!task)
		return result;
	return access->flavor == WARP_DEBUG ? get_debug(command, task, access)
					    : get_set(command, task, access);
}

int warp_get_regs(struct warp_target *target, pid_t tid, enum warp_flavor flavor, void *regs,
		  size_t *size)
{
	struct access access = {.tid = tid, .flavor = flavor, .bytes = regs, .size = *size};
	struct command command = {.run = run_get_regs, .target = target, .argument = &access};

	if ((unsigned)flavor > WARP_DEBUG || !tid)
		return lib_explain(EINVAL,
				   xstrdup("cannot get registers: no such flavor or thread"));
	int result = lib_call(target->tracer, &command);

	if (result == 0)
		*size = access.size;
	return result;
}

static int put_debug(struct command *command, struct live_task *task, const struct access *access)
{
	struct arch_state state = {0};

	if (access->size != sizeof(state.debug))
		return access_failed(command, access, ENOSPC);
	memcpy(state.debug, access->from, sizeof(state.debug));
	return arch.state_write(task->tracee.tid, 1u << ARCH_DEBUG, &state)
		       ? 0
		       : access_failed(command, access, errno);
}

static int run_set_regs(struct warp_tracer *tracer, struct command *command)
{
	struct access *access = command->argument;
	int result;
	struct live_task *task = find_stopped(command, access->tid, &result);

	if (!task)
		return result;
	if (access->flavor == WARP_DEBUG)
		return put_debug(command, task, access);
	int errnum =
		tracee_put_set(&task->tracee, note_of(access->flavor), access->from, access->size);

	return errnum ? access_failed(command, access, errnum) : 0;
}

int warp_set_regs(struct warp_target *target, pid_t tid, enum warp_flavor flavor, const void *regs,
		  size_t size)
{
	struct access access = {.tid = tid, .flavor = flavor, .from = regs, .size = size};
	struct command command = {.run = run_set_regs, .target = target, .argument = &access};

	if ((unsigned)flavor > WARP_DEBUG || !tid)
		return lib_explain(EINVAL,
				   xstrdup("cannot set registers: no such flavor or thread"));
	return lib_call(target->tracer, &command);
}

/* ---- memory ---- */

struct stretch {
	uint64_t addr;
	void *to;
	const void *from;
	size_t length, done;
};

/* Any thread will do: they share it. */
static struct live_task *any_task(struct command *command)
{
	return live_next_task(command->target->process, NULL);
}

static int run_memory(struct warp_tracer *tracer, struct command *command)
{
	struct stretch *stretch = command->argument;
	struct live_task *task = any_task(command);

	if (!task)
		return -ESRCH;
	stretch->done = stretch->to
				? live_read(task, stretch->addr, stretch->to, stretch->length)
				: live_write(task, stretch->addr, stretch->from, stretch->length);
	if (stretch->done || !stretch->length)
		return 0;
	return lib_fail(command, EFAULT,
			"cannot %s memory of process %d at %#llx: nothing is mapped there",
			stretch->to ? "read" : "write", command->target->pid,
			(unsigned long long)stretch->addr);
}

static ssize_t move(struct warp_target *target, struct stretch *stretch)
{
	struct command command = {.run = run_memory, .target = target, .argument = stretch};
	int result = lib_call(target->tracer, &command);

	return result < 0 ? result : (ssize_t)stretch->done;
}

ssize_t warp_read(struct warp_target *target, uint64_t addr, void *to, size_t length)
{
	return move(target, &(struct stretch){.addr = addr, .to = to, .length = length});
}

ssize_t warp_write(struct warp_target *target, uint64_t addr, const void *from, size_t length)
{
	return move(target, &(struct stretch){.addr = addr, .from = from, .length = length});
}

/* ---- calls ---- */

struct call {
	pid_t tid;
	int nr;
	uint64_t args[SC_ARGS];
	int64_t result;
};

static struct live_task *find_at_call(struct command *command, pid_t tid, bool before, bool after,
				      int *result)
{
	struct live_task *task = find_stopped(command, tid, result);

	if (!task || (before && task->stop == LIVE_STOP_BEFORE) ||
	    (after && task->stop == LIVE_STOP_AFTER))
		return task;
	*result = lib_fail(command, EINVAL, "thread %d is not stopped %s a system call", tid,
			   before && after ? "before or after"
			   : before	   ? "before"
					   : "after");
	return NULL;
}

static int run_get_call(struct warp_tracer *tracer, struct command *command)
{
	struct call *call = command->argument;
	int result;
	struct live_task *task = find_at_call(command, call->tid, true, true, &result);

	if (!task)
		return result;
	call->nr = task->call.nr;
	memcpy(call->args, task->call.args, sizeof(call->args));
	return 0;
}

int warp_get_call(struct warp_target *target, pid_t tid, int *nr, uint64_t args[6])
{
	struct call call = {.tid = tid};
	struct command command = {.run = run_get_call, .target = target, .argument = &call};
	int result = lib_call(target->tracer, &command);

	if (result == 0) {
		*nr = call.nr;
		memcpy(args, call.args, sizeof(call.args));
	}
	return result;
}

static int run_set_call(struct warp_tracer *tracer, struct command *command)
{
	struct call *call = command->argument;
	int result;
	struct live_task *task = find_at_call(command, call->tid, true, false, &result);

	if (!task)
		return result;
	live_call_change(task, call->nr, call->args);
	return 0;
}

int warp_set_call(struct warp_target *target, pid_t tid, int nr, const uint64_t args[6])
{
	struct call call = {.tid = tid, .nr = nr};
	struct command command = {.run = run_set_call, .target = target, .argument = &call};

	memcpy(call.args, args, sizeof(call.args));
	return lib_call(target->tracer, &command);
}

static int run_set_result(struct warp_tracer *tracer, struct command *command)
{
	struct call *call = command->argument;
	int result;
	struct live_task *task = find_at_call(command, call->tid, false, true, &result);

	if (!task)
		return result;
	live_call_result(task, call->result);
	return 0;
}

int warp_set_result(struct warp_target *target, pid_t tid, int64_t result)
{
	struct call call = {.tid = tid, .result = result};
	struct command command = {.run = run_set_result, .target = target, .argument = &call};

	return lib_call(target->tracer, &command);
}

static int run_call(struct warp_tracer *tracer, struct command *command)
{
	struct call *call = command->argument;
	int result;
	struct live_task *task = find_stopped(command, call->tid, &result);

	if (!task)
		return result;
	call->result = live_remote_call(task, call->nr, call->args);
	return task->tracee.gone ? -ESRCH : 0;
}

int warp_call(struct warp_target *target, pid_t tid, int nr, const uint64_t args[6],
	      int64_t *result)
{
	struct call call = {.tid = tid, .nr = nr};
	struct command command = {.run = run_call, .target = target, .argument = &call};

	memcpy(call.args, args, sizeof(call.args));
	int failed = lib_call(target->tracer, &command);

	*result = call.result;
	return failed;
}

static int map_failed(const struct warp_target *target, const char *what, int64_t result)
{
	return lib_explain((int)-result, xasprintf("%s in process %d failed: %s", what, target->pid,
						   strerror((int)-result)));
}

int warp_mmap(struct warp_target *target, uint64_t *addr, size_t length, int prot, int flags,
	      int fd, uint64_t offset)
{
	uint64_t args[SC_ARGS] = {
		*addr,
		length,
		(uint64_t)prot,
		(uint64_t)(flags ? flags : MAP_PRIVATE | MAP_ANONYMOUS),
		(uint64_t)(int64_t)(flags ? fd : -1),
		offset,
	};
	int64_t result;
	int failed = warp_call(target, 0, SYS_mmap, args, &result);

	if (failed)
		return failed;
	if (result < 0 && result > -4096)
		return map_failed(target, "mmap", result);
	*addr = (uint64_t)result;
	return 0;
}

int warp_munmap(struct warp_target *target, uint64_t addr, size_t length)
{
	uint64_t args[SC_ARGS] = {addr, length};
	int64_t result;
	int failed = warp_call(target, 0, SYS_munmap, args, &result);

	if (failed)
		return failed;
	return result < 0 ? map_failed(target, "munmap", result) : 0;
}

/* ---- breakpoints ---- */

struct place {
	uint64_t addr;
	enum warp_breakpoint kind;
	unsigned length;
};

static int run_break(struct warp_tracer *tracer, struct command *command)
{
	static const enum live_breakpoint_kind kinds[] = {
		[WARP_BREAK] = LIVE_BREAK,
		[WARP_BREAK_HW] = LIVE_BREAK_HW,
		[WARP_WATCH_WRITE] = LIVE_WATCH_WRITE,
		[WARP_WATCH_ACCESS] = LIVE_WATCH_ACCESS,
	};
	const struct place *place = command->argument;
	struct live_breakpoint *breakpoint;
	struct error *error = live_break(command->target->process, place->addr, kinds[place->kind],
					 place->length, &breakpoint);

	return error ? lib_fail_error(command, error) : 0;
}

int warp_break(struct warp_target *target, uint64_t addr, enum warp_breakpoint kind,
	       unsigned length)
{
	struct place place = {addr, kind, length};
	struct command command = {.run = run_break, .target = target, .argument = &place};

	if ((unsigned)kind > WARP_WATCH_ACCESS)
		return lib_explain(EINVAL, xstrdup("cannot set a breakpoint: no such kind"));
	return lib_call(target->tracer, &command);
}

static int run_unbreak(struct warp_tracer *tracer, struct command *command)
{
	const struct place *place = command->argument;
	struct live_process *process = command->target->process;
	struct live_breakpoint *breakpoint = live_break_at(process, place->addr);

	if (!breakpoint)
		return lib_fail(command, ENOENT, "process %d has no breakpoint at %#llx",
				process->pid, (unsigned long long)place->addr);
	live_unbreak(process, breakpoint);
	return 0;
}

int warp_unbreak(struct warp_target *target, uint64_t addr)
{
	struct place place = {.addr = addr};
	struct command command = {.run = run_unbreak, .target = target, .argument = &place};

	return lib_call(target->tracer, &command);
}

/* ---- steps ---- */

static int run_step(struct warp_tracer *tracer, struct command *command)
{
	struct warp_target *target = command->target;
	int result;
	struct live_task *task = find_stopped(command, *(pid_t *)command->argument, &result);

	if (!task)
		return result;
	if (target->stepper)
		return lib_fail(command, EBUSY, "another thread of process %d is being stepped",
				target->pid);
	target->stepper = command;
	target->step_tid = task->tracee.tid;
	target->step_cause = cause_of(task);
	task->wants |= LIVE_STEPS;
	live_set_alone(task, true);
	lib_release(task);
	return LATER;
}

int warp_step(struct warp_target *target, pid_t tid)
{
	struct command command = {.run = run_step, .target = target, .argument = &tid};

	return lib_call(target->tracer, &command);
}
