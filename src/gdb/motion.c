/* The client moves the program, and is told where it has stopped.
 *
 * Invariant: `moving` is set while the timeline moves, and only then does input interrupt it. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gdb/session.h"

/* ---- interrupts: while the timeline moves nobody reads, so that input raises a signal ---- */

static struct timeline *volatile moving;

static void on_input(int signal)
{
	if (moving)
		timeline_interrupt(moving);
}

void gdb_watch_input(struct gdb_session *s, bool on)
{
	struct sigaction action = {.sa_handler = on ? on_input : SIG_IGN, .sa_flags = SA_RESTART};
	int flags = fcntl(s->wire->in, F_GETFL);

	sigaction(SIGIO, &action, NULL);
	fcntl(s->wire->in, F_SETOWN, getpid());
	fcntl(s->wire->in, F_SETFL, on ? flags | O_ASYNC : flags & ~O_ASYNC);
}

/* ---- the description of a stop ---- */

static void put_point(struct gdb_session *s, taddr addr)
{
	const struct gdb_point *point = gdb_point_at(s, addr, false);

	if (s->knows_history) /* such clients know these, too */
		bytes_put(&s->reply,
			  point && point->kind == GDB_POINT_HARDWARE ? "hwbreak:;" : "swbreak:;");
}

static void put_watch(struct gdb_session *s, taddr addr)
{
	const struct gdb_point *point = gdb_point_at(s, addr, true);

	bytes_format(&s->reply, "%s:%" PRIx64 ";",
		     point && point->kind == GDB_POINT_ACCESS ? "awatch" : "watch", addr);
}

static void put_exec(struct gdb_session *s)
{
	if (!s->knows_exec)
		return;
	bytes_put(&s->reply, "exec:");
	gdb_put_hex(&s->reply, s->program, strlen(s->program));
	bytes_put(&s->reply, ";");
}

static void put_cause(struct gdb_session *s, const struct timeline_stop *stop)
{
	switch (stop->cause) {
	case TIMELINE_BREAKPOINT:
		put_point(s, stop->addr);
		break;
	case TIMELINE_WATCHPOINT:
		put_watch(s, stop->addr);
		break;
	case TIMELINE_CALL:
		bytes_format(&s->reply, "syscall_%s:%x;", stop->before ? "entry" : "return",
			     (unsigned)stop->number);
		break;
	case TIMELINE_EXEC:
		put_exec(s);
		break;
	case TIMELINE_BEGIN:
	case TIMELINE_END:
		bytes_format(&s->reply, "replaylog:%s;",
			     stop->cause == TIMELINE_BEGIN ? "begin" : "end");
		break;
	default:
		break;
	}
}

/* What the client would ask for at once. */
static void put_registers(struct gdb_session *s, uint32_t tid)
{
	struct arch_state state = {0};

	if (gdb_get_state(s, tid, 1u << ARCH_GENERAL, &state)) {
		gdb_put_register(s, &state, arch.gdb_sp);
		gdb_put_register(s, &state, arch.gdb_pc);
	}
	vec_deinit(&state.vector);
}

/* A trap of another thread than the one that steps would be a surprise to gdb; 0 is "has
 * stopped". */
static unsigned signal_of(const struct timeline_stop *stop, bool surprise)
{
	if (stop->cause == TIMELINE_SIGNAL)
		return (unsigned)gdb_signal_number(stop->signal);
	if (stop->cause == TIMELINE_INTERRUPTED)
		return (unsigned)gdb_signal_number(SIGINT);
	return surprise ? 0 : (unsigned)gdb_signal_number(SIGTRAP);
}

/* The end of the process, to those who know nothing of histories, or of which no thread is left. */
static void put_end(struct gdb_session *s, const struct timeline_stop *stop)
{
	int status = stop->ended ? stop->status : 0;

	if (stop->ended && WIFSIGNALED(status))
		bytes_format(&s->reply, "X%02x", (unsigned)gdb_signal_number(WTERMSIG(status)));
	else
		bytes_format(&s->reply, "W%02x", (unsigned)WEXITSTATUS(status));
	bytes_format(&s->reply, ";process:%" PRIx32, timeline_process(s->timeline));
}

/* `stepper`: the thread that was asked to step, or GDB_ANY. */
static void put_stop(struct gdb_session *s, uint32_t stepper)
{
	const struct timeline_stop *stop = &s->stop;
	uint32_t tid = stop->tid && gdb_is_alive(s, stop->tid) ? stop->tid : gdb_general_thread(s);

	s->general = tid;
	if (!tid || (stop->cause == TIMELINE_END && !s->knows_history)) {
		put_end(s, stop);
		return;
	}
	bool surprise = stop->cause == TIMELINE_PLACE && stepper != GDB_ANY && stepper != tid;

	bytes_format(&s->reply, "T%02xthread:", signal_of(stop, surprise));
	gdb_put_thread(s, &s->reply, tid);
	bytes_put(&s->reply, ";");
	put_cause(s, stop);
	put_registers(s, tid);
}

void gdb_put_stop(struct gdb_session *s)
{
	put_stop(s, GDB_ANY);
}

/* ---- motions ---- */

/* 0: it cannot be told. */
static taddr pc_of(struct gdb_session *s, uint32_t tid)
{
	struct arch_state state = {0};
	taddr pc = gdb_get_state(s, tid, 1u << ARCH_GENERAL, &state) ? arch.pc(&state.regs) : 0;

	vec_deinit(&state.vector);
	return pc;
}

static bool in_range(struct gdb_session *s, const struct gdb_motion *motion,
		     const struct timeline_stop *stop)
{
	if (motion->start >= motion->end || stop->tid != motion->tid)
		return false;
	taddr pc = pc_of(s, stop->tid);

	return pc >= motion->start && pc < motion->end;
}

/* Is that nothing to tell the client? */
static bool goes_on(struct gdb_session *s, const struct gdb_motion *motion,
		    const struct timeline_stop *stop)
{
	switch (stop->cause) {
	case TIMELINE_SIGNAL:
		return stop->signal > 0 && stop->signal < _NSIG && s->passed[stop->signal];
	case TIMELINE_INTERRUPTED: /* by input: what it is will be seen */
		return true;
	case TIMELINE_STEPPED:
		return motion->step && in_range(s, motion, stop);
	default:
		return false;
	}
}

static struct error *move(struct gdb_session *s, const struct gdb_motion *motion,
			  struct timeline_stop *stop)
{
	do {
		if (s->interrupted || gdb_wire_wants_stop(s->wire)) {
			s->interrupted = false;
			*stop = (struct timeline_stop){.cause = TIMELINE_INTERRUPTED,
						       .tid = gdb_general_thread(s)};
			return NULL;
		}
		try(motion->step ? timeline_step(s->timeline, motion->tid, motion->direction, stop)
				 : timeline_run(s->timeline, motion->direction, stop));
	} while (goes_on(s, motion, stop));
	return NULL;
}

/* The breakpoint that the client has taken out to step one thread over it. It believes all others
 * locked; but who runs the recording says, and a breakpoint there is a stop for them. 0: it does no
 * such thing. */
static taddr stepped_over(struct gdb_session *s, const struct gdb_motion *motion)
{
	if (!motion->alone || motion->direction != TIMELINE_FORWARDS ||
	    timeline_diverted(s->timeline))
		return 0;
	taddr pc = pc_of(s, motion->tid);

	return gdb_is_withdrawn(s, pc) ? pc : 0;
}

/* `moving` is set first, so that input which comes before the motion does is not overlooked. */
static struct error *move_watched(struct gdb_session *s, const struct gdb_motion *motion,
				  struct timeline_stop *stop)
{
	taddr over = stepped_over(s, motion);

	vec_clear(&s->withdrawn);
	if (over)
		timeline_set_breakpoint(s->timeline, over, true);
	moving = s->timeline;
	struct error *error = move(s, motion, stop);

	moving = NULL;
	if (over)
		timeline_set_breakpoint(s->timeline, over, false);
	return error;
}

bool gdb_run(struct gdb_session *s, enum timeline_direction direction, struct timeline_stop *stop)
{
	struct gdb_motion motion = {.direction = direction};

	return !gdb_failed(s, move_watched(s, &motion, stop));
}

bool gdb_program_changed(struct gdb_session *s)
{
	const char *program = timeline_program(s->timeline);
	uint64_t entry = 0;

	gdb_auxv_value(s, AT_ENTRY, &entry);
	if (s->program && !strcmp(program, s->program) && entry == s->entry)
		return false;
	free(s->program);
	s->program = xstrdup(program);
	s->entry = entry;
	return true;
}

void gdb_arrive(struct gdb_session *s, const struct timeline_stop *stop)
{
	s->stop = *stop;
	s->arrived = true;
	s->is_owed = s->owes_step = false;
}

/* While a thread steps over a breakpoint gdb takes a stop of another for its own mistake, and gives
 * up (finish_step_over() in its infrun.c), and after an end of the recording it waits for that step
 * for ever. The thread has stepped, then, and what has stopped it is told later. */
static void settle_on_stepper(struct gdb_session *s, const struct gdb_motion *motion)
{
	struct timeline_stop *stop = &s->stop;

	bool end = stop->cause == TIMELINE_END && s->knows_history;

	if (!motion->alone || !gdb_is_alive(s, motion->tid) || (stop->tid == motion->tid && !end))
		return;
	if (end || stop->cause == TIMELINE_BREAKPOINT || stop->cause == TIMELINE_WATCHPOINT ||
	    stop->cause == TIMELINE_SIGNAL || stop->cause == TIMELINE_CALL) {
		s->is_owed = true;
		s->owed = *stop;
		*stop = (struct timeline_stop){.cause = TIMELINE_STEPPED};
	}
	stop->tid = motion->tid;
}

/* True: the client is told now. It was not, if it goes elsewhere. Before it continues it may step
 * that thread once more, over a breakpoint where it stands: the thread has stepped, again. */
static bool tell_owed(struct gdb_session *s, const struct gdb_motion *motion)
{
	bool forwards = motion->direction == TIMELINE_FORWARDS && !timeline_diverted(s->timeline);

	if (s->is_owed && forwards && motion->alone && motion->tid == s->stop.tid &&
	    !s->owes_step) {
		s->owes_step = true;
		return true;
	}
	bool owed = s->is_owed && forwards && !motion->alone;

	s->is_owed = s->owes_step = false;
	if (owed)
		s->stop = s->owed;
	return owed;
}

/* What the client does not know yet is all that the motion tells; then it has to move again. */
static bool tell_first(struct gdb_session *s, const struct gdb_motion *motion)
{
	bool only_shows = s->arrived && motion->step;

	if (s->knows_exec && gdb_program_changed(s)) {
		s->stop.cause = TIMELINE_EXEC;
		return true;
	}
	s->arrived = false;
	return only_shows;
}

/* What ends a copy, or goes wrong in it, is none of the program's. */
static void end_diversion(struct gdb_session *s, const char *why, struct timeline_stop *stop)
{
	if (!gdb_leave(s))
		return;
	gdb_say(s, "warp: %s; this is again where it happened\n", why);
	*stop = (struct timeline_stop){.cause = TIMELINE_PLACE, .tid = gdb_general_thread(s)};
}

/* A motion inside of a function that the client calls. */
static bool move_diverted(struct gdb_session *s, const struct gdb_motion *motion,
			  struct timeline_stop *stop)
{
	struct error *error = move_watched(s, motion, stop);

	if (error)
		end_diversion(s, error->text, stop);
	else if (stop->cause == TIMELINE_END || stop->cause == TIMELINE_BEGIN)
		end_diversion(s, "the function has ended the program's copy", stop);
	error_free(error);
	return !s->error;
}

/* Backwards the timeline stops at the program's beginning; what was executed before is one step
 * farther, and the client has to know of it before anything else is looked for there. */
static bool cross_exec(struct gdb_session *s, const struct gdb_motion *motion,
		       struct timeline_stop *stop)
{
	bool changed = gdb_program_changed(s);

	if (!changed && stop->cause == TIMELINE_EXEC && motion->direction == TIMELINE_BACKWARDS) {
		if (gdb_failed(s, timeline_step(s->timeline, stop->tid, TIMELINE_BACKWARDS, stop)))
			return false;
		changed = gdb_program_changed(s);
	}
	if (changed && s->knows_exec)
		stop->cause = TIMELINE_EXEC;
	return true;
}

void gdb_move(struct gdb_session *s, const struct gdb_motion *motion)
{
	bool in_call = motion->direction == TIMELINE_FORWARDS && gdb_in_call(s);
	struct timeline_stop stop;

	if (tell_first(s, motion)) {
		settle_on_stepper(s, motion);
		put_stop(s, motion->tid);
		return;
	}
	if (tell_owed(s, motion)) {
		gdb_put_stop(s);
		return;
	}
	if (in_call ? !move_diverted(s, motion, &stop)
		    : !gdb_leave(s) || gdb_failed(s, move_watched(s, motion, &stop)))
		return;
	if (!cross_exec(s, motion, &stop))
		return;
	s->stop = stop;
	settle_on_stepper(s, motion);
	gdb_put_stop(s);
}

/* ---- packets ---- */

/* The thread that steps: the one asked for, the one chosen, any. */
static uint32_t stepper(struct gdb_session *s, uint32_t asked)
{
	if (asked != GDB_ANY && asked != GDB_EVERY && gdb_is_alive(s, asked))
		return asked;
	return gdb_general_thread(s);
}

/* "r START,END" and signals, which are the recording's affair. */
static bool take_action(struct gdb_cursor *rest, struct gdb_motion *motion)
{
	uint64_t signal;

	*motion = (struct gdb_motion){.direction = TIMELINE_FORWARDS};
	if (gdb_take(rest, "c"))
		return true;
	if (gdb_take(rest, "C"))
		return gdb_take_hex(rest, &signal);
	motion->step = true;
	if (gdb_take(rest, "s"))
		return true;
	if (gdb_take(rest, "S"))
		return gdb_take_hex(rest, &signal);
	return gdb_take(rest, "r") && gdb_take_hex(rest, &motion->start) && gdb_take(rest, ",") &&
	       gdb_take_hex(rest, &motion->end);
}

/* "?" or ";ACTION:THREAD;ACTION": one thread can step; who else runs meanwhile the recording
 * says. */
void gdb_handle_vcont(struct gdb_session *s, struct gdb_cursor *rest)
{
	struct gdb_motion motion = {0}, action;
	bool found = false;

	if (gdb_take(rest, "?")) {
		bytes_put(&s->reply, "vCont;c;C;s;S;r");
		return;
	}
	while (gdb_take(rest, ";")) {
		struct gdb_thread thread = {GDB_ANY, GDB_EVERY};

		if (!take_action(rest, &action) ||
		    (gdb_take(rest, ":") && !gdb_take_thread(rest, &thread))) {
			gdb_refuse(s, EINVAL);
			return;
		}
		action.tid = stepper(s, thread.tid);
		action.alone = action.step && thread.tid == action.tid && !found;
		motion.alone = false;
		if (!found || (action.step && !motion.step))
			motion = action;
		found = true;
	}
	if (found)
		gdb_move(s, &motion);
	else
		gdb_refuse(s, EINVAL);
}

static void move_as_chosen(struct gdb_session *s, enum timeline_direction direction, bool step)
{
	struct gdb_motion motion = {
		.direction = direction, .step = step, .tid = stepper(s, s->mover)};

	gdb_move(s, &motion);
}

void gdb_handle_continue(struct gdb_session *s, struct gdb_cursor *rest)
{
	move_as_chosen(s, TIMELINE_FORWARDS, false);
}

void gdb_handle_step(struct gdb_session *s, struct gdb_cursor *rest)
{
	move_as_chosen(s, TIMELINE_FORWARDS, true);
}

void gdb_handle_back(struct gdb_session *s, struct gdb_cursor *rest)
{
	move_as_chosen(s, TIMELINE_BACKWARDS, false);
}

void gdb_handle_back_step(struct gdb_session *s, struct gdb_cursor *rest)
{
	move_as_chosen(s, TIMELINE_BACKWARDS, true);
}
