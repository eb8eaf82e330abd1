/* From wherever a thread was stopped to a place that can be found again, and the witnesses of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <xxhash.h>

#include "softpmu/softpmu.h"
#include "softpmu/step.h"
#include "tracee/procfs.h"
#include "util/cleanup.h"
#include "util/log.h"

#define PAGE 4096ull
/* Steps (10 to 25 µs each) before we make do with a place that only a breakpoint finds. */
#define STEPS_MAX 400
/* Steps before we make do with a place that traps more often than it is visited. */
#define STEPS_WELL 100
/* Witness pages: enough to tell states apart, few enough to be cheap (16 MB hash in 2 ms). */
#define WITNESS_PAGES 4096

/* Past an instruction in one go: a repeated one, or one that sees the flag of single-stepping. */
static int run_past(struct tracee *tracee, taddr next)
{
	arch.set_breakpoint(tracee->tid, next);
	tracee_resume(tracee, PTRACE_CONT, 0);
	int status = tracee_wait(tracee, 0);

	if (!tracee->gone) {
		arch.set_breakpoint(tracee->tid, 0);
		arch.clear_resume(tracee_regs_mut(tracee));
	}
	return status;
}

enum softpmu_result softpmu_step(struct tracee *tracee, const struct softpmu_probes *probes,
				 int *status)
{
	uint8_t bytes[ARCH_WINDOW_MAX] = {0};
	unsigned length = 0;

	softpmu_enter_copy(tracee, probes, arch.pc(tracee_regs(tracee)));
	taddr pc = arch.pc(tracee_regs(tracee));
	size_t got = tracee_read(tracee, pc, bytes, sizeof(bytes));
	enum arch_step step = arch.classify(bytes, got, &length);

	if (step == ARCH_STEP_SYNC)
		return SOFTPMU_EVENT;
	if (step == ARCH_STEP_WHOLE) {
		*status = run_past(tracee, pc + length);
	} else {
		/* Should it be a system call after all, it is not made. */
		tracee_resume(tracee, PTRACE_SYSEMU_SINGLESTEP, 0);
		*status = tracee_wait(tracee, 0);
	}
	*status = tracee_trap_first(tracee, *status);
	if (tracee->gone || tracee_event(*status) || WSTOPSIG(*status) != SIGTRAP)
		return SOFTPMU_STOPPED;
	return SOFTPMU_FOUND;
}

enum softpmu_result softpmu_steps(struct tracee *tracee, const struct softpmu_probes *probes,
				  unsigned steps, int *status)
{
	enum softpmu_result result = SOFTPMU_FOUND;

	for (unsigned i = 0; i < steps && result == SOFTPMU_FOUND; i++)
		result = softpmu_step(tracee, probes, status);
	return result;
}

enum softpmu_result softpmu_leave_stubs(struct tracee *tracee, const struct softpmu_probes *probes,
					int *status)
{
	enum softpmu_result result = SOFTPMU_FOUND;

	while (result == SOFTPMU_FOUND && softpmu_in_stub(tracee, probes))
		result = softpmu_step(tracee, probes, status);
	return result;
}

/* Can the instruction at the program counter be replaced by a jump, and a signal be taken there? At
 * popf, entering a handler would leave our trap flag in its frame (is_setting_trap_flag() in
 * arch/x86/kernel/step.c). */
static bool is_findable(struct tracee *tracee, const struct softpmu_probes *probes, bool well)
{
	uint8_t bytes[2 * ARCH_WINDOW_MAX] = {0};
	taddr pc = arch.pc(tracee_regs(tracee));
	size_t got = tracee_read(tracee, pc, bytes, sizeof(bytes));
	unsigned length = 0, window = arch.window(bytes, got);

	return window && arch.classify(bytes, got, &length) == ARCH_STEP_PLAIN &&
	       !softpmu_in_stub(tracee, probes) && !softpmu_probe_over(probes, pc, pc + window) &&
	       (!well || !softpmu_is_jumped_into(tracee, pc, window));
}

enum softpmu_result softpmu_settle(struct tracee *tracee, const struct softpmu_probes *probes,
				   int *status)
{
	enum softpmu_result result = SOFTPMU_FOUND;

	for (int steps = 0; steps < STEPS_MAX && result == SOFTPMU_FOUND; steps++) {
		if (is_findable(tracee, probes, steps < STEPS_WELL))
			break;
		result = softpmu_step(tracee, probes, status);
	}
	if (result == SOFTPMU_FOUND)
		result = softpmu_leave_stubs(tracee, probes, status);
	softpmu_clear_shadow(tracee, probes);
	return result;
}

uint64_t softpmu_vector_hash(struct tracee *tracee)
{
	struct bytes state = {0};
	uint64_t hash = 0;

	if (tracee_get_xstate(tracee, &state)) {
		arch.xstate_normalise(state.items, state.count);
		hash = XXH64(state.items, state.count, 0);
	}
	vec_deinit(&state);
	return hash;
}

static void add(struct tracee *tracee, struct softpmu_witnesses *out, taddr addr, size_t length)
{
	char page[PAGE];

	if (tracee_read(tracee, addr, page, length) != length)
		return;
	vec_push(out, (struct trace_witness){addr, length, XXH64(page, length, 0)});
}

/* Entries of /proc/PID/pagemap (proc(5)): present or swapped; still the file's, so never written. */
#define PAGE_HERE(entry) ((entry) >> 62)
#define PAGE_FILE	 (1ull << 61)

/* Resident pages only: looking at others would make them so. */
static void add_resident(struct tracee *tracee, int pagemap, const struct proc_map *map,
			 struct softpmu_witnesses *out, size_t most)
{
	uint64_t entries[512];

	for (taddr at = map->start; at < map->end && out->count < most;) {
		size_t want = (map->end - at) / PAGE < 512 ? (map->end - at) / PAGE : 512;
		ssize_t got = pread(pagemap, entries, want * 8, (off_t)(at / PAGE * 8));

		if (got <= 0)
			return;
		for (ssize_t i = 0; i < got / 8 && out->count < most; i++)
			if (PAGE_HERE(entries[i]) && !(entries[i] & PAGE_FILE))
				add(tracee, out, at + (taddr)i * PAGE, PAGE);
		at += (taddr)(got / 8) * PAGE;
	}
}

static bool is_ours(const struct proc_map *map)
{
	return map->start >= WARP_CODE_PAGE && map->start < WARP_RESERVED_END;
}

static void take(struct tracee *tracee, struct softpmu_witnesses *out, size_t most)
{
	struct proc_maps maps = {0};
	taddr sp = arch.sp(tracee_regs(tracee));
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", tracee->tid);
	int pagemap _cleanup_fd_ = open(path, O_RDONLY | O_CLOEXEC);

	vec_clear(out);
	vec_push(out, (struct trace_witness){0, 0, softpmu_vector_hash(tracee)});
	add(tracee, out, sp, PAGE - sp % PAGE);
	proc_read_maps(tracee->tid, &maps);
	vec_foreach (&maps, map)
		if (pagemap >= 0 && (map->prot & PROT_WRITE) && !map->shared && !is_ours(map))
			add_resident(tracee, pagemap, map, out, most);
	proc_maps_deinit(&maps);
}

void softpmu_witness(struct tracee *tracee, struct softpmu_witnesses *out)
{
	take(tracee, out, WITNESS_PAGES);
}

size_t softpmu_hot(const struct softpmu_witnesses *before, const struct softpmu_witnesses *now,
		   struct trace_witness *out, size_t room)
{
	size_t count = 0, b = 0;

	/* Both are in ascending order but for their first two, the vector registers and the stack. */
	for (size_t n = 2; n < now->count && count < room; n++) {
		const struct trace_witness *page = &now->items[n];

		while (b < before->count && (b < 2 || before->items[b].addr < page->addr))
			b++;
		if (b < before->count && before->items[b].addr == page->addr &&
		    before->items[b].hash != page->hash)
			out[count++] = *page;
	}
	return count;
}

static bool one_agrees(struct tracee *tracee, const struct trace_witness *witness)
{
	char page[PAGE];

	if (!witness->length)
		return softpmu_vector_hash(tracee) == witness->hash;
	return witness->length <= PAGE &&
	       tracee_read(tracee, witness->addr, page, witness->length) == witness->length &&
	       XXH64(page, witness->length, 0) == witness->hash;
}

bool softpmu_agrees(struct tracee *tracee, const struct trace_witness *witnesses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (one_agrees(tracee, &witnesses[i]))
			continue;
		log_info("a place at %#llx with equal registers is not the one: %#llx differs",
			 (unsigned long long)arch.pc(tracee_regs(tracee)),
			 (unsigned long long)witnesses[i].addr);
		return false;
	}
	return true;
}

/* Whole, not only what is resident: which pages of a file are mapped already is the kernel's affair. */
static void add_shared(struct tracee *tracee, struct softpmu_witnesses *out)
{
	struct proc_maps maps = {0};

	proc_read_maps(tracee->tid, &maps);
	vec_foreach (&maps, map)
		for (taddr at = map->start; at < map->end; at += PAGE)
			if (map->shared && (map->prot & PROT_WRITE) && !is_ours(map))
				add(tracee, out, at, PAGE);
	proc_maps_deinit(&maps);
}

uint64_t softpmu_state_hash(struct tracee *tracee)
{
	static const char zeros[PAGE];
	struct softpmu_witnesses all = {0};
	struct regs regs = *tracee_regs(tracee);

	arch.clear_resume(&regs);
	take(tracee, &all, SIZE_MAX);
	add_shared(tracee, &all);
	uint64_t hash = XXH64(regs.word, sizeof(regs.word), 0), empty = XXH64(zeros, PAGE, 0);

	/* Whether a page of zeros is resident is the kernel's affair. */
	vec_foreach (&all, page)
		if (page->hash != empty)
			hash = XXH64(page, sizeof(*page), hash);
	vec_deinit(&all);
	return hash;
}
