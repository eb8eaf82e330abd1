/* Sites that count, their stubs, and the counter.
 *
 * Invariants: the counter in memory is never 0 or below while its task can run, but for the moment
 * of the trap; the bytes under a site are restored only where our jump is still there, since the
 * program may have unmapped or overwritten its code. */
#include "softpmu/probe.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "abi/agent_abi.h"
#include "util/cleanup.h"

#define PAGE	 4096ull
#define STUB_MAX 1024u

/* In the data page: the counter, and the word that a stub saves a register in. */
#define COUNTER (WARP_DATA_PAGE + 0x900)
#define SCRATCH (WARP_DATA_PAGE + 0x910)

/* More than any task passes: never traps. */
#define NEVER (1ull << 62)

void softpmu_probes_deinit(struct softpmu_probes *probes)
{
	vec_deinit(&probes->sites);
}

void softpmu_probes_copy(struct softpmu_probes *to, const struct softpmu_probes *from)
{
	vec_append(&to->sites, from->sites.items, from->sites.count);
	to->loaded = NULL;
}

/* ---- room for stubs ---- */

/* Away from neighbours: stacks that grow, and their guard gaps (1 MB; mmap_min_gap, mm/mmap.c). */
#define MARGIN 0x200000ull
/* The upper part of our own range: stubs of code that is linked low, beside which heaps grow. */
#define LOW_STUBS 0x74000000ull

static bool touches(const struct proc_maps *maps, taddr from, taddr to, uint64_t margin)
{
	vec_foreach (maps, map)
		if (from < map->end + margin && map->start < to + margin)
			return true;
	return false;
}

static bool is_free(const struct proc_maps *maps, taddr from, taddr to)
{
	if (from >= LOW_STUBS && to <= WARP_RESERVED_END)
		return !touches(maps, from, to, 0);
	if (from < MARGIN || from >= arch.user_end - MARGIN || to < from)
		return false;
	if (from < WARP_RESERVED_END && to > WARP_CODE_PAGE)
		return false;
	return !touches(maps, from, to, MARGIN);
}

/* As if instructions began at each of the offsets 1 to 4 of a jump. */
#define ALL_STARTS 0x1eu

/* Bytes 2 and 3 of the distance vary; 0 and 1 are traps or nothing. */
static bool distance_for(unsigned starts, unsigned high, int32_t *distance)
{
	uint8_t bytes[4] = {starts & 2 ? 0xcc : 0, starts & 4 ? 0xcc : 0, (uint8_t)high,
			    (uint8_t)(high >> 8)};

	if (((starts & 8) && !arch.traps_alone(bytes[2])) ||
	    ((starts & 16) && !arch.traps_alone(bytes[3])))
		return false;
	memcpy(distance, bytes, sizeof(*distance));
	return true;
}

/* Heaps grow above the code: below it first, or far above. */
static taddr search_room(const struct proc_maps *maps, taddr pc, unsigned starts, taddr from,
			 taddr to)
{
	int32_t distance;

	for (unsigned i = 0; i < 0x10000; i++) {
		if (!distance_for(starts, 0xffff - i, &distance))
			continue;
		taddr at = pc + ARCH_JUMP + (taddr)(int64_t)distance;
		taddr page = at & ~(PAGE - 1);

		if (at >= from && at < to && is_free(maps, page, page + 2 * PAGE))
			return at;
	}
	return 0;
}

taddr softpmu_find_room(struct tracee *tracee, taddr pc, unsigned starts)
{
	struct proc_maps maps = {0};
	taddr found = 0;

	proc_read_maps(tracee->tid, &maps);
	/* Best where all bytes of the distance trap: some code jumps into the middle of its
	 * instructions. */
	found = search_room(&maps, pc, ALL_STARTS, 0, arch.user_end);
	if (!found && pc < WARP_CODE_PAGE)
		found = search_room(&maps, pc, starts, LOW_STUBS, WARP_RESERVED_END);
	if (!found)
		found = search_room(&maps, pc, starts, 0, arch.user_end);
	proc_maps_deinit(&maps);
	return found;
}

/* ---- sites ---- */

const struct softpmu_probe *softpmu_probe_over(const struct softpmu_probes *probes, taddr from,
					       taddr to)
{
	vec_foreach (&probes->sites, probe)
		if (from < probe->pc + probe->length && probe->pc < to)
			return probe;
	return NULL;
}

bool softpmu_is_fixed_code(const struct proc_map *map)
{
	return map->inode && (map->prot & PROT_EXEC) && !(map->prot & PROT_WRITE) && !map->shared;
}

/* How far around a window jumps into it are looked for. */
#define AROUND 1024u

bool softpmu_is_jumped_into(struct tracee *tracee, taddr pc, unsigned length)
{
	uint8_t code[2 * AROUND];
	taddr from = pc - AROUND;
	size_t got = tracee_read(tracee, from, code, sizeof(code));
	unsigned size = 0;

	/* Decoding from anywhere falls into step after a few instructions. */
	for (size_t at = 0; at < got; at += size) {
		taddr to = 0;

		if (!arch.branch(code + at, got - at, from + at, &size, &to))
			size = 1;
		if (to > pc && to < pc + length)
			return true;
	}
	return false;
}

/* No instruction is longer. */
#define LONGEST 15u

bool softpmu_is_overlapped(struct tracee *tracee, taddr pc)
{
	uint8_t code[AROUND + LONGEST];
	size_t before = AROUND, at = 0;
	size_t got = tracee_read(tracee, pc - before, code, sizeof(code));
	unsigned size = 0;
	taddr to;

	if (!got) { /* nothing is mapped that far before */
		before = pc % PAGE < AROUND ? pc % PAGE : AROUND;
		got = tracee_read(tracee, pc - before, code, before + LONGEST);
	}
	for (; at < before && at < got; at += size)
		if (!arch.branch(code + at, got - at, pc - before + at, &size, &to))
			size = 1;
	return at > before;
}

bool softpmu_probe_plan(struct tracee *tracee, const struct softpmu_probes *probes, taddr pc,
			struct softpmu_probe *out)
{
	uint8_t bytes[ARCH_AHEAD_MAX];
	size_t got = tracee_read(tracee, pc, bytes, sizeof(bytes));
	unsigned length = arch.window(bytes, got);

	if (!length || length > ARCH_WINDOW_MAX || softpmu_probe_over(probes, pc, pc + length) ||
	    softpmu_is_jumped_into(tracee, pc, length) || softpmu_is_overlapped(tracee, pc))
		return false;
	*out = (struct softpmu_probe){.pc = pc, .length = length};
	out->shadow = arch.flags_dead(bytes, got);
	out->at = softpmu_find_room(tracee, pc, arch.window_starts(bytes, length));
	return out->at;
}

bool softpmu_is_in_fixed_code(struct tracee *tracee, taddr pc, unsigned length)
{
	struct proc_maps maps _cleanup_(proc_maps_deinit) = {0};

	proc_read_maps(tracee->tid, &maps);
	vec_foreach (&maps, map)
		if (pc >= map->start && pc + length <= map->end)
			return softpmu_is_fixed_code(map);
	return false;
}

static bool plan_call_from(struct tracee *tracee, const struct softpmu_probes *probes, taddr pc,
			   struct softpmu_probe *out)
{
	uint8_t bytes[ARCH_AHEAD_MAX];
	size_t got = tracee_read(tracee, pc, bytes, sizeof(bytes));
	unsigned offset, length = arch.call_window(bytes, got, &offset);

	if (!length || length > ARCH_WINDOW_MAX || softpmu_probe_over(probes, pc, pc + length) ||
	    softpmu_is_jumped_into(tracee, pc, length) || softpmu_is_overlapped(tracee, pc) ||
	    !softpmu_is_in_fixed_code(tracee, pc, length))
		return false;
	*out = (struct softpmu_probe){.pc = pc, .length = length, .call = true};
	out->at = softpmu_find_room(tracee, pc, arch.window_starts(bytes, length));
	return out->at;
}

bool softpmu_call_plan(struct tracee *tracee, const struct softpmu_probes *probes, taddr pc, int nr,
		       struct softpmu_probe *out)
{
	uint8_t before[ARCH_CALL_SET_SIZE];
	taddr from = pc + arch.call_size - sizeof(before);

	if (tracee_read(tracee, from, before, sizeof(before)) == sizeof(before) &&
	    arch.call_set(before) == nr &&
	    plan_call_from(tracee, probes, pc - arch.call_before, out))
		return true;
	return plan_call_from(tracee, probes, pc, out);
}

unsigned softpmu_known_behind(const struct softpmu_probes *probes, taddr pc, unsigned length,
			      size_t got)
{
	return softpmu_probe_over(probes, pc + length, pc + got) ? length : (unsigned)got;
}

static size_t make_stub(struct softpmu_probe *probe, const uint8_t *bytes, unsigned known,
			uint8_t *code, size_t room)
{
	struct arch_stub stub = {
		.at = probe->at,
		.pc = probe->pc,
		.window = bytes,
		.length = probe->length,
		.known = known,
		.scratch = SCRATCH,
		.counter = probe->counter ? probe->counter : COUNTER,
		.flags_dead = probe->shadow,
	};
	size_t size = (probe->call ? arch.call_stub : arch.count_stub)(&stub, code, room);

	probe->size = (unsigned)size;
	probe->trapped = stub.trapped;
	probe->declined = stub.declined;
	probe->counted = stub.counted;
	memcpy(probe->copies, stub.copies, sizeof(probe->copies));
	if (!probe->call)
		return size;
	unsigned offset;

	arch.call_window(bytes, probe->length, &offset);
	probe->enters = probe->copies[offset];
	probe->next = probe->pc + offset + arch.call_size;
	return size;
}

static bool map_stub(struct tracee *tracee, taddr at)
{
	taddr page = at & ~(PAGE - 1);
	int64_t mapped = tracee_callv(tracee, SYS_mmap, page, 2 * PAGE, PROT_READ | PROT_EXEC,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1ull, 0);

	return mapped == (int64_t)page;
}

/* Only the room for the instructions is a limit that a recording could break. */
static bool is_sane(const struct softpmu_probe *plan)
{
	/* Our pages run outside PTRACE_SYSEMU. */
	if (plan->pc < WARP_PAGES_END && plan->pc + 2 * ARCH_WINDOW_MAX > WARP_CODE_PAGE)
		return false;
	if (plan->at < WARP_SCRATCH && plan->at + 2 * PAGE > WARP_CODE_PAGE)
		return false;
	return plan->length >= ARCH_JUMP && plan->length <= ARCH_WINDOW_MAX &&
	       plan->shadow <= ARCH_AHEAD_MAX;
}

bool softpmu_probe_add(struct tracee *tracee, struct softpmu_probes *probes,
		       const struct softpmu_probe *plan)
{
	struct softpmu_probe probe = *plan;
	uint8_t code[STUB_MAX], jump[ARCH_WINDOW_MAX], bytes[2 * ARCH_WINDOW_MAX];
	size_t got = tracee_read(tracee, probe.pc, bytes, sizeof(bytes));

	unsigned offset, window = probe.call ? arch.call_window(bytes, probe.length, &offset)
					     : arch.window(bytes, probe.length);

	if (!is_sane(plan) || got < probe.length || window != probe.length)
		return false;
	memcpy(probe.saved, bytes, probe.length);
	unsigned known = softpmu_known_behind(probes, probe.pc, probe.length, got);
	size_t size = make_stub(&probe, bytes, known, code, sizeof(code));

	if (!size || !map_stub(tracee, probe.at) ||
	    tracee_write(tracee, probe.at, code, size) != size)
		return false;
	arch.make_jump(jump, probe.pc, probe.at, probe.length);
	if (tracee_write(tracee, probe.pc, jump, probe.length) != probe.length)
		return false;
	vec_push(&probes->sites, probe);
	return true;
}

void softpmu_probe_remove(struct tracee *tracee, struct softpmu_probes *probes, size_t index)
{
	struct softpmu_probe *probe = &probes->sites.items[index];
	uint8_t jump[ARCH_WINDOW_MAX], now[ARCH_WINDOW_MAX];

	arch.make_jump(jump, probe->pc, probe->at, probe->length);
	if (tracee_read(tracee, probe->pc, now, probe->length) == probe->length &&
	    !memcmp(now, jump, probe->length))
		tracee_write(tracee, probe->pc, probe->saved, probe->length);
	vec_remove(&probes->sites, index);
}

/* ---- the counter ---- */

static const struct softpmu_probe *stub_at(const struct softpmu_probes *probes, taddr pc)
{
	vec_foreach (&probes->sites, probe)
		if (pc >= probe->at && pc <= probe->at + probe->size)
			return probe;
	return NULL;
}

static uint64_t trap_at(const struct softpmu_counter *counter)
{
	return counter->trap_at ? counter->trap_at : NEVER;
}

/* Takes the progress of whose the counter is out of memory. */
static void store(struct tracee *tracee, struct softpmu_probes *probes)
{
	struct softpmu_counter *counter = probes->loaded;
	int64_t left;

	if (counter && tracee_read(tracee, COUNTER, &left, sizeof(left)) == sizeof(left))
		counter->total = trap_at(counter) - (uint64_t)left;
}

/* A stub may have read the counter and not written it yet: it would write over what we do. */
static void forget_what_was_read(struct tracee *tracee, const struct softpmu_probes *probes)
{
	taddr pc = arch.pc(tracee_regs(tracee));
	const struct softpmu_probe *probe = stub_at(probes, pc);
	uint64_t spilled;

	if (probe && pc > probe->at && pc < probe->counted &&
	    tracee_read(tracee, SCRATCH, &spilled, sizeof(spilled)) == sizeof(spilled))
		arch.restart_stub(tracee_regs_mut(tracee), probe->at, spilled);
}

static void write_counter(struct tracee *tracee, const struct softpmu_counter *counter)
{
	uint64_t left = trap_at(counter) - counter->total;

	tracee_write(tracee, COUNTER, &left, sizeof(left));
}

void softpmu_load(struct tracee *tracee, struct softpmu_probes *probes,
		  struct softpmu_counter *counter)
{
	if (probes->loaded == counter || !probes->sites.count)
		return;
	store(tracee, probes);
	probes->loaded = counter;
	write_counter(tracee, counter);
}

uint64_t softpmu_read(struct tracee *tracee, struct softpmu_probes *probes,
		      struct softpmu_counter *counter)
{
	if (probes->loaded == counter)
		store(tracee, probes);
	return counter->total;
}

void softpmu_arm(struct tracee *tracee, struct softpmu_probes *probes,
		 struct softpmu_counter *counter, uint64_t total)
{
	softpmu_load(tracee, probes, counter);
	softpmu_read(tracee, probes, counter);
	forget_what_was_read(tracee, probes);
	counter->trap_at = total;
	if (probes->loaded == counter) /* else there are no sites, and memory has another's */
		write_counter(tracee, counter);
}

void softpmu_uncount(struct tracee *tracee, struct softpmu_probes *probes,
		     struct softpmu_counter *counter)
{
	softpmu_read(tracee, probes, counter);
	forget_what_was_read(tracee, probes);
	counter->total--;
	write_counter(tracee, counter);
}

void softpmu_unload(struct softpmu_probes *probes, const struct softpmu_counter *counter)
{
	if (probes->loaded == counter)
		probes->loaded = NULL;
}

/* ---- stops ---- */

bool softpmu_in_stub(struct tracee *tracee, const struct softpmu_probes *probes)
{
	taddr pc = arch.pc(tracee_regs(tracee));

	return stub_at(probes, pc) || (pc >= AGENT_CODE && pc < AGENT_CODE + AGENT_CODE_SIZE);
}

void softpmu_clear_shadow(struct tracee *tracee, const struct softpmu_probes *probes)
{
	taddr pc = arch.pc(tracee_regs(tracee));

	vec_foreach (&probes->sites, probe)
		if (pc >= probe->pc && pc < probe->pc + probe->shadow)
			arch.clear_dead_flags(tracee_regs_mut(tracee));
}

void softpmu_stand_at_site(struct tracee *tracee, const struct softpmu_probes *probes)
{
	const struct softpmu_probe *probe = stub_at(probes, arch.pc(tracee_regs(tracee)));

	if (!probe)
		return;
	arch.set_pc(tracee_regs_mut(tracee), probe->pc);
	softpmu_clear_shadow(tracee, probes);
}

bool softpmu_find_copy(const taddr *copies, unsigned length, taddr pc, unsigned *offset)
{
	for (*offset = 0; *offset < length; ++*offset)
		if (pc && copies[*offset] == pc)
			return true;
	return false;
}

/* The instruction whose copy is at pc. */
static void leave_copy(struct tracee *tracee, const struct softpmu_probe *probe)
{
	taddr pc = arch.pc(tracee_regs(tracee));
	unsigned offset;

	if (softpmu_find_copy(probe->copies, probe->length, pc, &offset))
		arch.set_pc(tracee_regs_mut(tracee), probe->pc + offset);
}

void softpmu_leave_call(struct tracee *tracee, const struct softpmu_probes *probes)
{
	taddr pc = arch.pc(tracee_regs(tracee));
	const struct softpmu_probe *probe = stub_at(probes, pc);

	if (probe && probe->call && pc == probe->declined + arch.call_size)
		arch.leave_call_copy(tracee_regs_mut(tracee), probe->next);
}

bool softpmu_enters_call(struct tracee *tracee, const struct softpmu_probes *probes)
{
	taddr pc = arch.pc(tracee_regs(tracee));
	const struct softpmu_probe *probe = stub_at(probes, pc);

	return probe && probe->call && pc > probe->enters && pc < probe->declined;
}

bool softpmu_comes_to_call(struct tracee *tracee, const struct softpmu_probes *probes)
{
	taddr pc = arch.pc(tracee_regs(tracee));
	const struct softpmu_probe *probe = stub_at(probes, pc);

	return probe && probe->call && pc == probe->at;
}

bool softpmu_at_call(struct tracee *tracee, const struct softpmu_probes *probes)
{
	taddr pc = arch.pc(tracee_regs(tracee));

	vec_foreach (&probes->sites, probe)
		if (probe->call && (pc == probe->next - arch.call_size || pc == probe->enters ||
				    pc == probe->declined))
			return true;
	return false;
}

void softpmu_enter_call_copies(struct tracee *tracee, const struct softpmu_probes *probes)
{
	taddr pc = arch.pc(tracee_regs(tracee));
	const struct softpmu_probe *probe = softpmu_probe_over(probes, pc, pc + 1);

	if (probe && probe->call && pc == probe->pc)
		arch.set_pc(tracee_regs_mut(tracee), probe->copies[0]);
}

void softpmu_leave_call_copies(struct tracee *tracee, const struct softpmu_probes *probes)
{
	taddr pc = arch.pc(tracee_regs(tracee));
	const struct softpmu_probe *probe = stub_at(probes, pc);

	if (!probe || !probe->call)
		return;
	if (pc == probe->declined)
		arch.set_pc(tracee_regs_mut(tracee), probe->next - arch.call_size);
	else if (pc == probe->declined + arch.call_size)
		arch.set_pc(tracee_regs_mut(tracee), probe->next);
	else
		leave_copy(tracee, probe);
}

taddr softpmu_real_place(const struct softpmu_probes *probes, taddr pc)
{
	const struct softpmu_probe *probe = softpmu_probe_over(probes, pc, pc + 1);

	if (!probe || pc == probe->pc || !probe->copies[pc - probe->pc])
		return pc;
	return probe->copies[pc - probe->pc];
}

bool softpmu_enter_copy(struct tracee *tracee, const struct softpmu_probes *probes, taddr pc)
{
	taddr real = softpmu_real_place(probes, pc);

	if (real == pc)
		return false;
	arch.set_pc(tracee_regs_mut(tracee), real);
	return true;
}

/* It is reported behind the instruction. */
static bool is_trap_instruction(struct tracee *tracee, int signal)
{
	return signal == SIGTRAP && tracee_is_trap_instruction(tracee);
}

enum softpmu_stop softpmu_sort_stop(struct tracee *tracee, const struct softpmu_probes *probes,
				    int signal)
{
	if (!probes->sites.count)
		return SOFTPMU_STOP_OTHER;
	taddr pc = arch.pc(tracee_regs(tracee));
	const struct softpmu_probe *probe = stub_at(probes, pc);

	if (probe && signal == SIGTRAP && pc == probe->trapped)
		return SOFTPMU_STOP_HIT;
	bool trap = is_trap_instruction(tracee, signal);

	/* A byte of the jump was executed as an instruction. */
	if ((signal == SIGILL || trap) && softpmu_enter_copy(tracee, probes, pc - trap))
		return SOFTPMU_STOP_WINDOW;
	if (probe && !trap) /* behind a debugger's trap it stands at no instruction */
		leave_copy(tracee, probe);
	softpmu_clear_shadow(tracee, probes);
	return SOFTPMU_STOP_OTHER;
}
