/* Guarding changed code against the program's own writes: JITs rewrite what they have made, through
 * the same mapping or another one of the same memory.
 *
 * Invariant: an area in the list is mapped without PROT_WRITE, and was mapped with it. */
#include "softpmu/guard.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "softpmu/softpmu.h"
#include "tracee/procfs.h"

#define PAGE 4096ull

static const struct proc_map *map_of(const struct proc_maps *maps, taddr at)
{
	vec_foreach (maps, map)
		if (at >= map->start && at < map->end)
			return map;
	return NULL;
}

bool softpmu_code_changes(struct tracee *tracee, taddr pc)
{
	struct proc_maps maps = {0};

	proc_read_maps(tracee->tid, &maps);
	const struct proc_map *map = map_of(&maps, pc);
	bool changes = map && ((map->prot & PROT_WRITE) || map->shared);

	proc_maps_deinit(&maps);
	return changes;
}

/* Where the page lies in this mapping, or 0. */
static taddr seen_in(const struct proc_map *map, const struct proc_map *code, taddr page)
{
	uint64_t offset = code->offset + (page - code->start);

	if (map == code)
		return page;
	if (!code->shared || !map->shared || map->inode != code->inode ||
	    map->device != code->device || offset < map->offset ||
	    offset - map->offset >= map->end - map->start)
		return 0;
	return map->start + (offset - map->offset);
}

static bool add(struct softpmu_guard *guard, taddr page, uint32_t prot)
{
	if (guard->count == GUARD_AREAS)
		return false;
	guard->areas[guard->count].start = page;
	guard->areas[guard->count].length = PAGE;
	guard->areas[guard->count++].prot = prot;
	return true;
}

static bool collect(const struct proc_maps *maps, struct softpmu_guard *guard, taddr page)
{
	const struct proc_map *code = map_of(maps, page);

	if (!code)
		return false;
	vec_foreach (maps, map) {
		taddr at = map->prot & PROT_WRITE ? seen_in(map, code, page) : 0;

		if (at && !add(guard, at, map->prot))
			return false;
	}
	return true;
}

static void protect(struct tracee *tracee, const struct softpmu_guard *guard, uint32_t without)
{
	for (unsigned i = 0; i < guard->count; i++)
		tracee_callv(tracee, SYS_mprotect, guard->areas[i].start, guard->areas[i].length,
			     guard->areas[i].prot & ~without);
}

bool softpmu_guard(struct tracee *tracee, struct softpmu_guard *guard, taddr from, taddr to)
{
	struct proc_maps maps = {0};
	bool all = true;

	guard->count = 0;
	proc_read_maps(tracee->tid, &maps);
	for (taddr page = from & ~(PAGE - 1); page < to && all; page += PAGE)
		all = collect(&maps, guard, page);
	proc_maps_deinit(&maps);
	if (!all)
		guard->count = 0;
	protect(tracee, guard, PROT_WRITE);
	return all;
}

void softpmu_unguard(struct tracee *tracee, struct softpmu_guard *guard)
{
	protect(tracee, guard, 0);
	guard->count = 0;
}

bool softpmu_guards(const struct softpmu_guard *guard, taddr addr)
{
	for (unsigned i = 0; i < guard->count; i++)
		if (addr - guard->areas[i].start < guard->areas[i].length)
			return true;
	return false;
}
