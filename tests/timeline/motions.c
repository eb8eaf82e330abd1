/* Moves through a recording at random, forwards and backwards, and checks that the same place is always the
 * same: motions RECORDING SEED COUNT [PID]. Prints what was done; ends with 1 at the first difference. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	}
	timeline_close(tl);
	puts("all as expected");
	return 0;
}
