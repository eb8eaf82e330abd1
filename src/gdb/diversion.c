/* What did not happen: the client writes, or calls a function of the program.
 *
 * The first write makes a diversion, a copy of the program that can be changed. It must end without
 * gdb saying so, for gdb does not know of it. When gdb calls a function
 * (call_function_by_hand_dummy() in its infcall.c) it pushes arguments, changes the pc, lets the
 * program run to a breakpoint, and puts all registers back. Between two calls of one expression (a
 * string that is passed is first put into memory that malloc gave) and after "set var" nothing
 * shows whether the user is done with what was written; but then the program stands where it stood
 * when the diversion began. Hence: from anywhere else motions are the diversion's; the first one
 * from there leaves it.
 *
 * Invariant: in a diversion `homes` has each thread's place at its beginning. */
#include "gdb/session.h"

static bool find_home(struct gdb_session *s, uint32_t tid, struct gdb_home *home)
{
	struct arch_state state;
	bool found = gdb_get_state(s, tid, 1u << ARCH_GENERAL, &state);

	if (found)
		*home = (struct gdb_home){tid, arch.pc(&state.regs), arch.sp(&state.regs)};
	vec_deinit(&state.vector);
	return found;
}

bool gdb_divert(struct gdb_session *s)
{
	struct timeline_tids tids = {0};
	struct gdb_home home;

	if (timeline_diverted(s->timeline))
		return true;
	vec_clear(&s->homes);
	timeline_threads(s->timeline, &tids);
	vec_foreach (&tids, tid)
		if (find_home(s, *tid, &home))
			vec_push(&s->homes, home);
	vec_deinit(&tids);
	return !gdb_failed(s, timeline_divert(s->timeline));
}

bool gdb_in_call(struct gdb_session *s)
{
	struct gdb_home now;

	if (!timeline_diverted(s->timeline))
		return false;
	vec_foreach (&s->homes, home)
		if (find_home(s, home->tid, &now) && (now.pc != home->pc || now.sp != home->sp))
			return true;
	return false;
}

bool gdb_leave(struct gdb_session *s)
{
	return !timeline_diverted(s->timeline) || !gdb_failed(s, timeline_return(s->timeline));
}
