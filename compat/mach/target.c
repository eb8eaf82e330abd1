/* Mach on Linux: processes under control, through libwarp.
 *
 * Each target has a tracer of its own, which exists only while something of the process is
 * suspended: a program that waits for its children finds nothing of this library's otherwise.
 *
 * Invariants: between calls a target is either suspended as a whole, or runs but for the threads
 * that are held, and then all that were asked to stop have done so. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <warp/tracer.h>

#include "private.h"

/* How long to wait for the report of a thread before looking whether it has ended. */
#define PATIENCE_MS 50

/* A thread that is, or was asked to be, stopped for itself. */
struct held {
	struct held *next;
	pid_t tid;
	bool reported; /* it has stopped */
	bool wanted;   /* false: to be let go as soon as it has stopped */
};

struct target {
	struct warp_tracer *tracer;
	struct warp_target *process;
	bool running; /* as a whole */
	struct held *held;
};

static kern_return_t failed(int error)
{
	return mw_explain(error == -ESRCH ? KERN_TERMINATED : KERN_FAILURE, "%s", warp_error());
}

static void *allocate(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		abort();
	return memory;
}

/* ---- opening and closing ---- */

kern_return_t mw_target_open(pid_t pid, struct target **target)
{
	struct target *opened = allocate(sizeof(*opened));
	int error = warp_tracer_create(&opened->tracer);

	*target = NULL;
	if (!error)
		error = warp_open_pid(opened->tracer, pid, 0, &opened->process);
	if (!error) {
		*target = opened;
		return KERN_SUCCESS;
	}
	kern_return_t result = failed(error);

	mw_target_close(opened);
	return result;
}

static void forget(struct held **place)
{
	struct held *held = *place;

	*place = held->next;
	free(held);
}

void mw_target_close(struct target *target)
{
	if (!target)
		return;
	while (target->held)
		forget(&target->held);
	warp_close(target->process);
	if (target->tracer)
		warp_tracer_destroy(target->tracer);
	free(target);
}

kern_return_t mw_target_permitted(pid_t pid)
{
	struct target *target;
	kern_return_t result = mw_target_open(pid, &target);

	mw_target_close(target);
	return result == KERN_SUCCESS ? KERN_SUCCESS : KERN_FAILURE;
}

/* ---- single threads ---- */

static struct held **find_held(struct target *target, pid_t tid)
{
	struct held **place = &target->held;

	while (*place && (*place)->tid != tid)
		place = &(*place)->next;
	return place;
}

static void let_go(struct target *target, struct held **place)
{
	struct warp_go go = {.tid = (*place)->tid, .flags = WARP_KEEP_MASK};

	warp_go(target->process, &go);
	forget(place);
}

/* Reads reports until this thread's was among them. False if it has ended. */
static bool wait_for_report(struct target *target, struct held *held)
{
	struct warp_thread thread;
	struct warp_event event;

	while (!held->reported) {
		int got = warp_wait(target->process, &event, PATIENCE_MS);

		if (got < 0 ||
		    (got == 0 && warp_thread(target->process, held->tid, &thread) == -ESRCH))
			return false;
		struct held *told = got ? *find_held(target, event.tid) : NULL;

		if (told)
			told->reported = true;
	}
	return true;
}

/* After the process was let run: those that were asked to stop have been stopped all the time; each
 * says so once, and may then be let go. */
static void settle(struct target *target)
{
	struct held **place = &target->held;

	while (*place) {
		if (!wait_for_report(target, *place))
			forget(place);
		else if (!(*place)->wanted)
			let_go(target, place);
		else
			place = &(*place)->next;
	}
}

kern_return_t mw_target_run_all(struct target *target, bool run)
{
	if (target->running == run)
		return KERN_SUCCESS;
	int error = run ? warp_resume(target->process) : warp_suspend(target->process);

	if (error)
		return failed(error);
	target->running = run;
	if (run)
		settle(target);
	return KERN_SUCCESS;
}

/* Asked while it is stopped with the others, it does not run when they go on. */
kern_return_t mw_target_hold_thread(struct target *target, pid_t tid)
{
	bool running = target->running;
	struct held **place = find_held(target, tid);
	kern_return_t result = mw_target_run_all(target, false);

	if (result == KERN_SUCCESS && !*place) {
		int error = warp_interrupt(target->process, tid);

		if (error)
			result = failed(error);
	}
	if (result == KERN_SUCCESS) {
		if (!*place) {
			*place = allocate(sizeof(**place));
			(*place)->tid = tid;
		}
		(*place)->wanted = true;
	}
	if (running)
		mw_target_run_all(target, true);
	return result;
}

void mw_target_release_thread(struct target *target, pid_t tid)
{
	struct held **place = find_held(target, tid);

	if (!*place)
		return;
	(*place)->wanted = false;
	if ((*place)->reported)
		let_go(target, place);
}

/* ---- registers ---- */

static const struct part {
	enum machine_part part;
	enum warp_flavor flavor;
	size_t offset, size;
} machine_parts[] = {
	{PART_GENERAL, WARP_GENERAL, offsetof(struct machine_state, general),
	 sizeof(struct user_regs_struct)},
	{PART_VECTOR, WARP_VECTOR, offsetof(struct machine_state, vector),
	 sizeof(((struct machine_state *)0)->vector)},
	{PART_DEBUG, WARP_DEBUG, offsetof(struct machine_state, debug),
	 sizeof(((struct machine_state *)0)->debug)},
};

#define PARTS (sizeof(machine_parts) / sizeof(*machine_parts))

kern_return_t mw_target_get_state(struct target *target, pid_t tid, unsigned parts,
				  struct machine_state *state)
{
	for (size_t i = 0; i < PARTS; i++) {
		const struct part *part = &machine_parts[i];
		size_t size = part->size;

		if (!(parts & part->part))
			continue;
		int error = warp_get_regs(target->process, tid, part->flavor,
					  (char *)state + part->offset, &size);

		if (error)
			return failed(error);
		if (part->part == PART_VECTOR)
			state->vector_size = size;
		else if (size != part->size)
			return mw_explain(KERN_INVALID_ARGUMENT, "thread %d runs a 32-bit program",
					  tid);
	}
	return KERN_SUCCESS;
}

kern_return_t mw_target_set_state(struct target *target, pid_t tid, unsigned parts,
				  const struct machine_state *state)
{
	for (size_t i = 0; i < PARTS; i++) {
		const struct part *part = &machine_parts[i];

		if (!(parts & part->part))
			continue;
		int error = warp_set_regs(
			target->process, tid, part->flavor, (const char *)state + part->offset,
			part->part == PART_VECTOR ? state->vector_size : part->size);

		if (error)
			return mw_explain(error == -ESRCH ? KERN_TERMINATED : KERN_INVALID_ARGUMENT,
					  "%s", warp_error());
	}
	return KERN_SUCCESS;
}

kern_return_t mw_target_call(struct target *target, long nr, const unsigned long args[6],
			     long *result)
{
	uint64_t words[6];
	int64_t answer;

	for (int i = 0; i < 6; i++)
		words[i] = args[i];
	int error = warp_call(target->process, 0, (int)nr, words, &answer);

	if (error)
		return failed(error);
	*result = answer;
	return KERN_SUCCESS;
}
