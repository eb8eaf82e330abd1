/* What the client wants to be stopped by: breakpoints, watchpoints, system calls, and which signals
 * not.
 *
 * Invariant: the timeline has exactly those of s->points that are enabled; gdb may set a place
 * twice in different kinds, which is one to the timeline. */
#include <errno.h>
#include <string.h>

#include "gdb/session.h"

#define POINTS_MAX 65536

static bool is_watch(enum gdb_point_kind kind)
{
	return kind >= GDB_POINT_WRITE;
}

static bool apply(struct gdb_session *s, const struct gdb_point *point, bool on)
{
	if (is_watch(point->kind))
		return timeline_set_watchpoint(s->timeline,
					       point->kind == GDB_POINT_WRITE ? ARCH_DEBUG_WRITE
									      : ARCH_DEBUG_ACCESS,
					       point->addr, point->length, on);
	timeline_set_breakpoint(s->timeline, point->addr, on);
	return true;
}

static bool same_to_timeline(const struct gdb_point *a, const struct gdb_point *b)
{
	if (a->addr != b->addr || is_watch(a->kind) != is_watch(b->kind))
		return false;
	return !is_watch(a->kind) || (a->kind == b->kind && a->length == b->length);
}

void gdb_enable_points(struct gdb_session *s, bool on)
{
	vec_foreach (&s->points, point)
		apply(s, point, on);
}

const struct gdb_point *gdb_point_at(const struct gdb_session *s, taddr addr, bool watch)
{
	vec_foreach (&s->points, point)
		if (is_watch(point->kind) == watch && addr >= point->addr &&
		    addr - point->addr < (watch ? point->length : 1))
			return point;
	return NULL;
}

/* "KIND,ADDR,LENGTH"; what may follow (conditions, commands) was not offered. */
static bool take_point(struct gdb_cursor *rest, struct gdb_point *point)
{
	uint64_t kind;

	if (!gdb_take_hex(rest, &kind) || kind >= GDB_POINT_KINDS || !gdb_take(rest, ",") ||
	    !gdb_take_hex(rest, &point->addr) || !gdb_take(rest, ",") ||
	    !gdb_take_hex(rest, &point->length))
		return false;
	point->kind = (enum gdb_point_kind)kind;
	return !is_watch(point->kind) || point->length;
}

static struct gdb_point *find(struct gdb_session *s, const struct gdb_point *point)
{
	vec_foreach (&s->points, each)
		if (each->kind == point->kind && same_to_timeline(each, point))
			return each;
	return NULL;
}

static void set_again(struct gdb_session *s, taddr addr)
{
	for (size_t i = s->withdrawn.count; i-- > 0;)
		if (s->withdrawn.items[i] == addr)
			vec_remove(&s->withdrawn, i);
}

bool gdb_is_withdrawn(const struct gdb_session *s, taddr addr)
{
	vec_foreach (&s->withdrawn, each)
		if (*each == addr)
			return true;
	return false;
}

void gdb_handle_set_point(struct gdb_session *s, struct gdb_cursor *rest)
{
	struct gdb_point point;

	if (!take_point(rest, &point)) {
		gdb_refuse(s, EINVAL);
		return;
	}
	/* No processor watches reads alone; told so, gdb watches accesses and ignores the
	 * others. */
	if (point.kind == GDB_POINT_READ)
		return;
	if (!find(s, &point)) {
		if (s->points.count >= POINTS_MAX || !apply(s, &point, true)) {
			gdb_refuse(s, ENOSPC);
			return;
		}
		vec_push(&s->points, point);
	}
	if (!is_watch(point.kind))
		set_again(s, point.addr);
	gdb_ok(s);
}

void gdb_handle_clear_point(struct gdb_session *s, struct gdb_cursor *rest)
{
	struct gdb_point point;
	struct gdb_point *found;
	bool other = false;

	if (!take_point(rest, &point)) {
		gdb_refuse(s, EINVAL);
		return;
	}
	found = find(s, &point);
	if (found)
		vec_remove(&s->points, (size_t)(found - s->points.items));
	vec_foreach (&s->points, each)
		other = other || same_to_timeline(each, &point);
	if (found && !other) {
		apply(s, &point, false);
		if (!is_watch(point.kind))
			vec_push(&s->withdrawn, point.addr);
	}
	gdb_ok(s);
}

/* ---- signals ---- */

/* include/gdb/signals.def of gdb, by Linux's numbers on x86 and ARM. */
int gdb_signal_number(int signal)
{
	static const uint8_t numbers[] = {
		[SIGHUP] = 1,	[SIGINT] = 2,	 [SIGQUIT] = 3,	 [SIGILL] = 4,	 [SIGTRAP] = 5,
		[SIGABRT] = 6,	[SIGBUS] = 10,	 [SIGFPE] = 8,	 [SIGKILL] = 9,	 [SIGUSR1] = 30,
		[SIGSEGV] = 11, [SIGUSR2] = 31,	 [SIGPIPE] = 13, [SIGALRM] = 14, [SIGTERM] = 15,
		[SIGCHLD] = 20, [SIGCONT] = 19,	 [SIGSTOP] = 17, [SIGTSTP] = 18, [SIGTTIN] = 21,
		[SIGTTOU] = 22, [SIGURG] = 16,	 [SIGXCPU] = 24, [SIGXFSZ] = 25, [SIGVTALRM] = 26,
		[SIGPROF] = 27, [SIGWINCH] = 28, [SIGIO] = 23,	 [SIGPWR] = 32,	 [SIGSYS] = 12,
	};
	enum {
		UNKNOWN = 143,
		FIRST_REALTIME = 45, /* 33 to 63 */
		REALTIME_32 = 77,
		REALTIME_64 = 78,
	};

	if (signal > 0 && signal < (int)sizeof(numbers) && numbers[signal])
		return numbers[signal];
	if (signal > 32 && signal < 64)
		return FIRST_REALTIME + signal - 33;
	return signal == 32 ? REALTIME_32 : signal == 64 ? REALTIME_64 : UNKNOWN;
}

/* "NUMBER;NUMBER...", gdb's numbers. */
void gdb_handle_pass_signals(struct gdb_session *s, struct gdb_cursor *rest)
{
	uint64_t number;

	memset(s->passed, 0, sizeof(s->passed));
	while (gdb_take_hex(rest, &number)) {
		for (int signal = 1; signal < _NSIG; signal++)
			if ((uint64_t)gdb_signal_number(signal) == number)
				s->passed[signal] = true;
		if (!gdb_take(rest, ";"))
			break;
	}
	gdb_ok(s);
}

/* ---- system calls ---- */

/* "0", "1" (all) or "1;NUMBER;NUMBER..." */
void gdb_handle_catch_calls(struct gdb_session *s, struct gdb_cursor *rest)
{
	uint64_t on, number;

	if (!gdb_take_hex(rest, &on) || on > 1) {
		gdb_refuse(s, EINVAL);
		return;
	}
	vec_clear(&s->caught);
	s->catches = on;
	while (gdb_take(rest, ";") && gdb_take_hex(rest, &number))
		vec_push(&s->caught, (int)(number & INT32_MAX));
	timeline_catch_calls(s->timeline, s->catches, s->caught.items, s->caught.count);
	gdb_ok(s);
}
