/* Turns: who of a group is next, and for how long.
 *
 * Who waits is served in order, real-time priorities first (sched(7)); a turn's length follows the
 * nice value. One that is preempted twice in the same state spins: its turns are short.
 *
 * With `warp record --chaos`, how long a turn is, priorities, how long a signal waits, and
 * preemptions some instructions after an event or the beginning of a turn are chosen by chance, so
 * that races show which an even order hides. How often and how many instructions is itself drawn
 * once for a recording: a window of ten instructions needs another pace than one of ten thousand,
 * and some bugs several preemptions in a row at the right pace. All of it is recorded as any other
 * preemption is: a replay knows nothing of chance. The numbers follow from the seed; but when
 * system calls end does not, so that the same seed is no promise of the same run. */
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

#include "record/session.h"

/* A turn of a task that spins. */
#define SPIN_NS 500000ull
/* Turns and waits, at the least; at most 2^SPREAD of that. */
#define SHORTEST_NS 20000ull
#define SPREAD	    10u
/* Instructions behind a site: at most 2^STEPS. */
#define STEPS	   9u
#define PRIORITIES 4u
/* Instructions after an event or the beginning of a turn: at most 2^PACE_MIN to 2^PACE_MAX. */
#define PACE_MIN 5u
#define PACE_MAX 12u
/* After one event in 1 to 2^ODDS. */
#define ODDS 2u
/* Single steps (3 to 40 µs each, as busy as the machine is) take at most so long, and this part of
 * the time. */
#define STEPPING_NS   300000000ull
#define STEPPING_PART 3u

/* splitmix64, by Vigna. */
static uint64_t next_random(struct rec_session *s)
{
	uint64_t x = s->chance.state += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* Small numbers as likely as large ones: from `least` to about least << spread. */
static uint64_t spread_out(struct rec_session *s, uint64_t least, unsigned spread)
{
	uint64_t size = least << next_random(s) % spread;

	return size + next_random(s) % size;
}

/* Each step of nice(2) is a quarter more, as the kernel's weights have it (sched_prio_to_weight);
 * from a tenth to ten times. */
static uint64_t scaled(uint64_t ns, int nice)
{
	uint64_t most = ns * 10, least = ns / 10;

	for (; nice < 0 && ns < most; nice++)
		ns += ns / 4;
	for (; nice > 0 && ns > least; nice--)
		ns -= ns / 5;
	return ns;
}

static uint64_t slice(struct rec_session *s, const struct rec_task *t)
{
	if (s->timing.chaos)
		return spread_out(s, SHORTEST_NS, SPREAD);
	if (t->spins)
		return SPIN_NS;
	return scaled(s->timing.slice_ns, getpriority(PRIO_PROCESS, (id_t)t->tracee.tid));
}

uint64_t rec_patience(struct rec_session *s)
{
	return s->timing.chaos ? spread_out(s, SHORTEST_NS, SPREAD - 2) : s->timing.patience_ns;
}

unsigned rec_chance_steps(struct rec_session *s)
{
	return s->timing.chaos && next_random(s) % 2 ? (unsigned)spread_out(s, 1, STEPS) : 0;
}

/* Higher goes first. With chaos it is drawn each time, so that threads do not run evenly. */
static int priority(struct rec_session *s, const struct rec_task *t)
{
	struct sched_param param = {0};

	if (s->timing.chaos)
		return (int)(next_random(s) % PRIORITIES);
	if (sched_getparam(t->tracee.tid, &param) < 0)
		return 0;
	return param.sched_priority;
}

static void insert(struct rec_task *t)
{
	struct rec_group *group = rec_group(t);

	if (!group->ready.count)
		group->waited_since_ns = rec_now();
	vec_push(&group->ready, t);
	for (size_t at = group->ready.count - 1; at > 0; at--) {
		struct rec_task **pair = &group->ready.items[at - 1];

		if (pair[0]->priority >= t->priority)
			return;
		pair[1] = pair[0];
		pair[0] = t;
	}
}

void rec_queue(struct rec_session *s, struct rec_task *t, enum rec_todo todo)
{
	t->todo = todo;
	t->state = STATE_READY;
	if (t->queued)
		return;
	t->queued = true;
	t->priority = priority(s, t);
	insert(t);
}

void rec_queue_first(struct rec_session *s, struct rec_task *t)
{
	t->todo = TODO_STATUS;
	t->state = STATE_READY;
	t->queued = true;
	t->priority = INT_MAX;
	insert(t);
}

bool rec_outranked(struct rec_session *s, const struct rec_task *t)
{
	const struct rec_group *group = rec_group((struct rec_task *)t);

	return !s->timing.chaos && group->ready.count && group->ready.items[0]->priority > 0 &&
	       group->ready.items[0]->priority > priority(s, t);
}

void rec_chance_init(struct rec_session *s)
{
	s->chance.steps = 1u << (PACE_MIN + next_random(s) % (PACE_MAX - PACE_MIN + 1));
	s->chance.odds = 1u << next_random(s) % (ODDS + 1);
}

/* Not where the kernel is about to make a call again: it would move the task back to the call's
 * instruction under the first step, which must not execute one. */
static bool wants_preemption(struct rec_session *s, struct rec_task *t)
{
	return s->timing.chaos && !t->restart_pending && rec_group(t)->ready.count &&
	       next_random(s) % s->chance.odds == 0 &&
	       s->chance.stepping_ns <= STEPPING_NS + (rec_now() - s->start_ns) / STEPPING_PART;
}

static void preempt_soon(struct rec_session *s, struct rec_task *t)
{
	uint64_t since = rec_now();

	rec_preempt_after(s, t, 1 + (unsigned)(next_random(s) % s->chance.steps));
	s->chance.stepping_ns += rec_now() - since;
}

bool rec_ends_turn(struct rec_session *s, struct rec_task *t)
{
	return s->timing.chaos && !rec_alone(t) && next_random(s) % s->chance.odds == 0;
}

void rec_begin_turn(struct rec_session *s, struct rec_task *t)
{
	rec_group(t)->slice_end_ns = rec_now() + slice(s, t);
	if (wants_preemption(s, t))
		preempt_soon(s, t);
	else
		rec_run_user(t, 0);
}
