/* From wherever a thread was stopped to a place that can be found again, and the witnesses of
 * it. */
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
/* Pages read in one go. */
#define PAGES_AT_ONCE 16
/* Pages behind one witness, once it is to be kept. */
#define PAGES_A_WITNESS 256

/* Past an instruction in one go: a repeated one, or one that sees the flag of single-stepping. */
static int run_past(struct tracee *tracee, taddr next)
{
	tracee_break_at(tracee, next);
	tracee_resume(tracee, PTRACE_CONT, 0);
	int status = tracee_wait(tracee, 0);

	if (!tracee->gone) {
		tracee_break_at(tracee, 0);
		arch.clear_resume(tracee_regs_mut(tracee));
	}
	return status;
}

enum softpmu_result softpmu_step(struct tracee *tracee, const struct softpmu_probes *probes,
				 int *status)
{
	uint8_t bytes[ARCH_WINDOW_MAX] = {0};
	unsigned length = 0;

	if (softpmu_at_call(tracee, probes))
		return SOFTPMU_EVENT;
	softpmu_enter_copy(tracee, probes, arch.pc(tracee_regs(tracee)));
	softpmu_enter_call_copies(tracee, probes);
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
	softpmu_leave_call_copies(tracee, probes);
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
	       (!well || (!softpmu_is_jumped_into(tracee, pc, window) &&
			  !softpmu_is_overlapped(tracee, pc)));
}

enum softpmu_result softpmu_settle(struct tracee *tracee, const struct softpmu_probes *probes,
				   int *status)
{
	enum softpmu_result result = SOFTPMU_FOUND;

	/* At least one: a signal can be given from a step's stop, not from an interrupt's
	 * (ptrace(2)). */
	for (int steps = 0; steps < STEPS_MAX && result == SOFTPMU_FOUND; steps++) {
		if (steps && is_findable(tracee, probes, steps < STEPS_WELL))
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

static void add(struct softpmu_witnesses *out, taddr addr, size_t length, const void *bytes)
{
	vec_push(out, (struct trace_witness){addr, length, XXH64(bytes, length, 0)});
}

static void add_stack(struct tracee *tracee, struct softpmu_witnesses *out)
{
	char page[PAGE];
	taddr sp = arch.sp(tracee_regs(tracee));
	size_t length = PAGE - sp % PAGE;

	if (tracee_read(tracee, sp, page, length) == length)
		add(out, sp, length, page);
	else
		vec_push(out, out->items[0]);
}

/* `count` pages that lie side by side. Those that cannot be read are no witnesses. */
static void add_pages(struct tracee *tracee, struct softpmu_witnesses *out, taddr at, size_t count)
{
	char bytes[PAGES_AT_ONCE * PAGE];

	while (count) {
		size_t want = count < PAGES_AT_ONCE ? count : PAGES_AT_ONCE;
		size_t got = tracee_read(tracee, at, bytes, want * PAGE) / PAGE;

		for (size_t i = 0; i < got; i++)
			add(out, at + i * PAGE, PAGE, bytes + i * PAGE);
		got += got < want;
		at += got * PAGE;
		count -= got;
	}
}

/* Entries of /proc/PID/pagemap (proc(5)): present or swapped; a file's, or shared memory's. */
#define PAGE_HERE(entry) ((entry) >> 62)
#define PAGE_FILE	 (1ull << 61)

/* Can the page be another than it was when it was mapped? Not if it is not resident, which looking
 * at it would make it; nor if it is a private mapping's and still the file's. */
static bool may_differ(const struct proc_map *map, uint64_t entry)
{
	return PAGE_HERE(entry) && (map->shared || !(entry & PAGE_FILE));
}

static void add_resident(struct tracee *tracee, int pagemap, const struct proc_map *map,
			 struct softpmu_witnesses *out, size_t most)
{
	uint64_t entries[512];

	for (taddr at = map->start; at < map->end && out->count < most;) {
		size_t want = (map->end - at) / PAGE < 512 ? (map->end - at) / PAGE : 512;
		ssize_t got = pread(pagemap, entries, want * 8, (off_t)(at / PAGE * 8));

		if (got < 8)
			return;
		size_t count = (size_t)got / 8;

		for (size_t i = 0, end; i < count && out->count < most; i = end + 1) {
			for (end = i; end < count && may_differ(map, entries[end]);)
				end++;
			add_pages(tracee, out, at + i * PAGE, end - i);
		}
		at += count * PAGE;
	}
}

static bool is_ours(const struct proc_map *map)
{
	return map->start >= WARP_CODE_PAGE && map->start < WARP_RESERVED_END;
}

/* Ascending but for the first, SOFTPMU_WITNESSES_FIRST: the vector registers and the stack. */
static void take(struct tracee *tracee, bool shared, size_t most, struct softpmu_witnesses *out)
{
	struct proc_maps maps = {0};
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/pagemap", tracee->tid);
	int pagemap _cleanup_fd_ = open(path, O_RDONLY | O_CLOEXEC);

	vec_clear(out);
	vec_push(out, (struct trace_witness){0, 0, softpmu_vector_hash(tracee)});
	add_stack(tracee, out);
	proc_read_maps(tracee->tid, &maps);
	vec_foreach (&maps, map)
		if (pagemap >= 0 && (map->prot & PROT_WRITE) && (shared || !map->shared) &&
		    !is_ours(map))
			add_resident(tracee, pagemap, map, out, most);
	proc_maps_deinit(&maps);
}

void softpmu_witness(struct tracee *tracee, size_t most, struct softpmu_witnesses *out)
{
	take(tracee, true, most, out);
}

/* One witness for pages side by side: the hash of their hashes. */
void softpmu_fold(struct softpmu_witnesses *pages)
{
	uint64_t hashes[PAGES_A_WITNESS];
	size_t kept = SOFTPMU_WITNESSES_FIRST;

	for (size_t i = kept, next; i < pages->count; i = next) {
		struct trace_witness *first = &pages->items[i];
		size_t count = 0;

		for (next = i; next < pages->count && count < PAGES_A_WITNESS; next++) {
			if (pages->items[next].addr != first->addr + count * PAGE)
				break;
			hashes[count++] = pages->items[next].hash;
		}
		pages->items[kept++] = (struct trace_witness){
			first->addr, count * PAGE,
			count == 1 ? first->hash : XXH64(hashes, count * sizeof(*hashes), 0)};
	}
	if (pages->count > kept)
		pages->count = kept;
}

size_t softpmu_hot(const struct softpmu_witnesses *before, const struct softpmu_witnesses *now,
		   struct trace_witness *out, size_t room)
{
	size_t count = 0, b = SOFTPMU_WITNESSES_FIRST;

	/* Both are in ascending order but for the first of them. */
	for (size_t n = b; n < now->count && count < room; n++) {
		const struct trace_witness *page = &now->items[n];

		while (b < before->count && before->items[b].addr < page->addr)
			b++;
		if (b < before->count && before->items[b].addr == page->addr &&
		    before->items[b].hash != page->hash)
			out[count++] = *page;
	}
	return count;
}

/* Of a run of whole pages. */
static bool pages_agree(struct tracee *tracee, const struct trace_witness *witness)
{
	struct softpmu_witnesses pages = {0};

	if (witness->length % PAGE || witness->length > PAGES_A_WITNESS * PAGE)
		return false;
	for (int i = 0; i < SOFTPMU_WITNESSES_FIRST; i++)
		vec_push(&pages, *witness);
	add_pages(tracee, &pages, witness->addr, witness->length / PAGE);
	softpmu_fold(&pages);
	bool agrees = pages.count == SOFTPMU_WITNESSES_FIRST + 1 &&
		      pages.items[SOFTPMU_WITNESSES_FIRST].length == witness->length &&
		      pages.items[SOFTPMU_WITNESSES_FIRST].hash == witness->hash;

	vec_deinit(&pages);
	return agrees;
}

static bool one_agrees(struct tracee *tracee, const struct trace_witness *witness)
{
	char page[PAGE];

	if (!witness->length)
		return softpmu_vector_hash(tracee) == witness->hash;
	if (witness->length > PAGE)
		return pages_agree(tracee, witness);
	return tracee_read(tracee, witness->addr, page, witness->length) == witness->length &&
	       XXH64(page, witness->length, 0) == witness->hash;
}

bool softpmu_agrees(struct tracee *tracee, struct trace_witness *witnesses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (one_agrees(tracee, &witnesses[i]))
			continue;
		struct trace_witness liar = witnesses[i];

		log_info("a place at %#llx with equal registers is not the one: %#llx differs",
			 (unsigned long long)arch.pc(tracee_regs(tracee)),
			 (unsigned long long)liar.addr);
		memmove(witnesses + 1, witnesses, i * sizeof(liar));
		witnesses[0] = liar;
		return false;
	}
	return true;
}

/* Whole, not only what is resident: which pages of a file are mapped already is the kernel's
 * affair. */
static void add_shared(struct tracee *tracee, struct softpmu_witnesses *out)
{
	struct proc_maps maps = {0};

	proc_read_maps(tracee->tid, &maps);
	vec_foreach (&maps, map)
		if (map->shared && (map->prot & PROT_WRITE) && !is_ours(map))
			add_pages(tracee, out, map->start, (map->end - map->start) / PAGE);
	proc_maps_deinit(&maps);
}

/* From the `from`-th witness on. */
static uint64_t hash_memory(struct tracee *tracee, size_t from, uint64_t hash)
{
	static const char zeros[PAGE];
	struct softpmu_witnesses all = {0};
	uint64_t empty = XXH64(zeros, PAGE, 0);

	take(tracee, false, SIZE_MAX, &all);
	add_shared(tracee, &all);
	/* Whether a page of zeros is resident is the kernel's affair. */
	for (size_t i = from; i < all.count; i++)
		if (all.items[i].hash != empty)
			hash = XXH64(&all.items[i], sizeof(all.items[i]), hash);
	vec_deinit(&all);
	return hash;
}

uint64_t softpmu_memory_hash(struct tracee *tracee)
{
	return hash_memory(tracee, SOFTPMU_WITNESSES_FIRST, 0);
}

uint64_t softpmu_state_hash(struct tracee *tracee)
{
	struct regs regs = *tracee_regs(tracee);

	arch.clear_resume(&regs);
	return hash_memory(tracee, 0, XXH64(regs.word, sizeof(regs.word), 0));
}
