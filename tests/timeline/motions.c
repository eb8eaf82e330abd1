/* Moves through a recording at random, forwards and backwards, and checks that the same place is always the
 * same, and that interrupts do not change where a run backwards ends: motions RECORDING SEED COUNT [PID]. Prints what was done; ends with 1 at the first difference. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <xxhash.h>

#include "timeline/timeline.h"

struct place {
	uint64_t event;
	uint32_t tid;
	uint64_t hash;
	taddr pc;
	struct regs regs; /* of the thread */
	char stack[4096];
};

static uint64_t chance;

static uint64_t next_random(uint64_t below)
{
	chance = chance * 6364136223846793005ull + 1442695040888963407ull;
	return (chance >> 33) % below;
}

static void check(struct error *error)
{
	if (!error)
		return;
	printf("failed: %s\n", error->text);
	exit(1);
}

/* Registers of all threads, and memory around their stack pointers; `wanted` thread, 0: the next one. */
static struct place look(struct timeline *tl, uint32_t wanted)
{
	struct timeline_where where;
	struct timeline_tids tids = {0};
	struct place place;
	static struct arch_layout layout;

	if (!layout.size[0])
		arch.layout(&layout);
	timeline_where(tl, &where);
	timeline_threads(tl, &tids);
	wanted = wanted ? wanted : where.tid;
	place = (struct place){.event = where.event, .tid = wanted};
	vec_foreach (&tids, tid) {
		struct arch_state state = {.layout = &layout};
		char stack[4096];

		if (!timeline_get_state(tl, *tid, 1u << ARCH_GENERAL | 1u << ARCH_VECTOR, &state)) {
			printf("failed: no registers of thread %u\n", *tid);
			exit(1);
		}
		size_t got = timeline_read(tl, arch.sp(&state.regs), stack, sizeof(stack));
		arch.call_skip(&state.regs);
		arch.clear_resume(&state.regs);
		place.hash = XXH64(&state.regs, sizeof(state.regs), place.hash);
		place.hash = XXH64(stack, got, place.hash);
		if (*tid == wanted) {
			place.pc = arch.pc(&state.regs);
			place.regs = state.regs;
			memcpy(place.stack, stack, got);
		}
		vec_deinit(&state.vector);
	}
	vec_deinit(&tids);
	return place;
}

static void print(const char *what, const struct place *place)
{
	printf("%s: event %llu, thread %u, pc %#llx, hash %#llx\n", what,
	       (unsigned long long)place->event, place->tid, (unsigned long long)place->pc,
	       (unsigned long long)place->hash);
}

static void compare(const char *what, const struct place *expected, const struct place *now)
{
	/* Events in between that only concern others, and what they write, may be on either side. */
	if (!memcmp(&expected->regs, &now->regs, sizeof(now->regs)) &&
	    (expected->event != now->event ||
	     !memcmp(expected->stack, now->stack, sizeof(now->stack))))
		return;
	print("expected", expected);
	print("now", now);
	for (int i = 0; i < TRACE_REGS; i++)
		if (expected->regs.word[i] != now->regs.word[i])
			printf("%s: %#llx, now %#llx\n", arch.reg_names[i],
			       (unsigned long long)expected->regs.word[i],
			       (unsigned long long)now->regs.word[i]);
	for (unsigned i = 0; i < sizeof(now->stack); i++)
		if (expected->stack[i] != now->stack[i])
			printf("stack pointer + %u: %#x, now %#x\n", i, expected->stack[i] & 255,
			       now->stack[i] & 255);
	printf("failed: %s does not lead back\n", what);
	exit(1);
}

/* Steps of one thread there and back. */
static void there_and_back(struct timeline *tl, unsigned count)
{
	static struct place places[64];
	struct timeline_where where;
	struct timeline_stop stop;
	unsigned made = 0;

	timeline_where(tl, &where);
	uint32_t tid = where.tid;

	for (; tid && made < count; made++) {
		places[made] = look(tl, tid);
		check(timeline_step(tl, tid, TIMELINE_FORWARDS, &stop));
		if (stop.cause != TIMELINE_STEPPED)
			return; /* the thread has ended, say */
	}
	/* The first place can be inside a call, which is one step. */
	while (made-- > 1) {
		check(timeline_step(tl, tid, TIMELINE_BACKWARDS, &stop));
		if (stop.cause == TIMELINE_BEGIN)
			break;
		struct place now = look(tl, tid);

		compare("a step backwards", &places[made], &now);
	}
}

static struct timeline *interrupted;

static void on_alarm(int signal)
{
	timeline_interrupt(interrupted);
}

/* Backwards to the last visit of the address, with interrupts at random times. */
static struct timeline_stop run_back(struct timeline *tl, bool interrupts)
{
	struct timeline_stop stop;
	uint64_t most = 5000; /* us; ever more, since an interrupted stretch begins again */

	interrupted = tl;
	signal(SIGALRM, on_alarm);
	do {
		long us = 1 + (long)next_random(most);
		struct itimerval at = {.it_value = {us / 1000000, us % 1000000}};

		most *= 2;

		if (interrupts)
			setitimer(ITIMER_REAL, &at, NULL);
		check(timeline_run(tl, TIMELINE_BACKWARDS, &stop));
	} while (stop.cause == TIMELINE_INTERRUPTED || stop.cause == TIMELINE_SIGNAL);
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	return stop;
}

/* A run backwards ends at the same place, however often it is interrupted. */
static void back_with_interrupts(struct timeline *tl, uint64_t event, taddr pc)
{
	struct timeline_stop stop, quiet, disturbed;

	timeline_set_breakpoint(tl, pc, true);
	check(timeline_go_to_event(tl, event, &stop));
	quiet = run_back(tl, false);
	struct place expected = look(tl, 0);

	check(timeline_go_to_event(tl, event, &stop));
	disturbed = run_back(tl, true);
	struct place now = look(tl, 0);

	timeline_set_breakpoint(tl, pc, false);
	if (quiet.cause != disturbed.cause || quiet.tid != disturbed.tid) {
		printf("failed: cause %d, with interrupts %d\n", quiet.cause, disturbed.cause);
		exit(1);
	}
	compare("a run backwards with interrupts", &expected, &now);
}

int main(int argc, char **argv)
{
	struct timeline_options options = {.quiet = true};
	struct timeline_where where;
	struct timeline_stop stop;
	struct timeline *tl;

	if (argc < 4)
		return 2;
	options.directory = argv[1];
	chance = strtoull(argv[2], NULL, 0);
	if (argc > 4)
		options.process = (uint32_t)atoi(argv[4]);
	check(timeline_open(&options, &tl));
	for (int i = 0; i < atoi(argv[3]); i++) {
		timeline_where(tl, &where);
		check(timeline_go_to_event(tl, 1 + next_random(where.last), &stop));
		struct place first = look(tl, 0);

		print("at", &first);
		there_and_back(tl, 1 + (unsigned)next_random(30));
		if (first.pc)
			back_with_interrupts(tl, first.event, first.pc);
	}
	timeline_close(tl);
	puts("all as expected");
	return 0;
}
