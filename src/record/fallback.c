/* Calls whose effects on memory the table does not know: the writable memory that the arguments
 * reach is copied before and compared after; what differs is recorded.
 *
 * Reach: what an argument points at, up to WINDOW bytes, and what the aligned words in its first
 * DEEP bytes point at, up to DEEP bytes each. */
#include <string.h>
#include <sys/mman.h>

#include "record/session.h"
#include "tracee/procfs.h"

#define WINDOW 65536
#define DEEP   4096

struct picture {
	taddr addr;
	uint64_t length;
};

static const struct proc_map *writable_at(const struct proc_maps *maps, taddr addr)
{
	vec_foreach (maps, map)
		if (addr >= map->start && addr < map->end && (map->prot & PROT_WRITE))
			return map;
	return NULL;
}

static bool have(const struct bytes *before, taddr addr)
{
	struct picture head;

	for (size_t at = 0; at < before->count; at += sizeof(head) + head.length) {
		memcpy(&head, before->items + at, sizeof(head));
		if (addr >= head.addr && addr - head.addr < head.length)
			return true;
	}
	return false;
}

/* Copies memory from addr on; returns where in `before` its bytes begin, and how many. */
static size_t take_picture(struct rec_task *t, const struct proc_maps *maps, taddr addr,
			   size_t most, size_t *length)
{
	struct bytes *before = &t->call.before;
	const struct proc_map *map = writable_at(maps, addr);

	*length = 0;
	if (!map || have(before, addr))
		return 0;
	struct picture head = {addr, map->end - addr < most ? map->end - addr : most};
	size_t at = before->count;

	vec_reserve(before, sizeof(head) + head.length);
	head.length = tracee_read(&t->tracee, addr, before->items + at + sizeof(head), head.length);
	memcpy(before->items + at, &head, sizeof(head));
	before->count = at + sizeof(head) + head.length;
	*length = head.length;
	return at + sizeof(head);
}

void rec_fallback_before(struct rec_session *s, struct rec_task *t)
{
	struct rec_call *c = &t->call;
	struct proc_maps maps = {0};
	size_t length, deeper;

	rec_tell_once(
		s, REC_TOLD_UNKNOWN,
		(uint64_t)c->call.nr << 32 | (c->row ? (uint32_t)c->call.args[1] : 0),
		"%s (number %d%s%#llx) is not known to warp: its effects are found by comparing "
		"memory",
		c->row ? c->row->name : "a system call", c->call.nr, ", argument ",
		(unsigned long long)c->call.args[1]);
	proc_read_maps(t->tracee.tid, &maps);
	for (int i = 0; i < SC_ARGS; i++) {
		size_t at = take_picture(t, &maps, c->call.args[i], WINDOW, &length);

		for (size_t word = 0; word + 8 <= length && word < DEEP; word += 8) {
			taddr pointer;

			memcpy(&pointer, c->before.items + at + word, sizeof(pointer));
			take_picture(t, &maps, pointer, DEEP, &deeper);
		}
	}
	proc_maps_deinit(&maps);
}

/* Records the stretches in which the two differ. */
static void record_changes(struct rec_session *s, struct rec_task *t, taddr addr,
			   const uint8_t *before, const uint8_t *after, size_t length)
{
	size_t from = 0;

	while (from < length) {
		if (before[from] == after[from]) {
			from++;
			continue;
		}
		size_t to = from + 1, same = 0;

		for (size_t i = to; i < length && same < 32; i++) {
			same = before[i] == after[i] ? same + 1 : 0;
			if (!same)
				to = i + 1;
		}
		rec_datum(s, t, TRACE_D_MEMORY, addr + from, after + from, to - from);
		from = to;
	}
}

void rec_fallback_after(struct rec_session *s, struct rec_task *t)
{
	struct bytes *before = &t->call.before;
	struct picture head;

	for (size_t at = 0; at < before->count; at += sizeof(head) + head.length) {
		memcpy(&head, before->items + at, sizeof(head));
		uint8_t *after = xmalloc(head.length);
		size_t got = tracee_read(&t->tracee, head.addr, after, head.length);

		record_changes(s, t, head.addr, before->items + at + sizeof(head), after, got);
		free(after);
	}
}
