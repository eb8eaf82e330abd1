/* libwarp: the tracer's thread and how others talk to it.
 *
 * Invariant: a command is touched by the tracer's thread until it is done, and by its owner
 * afterwards; the lock is between the two. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "live/lib.h"
#include "util/alloc.h"

/* ---- errors ---- */

/* As errno: each thread's own. */
static _Thread_local char explanation[512];

const char *warp_error(void)
{
	return explanation;
}

int lib_explain(int errnum, char *text)
{
	snprintf(explanation, sizeof(explanation), "%s", text);
	free(text);
	return -errnum;
}

int lib_fail(struct command *command, int errnum, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	free(command->text);
	command->text = xvasprintf(format, args);
	va_end(args);
	return -errnum;
}

static int errno_of(const struct error *error)
{
	if (error->os_errno)
		return error->os_errno;
	if (error->kind == ERROR_NOT_FOUND)
		return ENOENT;
	return error->kind == ERROR_NOT_EXEC ? ENOEXEC : EIO;
}

int lib_fail_error(struct command *command, struct error *error)
{
	int errnum = errno_of(error);

	lib_fail(command, errnum, "%s", error->text);
	error_free(error);
	return -errnum;
}

/* ---- commands ---- */

void lib_done(struct command *command, int result)
{
	struct warp_tracer *tracer = command->target->tracer;

	pthread_mutex_lock(&tracer->lock);
	command->result = result;
	command->done = true;
	pthread_cond_broadcast(&tracer->changed);
	pthread_mutex_unlock(&tracer->lock);
}

static void finish(struct warp_tracer *tracer, struct command *command, int result)
{
	pthread_mutex_lock(&tracer->lock);
	command->result = result;
	command->done = true;
	pthread_cond_broadcast(&tracer->changed);
	pthread_mutex_unlock(&tracer->lock);
}

int lib_call(struct warp_tracer *tracer, struct command *command)
{
	pthread_mutex_lock(&tracer->lock);
	command->done = false;
	command->text = NULL;
	command->next = tracer->commands;
	tracer->commands = command;
	/* Under the lock: the last command ends the engine. */
	engine_wake(tracer->engine);
	while (!command->done)
		pthread_cond_wait(&tracer->changed, &tracer->lock);
	pthread_mutex_unlock(&tracer->lock);
	if (command->result < 0 && command->text)
		return lib_explain(-command->result, command->text);
	free(command->text);
	return command->result;
}

/* The oldest command, taken off the list. */
static struct command *take(struct warp_tracer *tracer)
{
	struct command **last, *command = NULL;

	pthread_mutex_lock(&tracer->lock);
	for (last = &tracer->commands; *last && (*last)->next; last = &(*last)->next)
		;
	command = *last;
	if (command)
		*last = NULL;
	pthread_mutex_unlock(&tracer->lock);
	return command;
}

static int run(struct warp_tracer *tracer, struct command *command)
{
	if (command->target && !command->target->process && command->run != lib_close)
		return lib_fail(command, ESRCH, "process %d has ended", command->target->pid);
	return command->run(tracer, command);
}

static void on_woken(void *context)
{
	struct warp_tracer *tracer = context;
	struct command *command;

	while ((command = take(tracer))) {
		int result = run(tracer, command);

		if (result != LATER)
			finish(tracer, command, result);
	}
	lib_serve(tracer);
}

/* ---- the thread ---- */

static struct error *start(struct warp_tracer *tracer)
{
	struct live_hooks hooks = lib_hooks;

	hooks.woken = on_woken;
	tracer->engine = engine_create(&hooks, tracer);
	tracer->poll = epoll_create1(EPOLL_CLOEXEC);
	if (tracer->poll < 0)
		return error_os(errno, "cannot start a tracer: epoll_create1(2) failed");
	return engine_watch(tracer->engine, tracer->poll);
}

static void *tracer_thread(void *argument)
{
	struct warp_tracer *tracer = argument;
	struct error *error = start(tracer);

	prctl(PR_SET_NAME, "warp-tracer");
	pthread_mutex_lock(&tracer->lock);
	tracer->error = error;
	tracer->started = true;
	pthread_cond_broadcast(&tracer->changed);
	pthread_mutex_unlock(&tracer->lock);
	/* Waiting fails only if somebody takes our children away: then there is nothing to wait
	 * for. */
	if (!error)
		error_free(engine_serve(tracer->engine));
	engine_destroy(tracer->engine);
	if (tracer->poll >= 0)
		close(tracer->poll);
	return NULL;
}

/* What programs shall find is what the caller has; the thread itself wants no signal. */
static void take_signals(struct warp_tracer *tracer, sigset_t *before)
{
	sigset_t all;

	sigemptyset(&tracer->ignored);
	for (int signal = 1; signal < NSIG; signal++) {
		struct sigaction now;

		if (sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
			sigaddset(&tracer->ignored, signal);
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, before);
	tracer->mask = *before;
}

static void tracer_free(struct warp_tracer *tracer)
{
	pthread_cond_destroy(&tracer->changed);
	pthread_mutex_destroy(&tracer->lock);
	free(tracer);
}

int warp_tracer_create(struct warp_tracer **out)
{
	struct warp_tracer *tracer = xcalloc(1, sizeof(*tracer));
	sigset_t before;

	*out = NULL;
	tracer->poll = -1;
	pthread_mutex_init(&tracer->lock, NULL);
	pthread_cond_init(&tracer->changed, NULL);
	take_signals(tracer, &before);
	int errnum = pthread_create(&tracer->thread, NULL, tracer_thread, tracer);

	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (errnum) {
		tracer_free(tracer);
		return lib_explain(errnum, xasprintf("cannot start the tracer's thread: %s",
						     strerror(errnum)));
	}
	pthread_mutex_lock(&tracer->lock);
	while (!tracer->started)
		pthread_cond_wait(&tracer->changed, &tracer->lock);
	pthread_mutex_unlock(&tracer->lock);
	struct error *error = tracer->error;

	if (!error) {
		*out = tracer;
		return 0;
	}
	pthread_join(tracer->thread, NULL);
	errnum = errno_of(error);
	lib_explain(errnum, xstrdup(error->text));
	error_free(error);
	tracer_free(tracer);
	return -errnum;
}

static int run_destroy(struct warp_tracer *tracer, struct command *command)
{
	lib_close_all(tracer);
	engine_quit(tracer->engine);
	return 0;
}

void warp_tracer_destroy(struct warp_tracer *tracer)
{
	struct command command = {.run = run_destroy};

	if (!tracer)
		return;
	lib_call(tracer, &command);
	pthread_join(tracer->thread, NULL);
	tracer_free(tracer);
}
