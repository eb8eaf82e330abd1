/* Replaying side: running until the state is that of a recorded place.
 *
 * A breakpoint register finds the first few visits of the place's instruction; if they come often,
 * a stub is mapped near it, the instruction is replaced by a jump there, and the stub compares all
 * general registers at full speed. The registers that changed between the visits seen are compared
 * first. Everything is undone before the function returns. */
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "softpmu/softpmu.h"
#include "tracee/procfs.h"

#define PAGE 4096ull
/* Visits seen by the breakpoint register before a stub is worth its price. */
#define VISITS 12

struct seek {
	struct tracee *tracee;
	const struct softpmu_target *target;
	taddr pc;
	taddr pages; /* of the stub; 0: none */
	uint64_t pages_length;
	struct arch_stub stub;
	uint8_t saved[2 * ARCH_WINDOW_MAX]; /* bytes under the jump */
	struct regs visits[VISITS];
	unsigned seen;
};

/* Is the stopped tracee, whose program counter is as the program knows it, at the target? The bytes
 * of the jump are in a page that is no witness: it is not writable. */
static bool at_target(struct seek *k)
{
	struct regs regs = *tracee_regs(k->tracee);

	arch.clear_resume(&regs);
	if (memcmp(regs.word, k->target->regs.word, sizeof(regs.word)) ||
	    !softpmu_agrees(k->tracee, k->target->witnesses, k->target->count))
		return false;
	tracee_set_regs(k->tracee, &regs);
	return true;
}

/* ---- the stub ---- */

/* Away from neighbours: stacks that grow, and their guard gaps. */
#define MARGIN 0x1000000ull

static bool is_free(const struct proc_maps *maps, taddr from, taddr to)
{
	if (from < MARGIN || from >= arch.user_end - MARGIN || to < from)
		return false;
	if (from < WARP_RESERVED_END && to > WARP_CODE_PAGE)
		return false;
	vec_foreach (maps, map)
		if (from < map->end + MARGIN && map->start < to + MARGIN)
			return false;
	return true;
}

/* A free place for the stub such that the jump's distance has traps where instructions begin. */
static taddr find_room(struct seek *k, unsigned starts)
{
	struct proc_maps maps = {0};
	taddr found = 0;

	proc_read_maps(k->tracee->tid, &maps);
	for (unsigned high = 0; high < 0x10000 && !found; high++) {
		/* Bytes 2 and 3 of the distance vary; 0 and 1 are traps or nothing. */
		uint8_t bytes[4] = {starts & 2 ? 0xcc : 0, starts & 4 ? 0xcc : 0, (uint8_t)high,
				    (uint8_t)(high >> 8)};
		int32_t distance;

		if (((starts & 8) && !arch.traps_alone(bytes[2])) ||
		    ((starts & 16) && !arch.traps_alone(bytes[3])))
			continue;
		memcpy(&distance, bytes, sizeof(distance));
		taddr at = k->pc + ARCH_JUMP + (taddr)(int64_t)distance;

		if (is_free(&maps, at & ~(PAGE - 1), at + PAGE))
			found = at;
	}
	proc_maps_deinit(&maps);
	return found;
}

/* Those that changed between visits first: one comparison then decides nearly always. */
static void order_registers(const struct seek *k, uint8_t order[TRACE_REGS])
{
	unsigned changes[TRACE_REGS] = {0};

	for (int r = 0; r < TRACE_REGS; r++) {
		order[r] = (uint8_t)r;
		for (unsigned i = 1; i < k->seen; i++)
			changes[r] += k->visits[i].word[r] != k->visits[i - 1].word[r];
	}
	for (int i = 1; i < TRACE_REGS; i++)
		for (int j = i; j > 0 && changes[order[j]] > changes[order[j - 1]]; j--) {
			uint8_t swap = order[j];

			order[j] = order[j - 1];
			order[j - 1] = swap;
		}
}

/* Code for the stub as it is now known; false if it cannot be made. */
static bool write_stub(struct seek *k)
{
	uint8_t code[PAGE], order[TRACE_REGS];

	order_registers(k, order);
	k->stub.order = order;
	size_t size = arch.compare_stub(&k->stub, &k->target->regs, code, sizeof(code));

	return size && tracee_write(k->tracee, k->stub.at, code, size) == size;
}

/* A false visit: all registers are equal. A word of memory that differs joins the comparison, so
 * that the stub does not trap for the same reason again. */
static void learn_word(struct seek *k)
{
	const struct softpmu_target *target = k->target;
	uint64_t is, should;

	if (k->stub.word_count == ARCH_STUB_WORDS)
		return;
	for (size_t i = 0; i < target->contents_count; i++) {
		const struct softpmu_contents *memory = &target->contents[i];

		for (uint64_t at = 0; at + 8 <= memory->length; at += 8) {
			memcpy(&should, memory->bytes + at, sizeof(should));
			if (tracee_read(k->tracee, memory->addr + at, &is, sizeof(is)) !=
			    sizeof(is))
				break;
			if (is == should)
				continue;
			k->stub.words[k->stub.word_count++] =
				(struct arch_word){memory->addr + at, should};
			write_stub(k);
			return;
		}
	}
}

static bool map_pages(struct seek *k, taddr at)
{
	k->pages = at & ~(PAGE - 1);
	k->pages_length = 2 * PAGE;
	int64_t mapped =
		tracee_callv(k->tracee, SYS_mmap, k->pages, k->pages_length, PROT_READ | PROT_EXEC,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1ull, 0);

	if (mapped == (int64_t)k->pages)
		return true;
	k->pages = 0;
	return false;
}

static bool install(struct seek *k)
{
	uint8_t jump[ARCH_WINDOW_MAX];
	size_t got = tracee_read(k->tracee, k->pc, k->saved, sizeof(k->saved));
	unsigned length = arch.window(k->saved, got);
	taddr at = length && length <= ARCH_WINDOW_MAX
			   ? find_room(k, arch.window_starts(k->saved, length))
			   : 0;

	if (!at || !map_pages(k, at))
		return false;
	k->stub = (struct arch_stub){.at = at,
				     .pc = k->pc,
				     .window = k->saved,
				     .length = length,
				     .scratch = WARP_DATA_PAGE + 0x800};
	arch.make_jump(jump, k->pc, at, length);
	return write_stub(k) && tracee_write(k->tracee, k->pc, jump, length) == length;
}

static void uninstall(struct seek *k)
{
	if (!k->pages || k->tracee->gone)
		return;
	tracee_write(k->tracee, k->pc, k->saved, k->stub.length);
	tracee_callv(k->tracee, SYS_munmap, k->pages, k->pages_length);
	k->pages = 0;
}

/* ---- the search ---- */

/* The stub has trapped, or the program has jumped into the window: the program counter is put where
 * the program believes it is, or into the copy. Returns true for a visit. */
static bool sort_out_trap(struct seek *k, int signal)
{
	taddr pc = arch.pc(tracee_regs(k->tracee));

	if (!k->pages)
		return pc == k->pc;
	if (pc == k->stub.trapped) {
		arch.set_pc(tracee_regs_mut(k->tracee), k->pc);
		return true;
	}
	taddr offset = pc - k->pc - (signal == SIGTRAP); /* a trap is reported behind itself */

	if (offset < k->stub.length && k->stub.copies[offset])
		arch.set_pc(tracee_regs_mut(k->tracee), k->stub.copies[offset]);
	return false;
}

/* Runs to the next visit. Returns false at any other stop. */
static bool next_visit(struct seek *k, int *status)
{
	taddr before = 0;

	if (k->pages && arch.pc(tracee_regs(k->tracee)) == k->pc)
		arch.set_pc(tracee_regs_mut(k->tracee), k->stub.copies[0]);
	for (;;) {
		tracee_resume(k->tracee, PTRACE_SYSEMU, 0);
		*status = tracee_wait(k->tracee, 0);
		int signal = WSTOPSIG(*status);

		if (k->tracee->gone || tracee_event(*status) ||
		    (signal != SIGTRAP && signal != SIGILL))
			return false;
		before = arch.pc(tracee_regs(k->tracee));
		if (sort_out_trap(k, signal))
			return true;
		if (arch.pc(tracee_regs(k->tracee)) == before)
			return false; /* a trap of the program's own */
	}
}

static enum softpmu_result search(struct seek *k, int *status)
{
	arch.set_breakpoint(k->tracee->tid, k->pc);
	while (next_visit(k, status)) {
		if (at_target(k))
			return SOFTPMU_FOUND;
		if (k->pages) {
			learn_word(k);
			continue;
		}
		k->visits[k->seen % VISITS] = *tracee_regs(k->tracee);
		if (++k->seen != VISITS)
			continue;
		if (install(k))
			arch.set_breakpoint(k->tracee->tid, 0);
		else
			uninstall(k); /* half done: the breakpoint goes on */
	}
	return SOFTPMU_STOPPED;
}

enum softpmu_result softpmu_seek(struct tracee *tracee, const struct softpmu_target *target,
				 int *status)
{
	struct seek k = {.tracee = tracee, .target = target, .pc = arch.pc(&target->regs)};

	if (at_target(&k))
		return SOFTPMU_FOUND;
	enum softpmu_result result = search(&k, status);

	if (!tracee->gone)
		arch.set_breakpoint(tracee->tid, 0);
	uninstall(&k);
	return result;
}
