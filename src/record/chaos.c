/* `warp record --chaos`: turns, priorities and the places of preemption vary by chance, so that races show
 * which an even order hides.
 *
 * What varies: how long a turn is, priorities, how long a signal waits, and, after every other event, a
 * preemption some instructions later. All of it is recorded as any other preemption is: a replay knows
 * nothing of chance. The numbers follow from the seed; but when system calls end does not, so that the same
 * seed is no promise of the same run. */
#include <string.h>

#include "record/session.h"

/* Turns and waits, at the least; at most 2^SPREAD of that. */
#define SHORTEST_NS 20000ull
#define SPREAD	    10u
/* Instructions after an event: at most 2^STEPS. */
#define STEPS	   9u
#define PRIORITIES 4u
/* One event, or beginning of a turn, in so many. */
#define EVENTS 2u

/* splitmix64, by Vigna. */
static uint64_t next_random(struct rec_session *s)
{
	uint64_t x = s->chance += 0x9e3779b97f4a7c15ull;

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

uint64_t rec_slice(struct rec_session *s)
{
	return s->timing.chaos ? spread_out(s, SHORTEST_NS, SPREAD) : s->timing.slice_ns;
}

uint64_t rec_patience(struct rec_session *s)
{
	return s->timing.chaos ? spread_out(s, SHORTEST_NS, SPREAD - 2) : s->timing.patience_ns;
}

unsigned rec_chance_steps(struct rec_session *s)
{
	return s->timing.chaos && next_random(s) % 2 ? (unsigned)spread_out(s, 1, STEPS) : 0;
}

/* Who has the higher one goes first, for as long as it lasts: so threads do not run evenly. */
static void draw_priority(struct rec_session *s, struct rec_task *t)
{
	t->chaos_priority = (unsigned)(next_random(s) % PRIORITIES);
}

void rec_give_way(struct rec_session *s, struct rec_task *t)
{
	struct rec_group *group = rec_group(t);

	rec_queue(t, TODO_RESUME);
	if (!s->timing.chaos || group->ready.items[group->ready.count - 1] != t)
		return;
	draw_priority(s, t);
	for (size_t at = group->ready.count - 1; at > 0; at--) {
		struct rec_task **pair = &group->ready.items[at - 1];

		if (pair[0]->chaos_priority >= t->chaos_priority)
			return;
		pair[1] = pair[0];
		pair[0] = t;
	}
}

static bool wants_preemption(struct rec_session *s, struct rec_task *t)
{
	return s->timing.chaos && rec_group(t)->ready.count && next_random(s) % EVENTS == 0;
}

void rec_go_on(struct rec_session *s, struct rec_task *t)
{
	if (wants_preemption(s, t))
		rec_preempt_after(s, t, (unsigned)spread_out(s, 1, STEPS));
	else
		rec_continue(s, t);
}

void rec_begin_turn(struct rec_session *s, struct rec_task *t)
{
	rec_group(t)->slice_end_ns = rec_now() + rec_slice(s);
	if (wants_preemption(s, t))
		rec_preempt_after(s, t, (unsigned)spread_out(s, 1, STEPS));
	else
		rec_run_user(t, 0);
}
