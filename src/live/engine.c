/* The engine's loop.
 *
 * Invariants: hooks are called from here and from engine_spawn and engine_attach only; while one is
 * called, its task is stopped and not in the queue. */
#include "live/engine.h"

#include <sys/wait.h>

#include "live/state.h"

struct engine *engine_create(const struct live_hooks *hooks, void *context)
{
	struct engine *e = xcalloc(1, sizeof(*e));

	e->hooks = *hooks;
	e->context = context;
	e->bell = (struct bell){.timer = -1, .pidfd = -1, .poll = -1};
	atomic_store(&e->bell_fd, -1);
	return e;
}

/* Of a process that was let go, threads are left that could not be stopped. The kernel lets go of
 * them when we, their tracer, end. */
static void abandon(struct engine *e, pid_t pid)
{
	struct process *p;

	while ((p = process_find(e, pid)))
		task_remove(p->tasks);
}

/* Nobody is told any more. */
void engine_destroy(struct engine *e)
{
	struct process *p;

	e->hooks = (struct live_hooks){0};
	while ((p = e->processes)) {
		if (p->leaving) {
			abandon(e, p->pub.pid);
			continue;
		}
		struct error *error = engine_detach(&p->pub);

		if (!error)
			continue;
		error_free(error); /* under a filter it cannot live without us */
		engine_kill(&p->pub);
		while (e->processes == p && !engine_wait(e, true))
			engine_handle_queue(e);
	}
	bell_stop(e);
	vec_deinit(&e->early);
	vec_deinit(&e->timers);
	free(e);
}

void engine_quit(struct engine *engine)
{
	engine->quit = true;
}

/* The first that may be handled: not of a suspended process, and not while another is stepped over
 * a breakpoint. */
static struct task *next_queued(struct engine *e)
{
	struct task *t;

	DL_FOREACH2(e->queue, t, queue_next)
	{
		const struct process *p = process_of_task(t);

		if ((!p->suspended || t->alone) && (!p->mm->stepper || p->mm->stepper == t))
			return t;
	}
	return NULL;
}

bool engine_handle_queue(struct engine *e)
{
	struct task *t = next_queued(e);

	if (!t)
		return false;
	DL_DELETE2(e->queue, t, queue_prev, queue_next);
	t->queued = false;
	task_handle(t);
	return true;
}

struct error *engine_serve(struct engine *e)
{
	try(bell_start(e));
	e->serving = true;
	struct error *error = engine_run(e);

	e->serving = false;
	return error;
}

struct error *engine_run(struct engine *e)
{
	e->quit = false;
	while (!e->quit) {
		if (atomic_exchange(&e->woken, false) && e->hooks.woken) {
			e->hooks.woken(e->context);
			continue;
		}
		if (e->timers.count)
			engine_run_timers(e);
		if (e->quit || engine_handle_queue(e))
			continue;
		if (!e->processes && !e->serving)
			return NULL;
		try(engine_wait(e, true));
	}
	return NULL;
}
