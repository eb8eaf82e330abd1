/* Recording side, where no sites may be made: on to an instruction that the thread passes seldom.
 *
 * A replay finds such a place with a breakpoint register, which costs it a stop each time the
 * instruction is passed: at the head of a hot loop that is thousands of times slower than the loop.
 * So what comes behind the loops and calls that the thread is in is tried first, with a breakpoint
 * register for each: the last of them to be reached is the one that is passed most seldom.
 *
 * Invariant: no breakpoint register is set when the function returns. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "softpmu/softpmu.h"
#include "softpmu/step.h"
#include "tracee/procfs.h"

/* Breakpoint registers; how many of them are for the ends of loops. */
#define SLOTS	    4u
#define LOOPS	    2u
#define STACK_WORDS 256
#define AHEAD	    2048
/* How long what has not been reached is waited for, and looked after how often. */
#define PATIENCE_NS 1000000ull
/* The same while none was: a place in the middle of a hot loop costs a replay more than anything
 * else. */
#define PATIENCE_NONE_NS 50000000ull
#define LOOK_NS		 30000

struct rare {
	struct tracee *tracee;
	struct proc_maps maps;
	taddr at[SLOTS]; /* 0: none, or reached already */
	unsigned count;
	uint64_t since_ns, until_ns;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

/* ---- where to ---- */

static bool is_code(const struct rare *r, taddr pc)
{
	vec_foreach (&r->maps, map)
		if (pc >= map->start && pc < map->end)
			return map->prot & PROT_EXEC;
	return false;
}

static void add(struct rare *r, taddr pc)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->at[i] == pc)
			return;
	if (r->count < SLOTS)
		r->at[r->count++] = pc;
}

/* Behind the loops around the program counter, the outermost last. */
static void add_loops(struct rare *r)
{
	taddr pc = arch.pc(tracee_regs(r->tracee)), outermost = pc + 1;
	uint8_t code[AHEAD];
	size_t got = tracee_read(r->tracee, pc, code, sizeof(code));
	unsigned length = 0;

	for (size_t at = 0; at < got && r->count < LOOPS; at += length) {
		taddr to = 0;

		if (!arch.branch(code + at, got - at, pc + at, &length, &to))
			return;
		if (!to || to >= outermost || pc - to > AHEAD)
			continue;
		outermost = to;
		add(r, pc + at + length);
	}
}

static void add_callers(struct rare *r)
{
	taddr words[STACK_WORDS], sp = arch.sp(tracee_regs(r->tracee)) & ~7ull;
	size_t got = tracee_read(r->tracee, sp, words, sizeof(words)) / sizeof(*words);

	for (size_t i = 0; i < got && r->count < SLOTS; i++)
		if (is_code(r, words[i]) && softpmu_is_behind_call(r->tracee, words[i]))
			add(r, words[i]);
}

/* ---- there ---- */

static void set(struct rare *r, unsigned slot, taddr at)
{
	tracee_set_debug(r->tracee, slot, at ? ARCH_DEBUG_EXECUTE : ARCH_DEBUG_OFF, at, 1);
}

/* The status of the next stop; an interrupt's when the time is over. */
static int run(struct rare *r, int how)
{
	const struct timespec look = {0, LOOK_NS};

	tracee_resume(r->tracee, how, 0);
	for (;;) {
		int status = tracee_wait_once(r->tracee, WNOHANG);

		if (status || r->tracee->gone)
			return status;
		if (now_ns() >= r->until_ns)
			break;
		nanosleep(&look, NULL);
	}
	tracee_interrupt(r->tracee);
	return tracee_trap_first(r->tracee, tracee_wait(r->tracee, 0));
}

/* The slot whose breakpoint was reached; SLOTS: another stop. */
static unsigned reached(struct rare *r, int status)
{
	unsigned slot = 0;
	siginfo_t info;

	if (r->tracee->gone || tracee_event(status) || WSTOPSIG(status) != SIGTRAP ||
	    !tracee_get_siginfo(r->tracee, &info) || info.si_code != TRAP_HWBKPT)
		return SLOTS;
	while (slot < SLOTS && r->at[slot] != arch.pc(tracee_regs(r->tracee)))
		slot++;
	return slot;
}

/* Until all were reached (returns true) or another stop; *last is the one reached last. */
static bool run_to_all(struct rare *r, int how, taddr *last, int *status)
{
	for (unsigned left = r->count; left; left--) {
		r->until_ns = r->since_ns + (*last ? PATIENCE_NS : PATIENCE_NONE_NS);
		*status = run(r, how);
		unsigned slot = reached(r, *status);

		if (slot == SLOTS)
			return false;
		*last = r->at[slot];
		set(r, slot, 0);
		r->at[slot] = 0;
	}
	return true;
}

/* What was reached before may be so again; or, better, one of the others. */
static bool run_again(struct rare *r, int how, taddr to, int *status)
{
	r->at[0] = to;
	r->until_ns = now_ns() + PATIENCE_NONE_NS;
	set(r, 0, to);
	*status = run(r, how);
	return reached(r, *status) != SLOTS;
}

static bool time_is_over(struct rare *r, int status)
{
	if (r->tracee->gone || tracee_event(status) != PTRACE_EVENT_STOP ||
	    WSTOPSIG(status) != SIGTRAP)
		return false;
	r->tracee->interrupted = false;
	return true;
}

enum softpmu_result softpmu_go_where_rare(struct tracee *tracee, int how, int *status)
{
	struct rare r = {.tracee = tracee, .since_ns = now_ns()};
	taddr last = 0;

	proc_read_maps(tracee->tid, &r.maps);
	add_loops(&r);
	add_callers(&r);
	proc_maps_deinit(&r.maps);
	for (unsigned i = 0; i < r.count; i++)
		set(&r, i, r.at[i]);
	bool there = run_to_all(&r, how, &last, status);

	if (!there && last && time_is_over(&r, *status))
		there = run_again(&r, how, last, status);
	for (unsigned i = 0; i < SLOTS && !tracee->gone; i++)
		set(&r, i, 0);
	if (!there && !time_is_over(&r, *status))
		return SOFTPMU_STOPPED;
	arch.clear_resume(tracee_regs_mut(tracee));
	return SOFTPMU_FOUND;
}
