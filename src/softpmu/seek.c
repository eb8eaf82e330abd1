/* Replaying side: running until the state is that of a recorded place.
 *
 * An exact place is run to by the counter of the sites, then stepped to. Where a state is searched
 * for, a breakpoint register finds the first few visits of the place's instruction; if they come
 * often, a stub is mapped near it, the instruction is replaced by a jump there, and the stub
 * compares all general registers at full speed. The registers that changed between the visits seen
 * are compared first. Visits are counted, so that the next replay finds the place by their number.
 * Everything is undone before the functions return. */
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "softpmu/guard.h"
#include "softpmu/softpmu.h"
#include "softpmu/step.h"
#include "util/log.h"

#define PAGE 4096ull
/* Visits seen by the breakpoint register before a stub is worth its price. */
#define VISITS 12
/* The same where the program has changed its code meanwhile. */
#define VISITS_AGAIN 3

/* In the data page: words for the stub, and the visits that it counts. */
#define SCRATCH (WARP_DATA_PAGE + 0x800)
#define COUNTER (WARP_DATA_PAGE + 0x820)

struct seek {
	struct tracee *tracee;
	const struct softpmu_probes *probes;
	struct softpmu_target *target;
	taddr pc, real; /* of the target; in the copy of another site, if it is inside that */
	taddr pages;	/* of the stub; 0: none */
	uint64_t pages_length;
	struct arch_stub stub;
	uint8_t saved[2 * ARCH_WINDOW_MAX]; /* bytes under the jump */
	struct regs visits[VISITS];
	uint64_t seen;	 /* visits, but for those that the stub in place has counted */
	uint64_t left;	 /* the same backwards, where they are counted */
	unsigned lately; /* by the breakpoint register since it was set */
	bool changes;	 /* the program can write the code */
	struct softpmu_guard guard;
};

/* The tracee's registers, as they are compared. */
static struct regs present(struct tracee *tracee)
{
	struct regs regs = *tracee_regs(tracee);

	arch.clear_resume(&regs);
	return regs;
}

/* Runs to the next stop that is not from outside. */
static int run(struct tracee *tracee, const struct softpmu_target *target)
{
	const struct softpmu_waiter *waiter = target->waiter;
	int status;

	do {
		tracee_resume(tracee, PTRACE_SYSEMU, 0);
		status = waiter ? waiter->wait(waiter->context, tracee)
				: tracee_trap_first(tracee, tracee_wait(tracee, 0));
	} while (waiter && !tracee->gone && waiter->is_foreign(waiter->context, tracee, status));
	return status;
}

/* Is the stopped tracee, whose program counter is as the program knows it, at the target? */
static bool at_target(struct seek *k)
{
	struct regs regs = present(k->tracee);

	if (memcmp(regs.word, k->target->regs.word, sizeof(regs.word)) ||
	    !softpmu_agrees(k->tracee, k->target->witnesses, k->target->count))
		return false;
	tracee_set_regs(k->tracee, &regs);
	return true;
}

/* ---- the stub ---- */

/* Those that changed between visits first: one comparison then decides nearly always. */
static void order_registers(const struct seek *k, uint8_t order[TRACE_REGS])
{
	unsigned changes[TRACE_REGS] = {0};

	for (int r = 0; r < TRACE_REGS; r++) {
		order[r] = (uint8_t)r;
		for (unsigned i = 1; i < VISITS && i < k->seen; i++)
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

/* The first word in which memory differs from what it is at the place; false if there is none. */
static bool find_difference(struct tracee *tracee, const struct softpmu_contents *memory,
			    struct arch_word *out)
{
	uint8_t now[PAGE];

	for (uint64_t at = 0; at < memory->length; at += sizeof(now)) {
		uint64_t left = memory->length - at;
		size_t want = left < sizeof(now) ? left : sizeof(now);
		size_t got = tracee_read(tracee, memory->addr + at, now, want);

		for (size_t i = 0; i + 8 <= got; i += 8) {
			if (!memcmp(now + i, memory->bytes + at + i, 8))
				continue;
			out->addr = memory->addr + at + i;
			memcpy(&out->value, memory->bytes + at + i, 8);
			return true;
		}
		if (got != want)
			return false;
	}
	return false;
}

/* A false visit: all registers are equal. A word of memory that differs joins the comparison, so
 * that the stub does not trap for the same reason again. */
static void learn_word(struct seek *k)
{
	const struct softpmu_target *target = k->target;

	if (k->stub.word_count == ARCH_STUB_WORDS)
		return;
	for (size_t i = 0; i < target->contents_count; i++)
		if (find_difference(k->tracee, &target->contents[i],
				    &k->stub.words[k->stub.word_count])) {
			k->stub.word_count++;
			write_stub(k);
			return;
		}
}

/* The program's code, also in shared mappings that it executes at one address and writes at
 * another: those the kernel lets nobody write (check_vma_flags() in mm/gup.c), so they become
 * writable. */
static bool write_code(struct tracee *tracee, taddr at, const uint8_t *bytes, size_t length)
{
	taddr page = at & ~(PAGE - 1);
	uint64_t size = ((at + length - 1) & ~(PAGE - 1)) + PAGE - page;

	if (tracee_write(tracee, at, bytes, length) == length)
		return true;
	if (tracee_callv(tracee, SYS_mprotect, page, size, PROT_READ | PROT_WRITE | PROT_EXEC))
		return false;
	size_t written = tracee_write(tracee, at, bytes, length);

	tracee_callv(tracee, SYS_mprotect, page, size, PROT_READ | PROT_EXEC);
	return written == length;
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

static bool write_jump(struct seek *k)
{
	uint8_t jump[ARCH_WINDOW_MAX];

	arch.make_jump(jump, k->pc, k->stub.at, k->stub.length);
	return write_code(k->tracee, k->pc, jump, k->stub.length);
}

static bool install(struct seek *k, bool (*write)(struct seek *k))
{
	size_t got = tracee_read(k->tracee, k->pc, k->saved, sizeof(k->saved));
	unsigned length = arch.window(k->saved, got);
	taddr at = 0;

	if (length && length <= ARCH_WINDOW_MAX &&
	    !softpmu_probe_over(k->probes, k->pc, k->pc + length) &&
	    !softpmu_is_overlapped(k->tracee, k->pc))
		at = softpmu_find_room(k->tracee, k->pc, arch.window_starts(k->saved, length));
	if (!at || !map_pages(k, at))
		return false;
	k->stub.at = at;
	k->stub.pc = k->pc;
	k->stub.window = k->saved;
	k->stub.length = length;
	k->stub.known = softpmu_known_behind(k->probes, k->pc, length, got);
	k->stub.scratch = SCRATCH;
	k->stub.counter = COUNTER;
	return write(k) && write_jump(k) &&
	       (!k->changes || softpmu_guard(k->tracee, &k->guard, k->pc, k->pc + length));
}

static bool in_stub(const struct seek *k)
{
	return arch.pc(tracee_regs(k->tracee)) - k->pages < k->pages_length;
}

/* Where it stands in the copies of the program's instructions, or at the stub's trap: as if it were
 * at the program's own. */
static bool leave_copies(struct seek *k)
{
	taddr pc = arch.pc(tracee_regs(k->tracee));
	unsigned offset = 0;

	if (pc != k->stub.trapped && pc != k->stub.trapped - arch.break_size &&
	    !softpmu_find_copy(k->stub.copies, k->stub.length, pc, &offset))
		return false;
	arch.set_pc(tracee_regs_mut(k->tracee), k->pc + offset);
	return true;
}

/* Something else (a watchpoint, an interrupt) may have stopped it inside. */
static void leave_stub(struct seek *k)
{
	while (!k->tracee->gone && in_stub(k) && !leave_copies(k)) {
		tracee_resume(k->tracee, PTRACE_SYSEMU_SINGLESTEP, 0);
		tracee_wait(k->tracee, 0);
	}
}

static void uninstall(struct seek *k)
{
	if (!k->pages || k->tracee->gone)
		return;
	leave_stub(k);
	if (k->tracee->gone)
		return;
	softpmu_unguard(k->tracee, &k->guard);
	write_code(k->tracee, k->pc, k->saved, k->stub.length);
	tracee_callv(k->tracee, SYS_munmap, k->pages, k->pages_length);
	k->pages = 0;
}

static uint64_t read_count(struct seek *k)
{
	uint64_t count = 0;

	tracee_read(k->tracee, COUNTER, &count, sizeof(count));
	return count;
}

/* The stub instead of the breakpoint register, if it can be had. */
static void change_to_stub(struct seek *k, uint64_t count, bool (*write)(struct seek *k))
{
	if (k->target->keep_code)
		return;
	tracee_write(k->tracee, COUNTER, &count, sizeof(count));
	if (install(k, write))
		tracee_break_at(k->tracee, 0);
	else
		uninstall(k); /* half done: the breakpoint goes on */
}

/* The program writes to the pages of the changed code: the stub is taken out, and comes again after
 * some visits of what the program has written. */
static void give_way(struct seek *k)
{
	if (k->target->visits)
		k->left = read_count(k);
	else
		k->seen += read_count(k);
	uninstall(k);
	tracee_break_at(k->tracee, k->pc);
	k->lately = VISITS - VISITS_AGAIN;
}

/* ---- the search ---- */

/* The stub has trapped, or the program has jumped into the window: the program counter is put where
 * the program believes it is, or into the copy. Returns true for a visit. */
static bool sort_out_trap(struct seek *k, int signal)
{
	taddr pc = arch.pc(tracee_regs(k->tracee));

	if (softpmu_sort_stop(k->tracee, k->probes, signal) == SOFTPMU_STOP_WINDOW)
		return false;
	if (!k->pages)
		return pc == k->real && tracee_is_at_break(k->tracee); /* not a watchpoint's */
	if (pc == k->stub.trapped) {
		arch.set_pc(tracee_regs_mut(k->tracee), k->pc);
		softpmu_clear_shadow(k->tracee, k->probes);
		return true;
	}
	taddr offset = pc - k->pc - (signal == SIGTRAP); /* a trap is reported behind itself */

	if (offset < k->stub.length && k->stub.copies[offset])
		arch.set_pc(tracee_regs_mut(k->tracee), k->stub.copies[offset]);
	return false;
}

static bool is_guards_fault(struct seek *k, int signal)
{
	siginfo_t info;

	return signal == SIGSEGV && k->guard.count && tracee_get_siginfo(k->tracee, &info) &&
	       info.si_code == SEGV_ACCERR &&
	       softpmu_guards(&k->guard, (taddr)(uintptr_t)info.si_addr);
}

/* Runs to the next visit. Returns false at any other stop. */
static bool run_to_visit(struct seek *k, int *status)
{
	taddr before = 0;

	for (;;) {
		*status = run(k->tracee, k->target);
		int signal = WSTOPSIG(*status);

		if (k->tracee->gone || tracee_event(*status))
			return false;
		if (is_guards_fault(k, signal)) {
			give_way(k);
			continue;
		}
		if (signal != SIGTRAP && signal != SIGILL)
			return false;
		before = arch.pc(tracee_regs(k->tracee));
		if (sort_out_trap(k, signal))
			return true;
		if (arch.pc(tracee_regs(k->tracee)) == before)
			return false; /* a trap of the program's own */
	}
}

/* The same from a visit. */
static bool next_visit(struct seek *k, int *status)
{
	if (k->pages && arch.pc(tracee_regs(k->tracee)) == k->pc)
		arch.set_pc(tracee_regs_mut(k->tracee), k->stub.copies[0]);
	else
		softpmu_enter_copy(k->tracee, k->probes, arch.pc(tracee_regs(k->tracee)));
	return run_to_visit(k, status);
}

/* Memory that is compared is as the program knows it. Code that the program cannot write is no
 * witness. */
static void hide_jump(struct seek *k)
{
	if (k->pages && k->changes)
		write_code(k->tracee, k->pc, k->saved, k->stub.length);
}

static void show_jump(struct seek *k)
{
	if (k->pages && k->changes)
		write_jump(k);
}

static enum softpmu_result search(struct seek *k, int *status)
{
	tracee_break_at(k->tracee, k->real);
	while (next_visit(k, status)) {
		hide_jump(k);
		if (at_target(k)) {
			k->target->visits = k->seen + (k->pages ? read_count(k) : 1);
			return SOFTPMU_FOUND;
		}
		if (k->pages) {
			learn_word(k);
			show_jump(k);
			continue;
		}
		k->visits[k->seen++ % VISITS] = *tracee_regs(k->tracee);
		if (++k->lately == VISITS)
			change_to_stub(k, 0, write_stub);
	}
	return SOFTPMU_STOPPED;
}

/* ---- by the number of visits ---- */

static bool write_counting_stub(struct seek *k)
{
	uint8_t code[PAGE];
	size_t size = arch.count_stub(&k->stub, code, sizeof(code));

	return size && tracee_write(k->tracee, k->stub.at, code, size) == size;
}

/* To visit number target->visits. With a breakpoint register where the instruction cannot be
 * replaced; in code that changes, that shows first that it is an instruction. */
static enum softpmu_result count_visits(struct seek *k, int *status)
{
	k->left = k->target->visits;
	tracee_break_at(k->tracee, k->real);
	if (!k->changes)
		change_to_stub(k, k->left, write_counting_stub);
	/* The first pass goes through the jump: where the tracee stands is a visit. */
	bool visit = run_to_visit(k, status);

	while (visit && !k->pages && --k->left) {
		if (++k->lately == VISITS)
			change_to_stub(k, k->left, write_counting_stub);
		visit = next_visit(k, status);
	}
	if (!visit)
		return SOFTPMU_STOPPED;
	hide_jump(k);
	return at_target(k) ? SOFTPMU_FOUND : SOFTPMU_OTHER;
}

static enum softpmu_result seek_state(struct tracee *tracee, const struct softpmu_probes *probes,
				      struct softpmu_target *target, int *status)
{
	struct seek k = {
		.tracee = tracee, .probes = probes, .target = target, .pc = arch.pc(&target->regs)};
	enum softpmu_result result;

	k.real = softpmu_real_place(probes, k.pc);
	k.changes = !target->is_fixed && softpmu_code_changes(tracee, k.pc);
	if (!target->visits && at_target(&k))
		return SOFTPMU_FOUND;
	result = target->visits ? count_visits(&k, status) : search(&k, status);
	if (!tracee->gone)
		tracee_break_at(tracee, 0);
	uninstall(&k);
	return result;
}

/* ---- exact places ---- */

static bool run_to_hit(struct tracee *tracee, const struct softpmu_probes *probes,
		       const struct softpmu_target *target, int *status)
{
	for (;;) {
		*status = run(tracee, target);
		if (tracee->gone || tracee_event(*status))
			return false;
		switch (softpmu_sort_stop(tracee, probes, WSTOPSIG(*status))) {
		case SOFTPMU_STOP_HIT:
			return true;
		case SOFTPMU_STOP_WINDOW:
			break;
		case SOFTPMU_STOP_OTHER:
			return false;
		}
	}
}

/* To where the place's sites have been passed; *moved: some had to be. */
static enum softpmu_result seek_hits(struct tracee *tracee, struct softpmu_probes *probes,
				     struct softpmu_counter *counter,
				     const struct softpmu_target *target, bool *moved, int *status)
{
	uint64_t hits = target->place.hits;

	*moved = hits != softpmu_read(tracee, probes, counter);
	if (!*moved)
		return SOFTPMU_FOUND;
	if (hits < counter->total || !probes->sites.count)
		return SOFTPMU_OTHER;
	softpmu_arm(tracee, probes, counter, hits);
	bool hit = run_to_hit(tracee, probes, target, status);

	softpmu_arm(tracee, probes, counter, 0);
	return hit ? SOFTPMU_FOUND : SOFTPMU_STOPPED;
}

static enum softpmu_result verify(struct tracee *tracee, const struct softpmu_target *target)
{
	struct regs regs = present(tracee);

	if (memcmp(regs.word, target->regs.word, sizeof(regs.word)) ||
	    softpmu_vector_hash(tracee) != target->place.vector_hash)
		return SOFTPMU_OTHER;
	tracee_set_regs(tracee, &regs);
	return SOFTPMU_FOUND;
}

static enum softpmu_result pass_steps(struct tracee *tracee, const struct softpmu_probes *probes,
				      const struct softpmu_target *target, int *status)
{
	const struct softpmu_waiter *waiter = target->waiter;
	enum softpmu_result result = SOFTPMU_FOUND;

	for (unsigned i = 0; i < target->place.steps && result == SOFTPMU_FOUND;) {
		result = softpmu_step(tracee, probes, status);
		if (result == SOFTPMU_STOPPED && waiter && !tracee->gone &&
		    waiter->is_foreign(waiter->context, tracee, *status))
			result = SOFTPMU_FOUND; /* it came before the step */
		else
			i++;
	}
	return result;
}

enum softpmu_result softpmu_seek(struct tracee *tracee, struct softpmu_probes *probes,
				 struct softpmu_counter *counter, struct softpmu_target *target,
				 int *status)
{
	bool moved = false;
	enum softpmu_result result = seek_hits(tracee, probes, counter, target, &moved, status);

	if (result != SOFTPMU_FOUND)
		return result;
	if (target->place.kind == TRACE_PLACE_STATE)
		return seek_state(tracee, probes, target, status);
	if (moved)
		softpmu_stand_at_site(tracee, probes);
	result = pass_steps(tracee, probes, target, status);
	softpmu_clear_shadow(tracee, probes);
	return result == SOFTPMU_FOUND ? verify(tracee, target) : result;
}
