/* Helpers for torture guests: programs that are interrupted or preempted while they compute, and print
 * all that would show a replay that went another way. They stand on tests/guest/guest.h.
 *
 * A line that begins with "same:" depends on nothing but the size: it has to be the same natively,
 * recorded and replayed. All other lines depend on where exactly signals and preemptions hit: a
 * replay has to print what its recording printed.
 *
 * Lines in a guest's header comment that the runner (torture.py) reads:
 *	torture: size N		size in percent for `make check`, where 20 is too much or too little
 *	torture: stops		a process that is not recorded stops and continues it at random
 *	torture: beside		it needs libtorture_work.so beside it
 *	torture: record OPTION	an option of `warp record` that it needs
 *	torture: limit N	seconds that one run may take (60)
 */
#ifndef TORTURE_H
#define TORTURE_H

#include "../guest/guest.h"
#include <pthread.h>
#include <sched.h>
#include <sys/time.h>
#include <ucontext.h>

/* The first argument is the size in percent of what the program would do by itself. */
GUEST_UNUSED static uint64_t sized(int argc, char **argv, uint64_t full)
{
	uint64_t size = full * (argc > 1 ? strtoull(argv[1], NULL, 10) : 100) / 100;

	return size ? size : 1;
}

GUEST_UNUSED static inline uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15;
	return hash ^ hash >> 29;
}

GUEST_UNUSED static inline uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

/* ---- what handlers saw ---- */

#define TICKS_KEPT 1000

struct tick {
	int signal;
	uint64_t progress, pc, registers, vectors, memory;
};

static struct tick tick_list[TICKS_KEPT];
static unsigned tick_count;
/* How far the program is; and memory that it works on. Looked at by every handler. */
static volatile uint64_t progress;
static const void *volatile watched;
static volatile size_t watched_length;

GUEST_UNUSED static void tick_note(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *u = context;
	unsigned at = __atomic_fetch_add(&tick_count, 1, __ATOMIC_RELAXED);
	struct tick tick = {.signal = signal, .progress = progress};

	tick.pc = (uint64_t)u->uc_mcontext.gregs[REG_RIP];
	tick.registers = hash_bytes(u->uc_mcontext.gregs, sizeof(u->uc_mcontext.gregs));
	if (u->uc_mcontext.fpregs)
		tick.vectors = hash_bytes(u->uc_mcontext.fpregs, 416);
	tick.memory = watched ? hash_bytes((const void *)watched, watched_length) : 0;
	if (at < TICKS_KEPT)
		tick_list[at] = tick;
}

GUEST_UNUSED static void tick_handle(int signal, int flags,
				     void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

	need(sigaction(signal, &act, NULL));
}

GUEST_UNUSED static void tick_timer(int which, long usec)
{
	struct itimerval timer = {{0, usec}, {0, usec}};

	need(setitimer(which, &timer, NULL));
}

/* A SIGALRM every `usec`, noted. */
GUEST_UNUSED static void tick_start(long usec)
{
	tick_handle(SIGALRM, SA_RESTART, tick_note);
	tick_timer(ITIMER_REAL, usec);
}

GUEST_UNUSED static void tick_stop(void)
{
	tick_timer(ITIMER_REAL, 0);
	tick_timer(ITIMER_PROF, 0);
	tick_timer(ITIMER_VIRTUAL, 0);
}

GUEST_UNUSED static void tick_show(void)
{
	unsigned kept = tick_count < TICKS_KEPT ? tick_count : TICKS_KEPT;

	show("%u signals", tick_count);
	for (unsigned i = 0; i < kept; i++) {
		const struct tick *t = &tick_list[i];

		show("%u: signal %d at %lx, progress %lu, registers %lx %lx, memory %lx", i,
		     t->signal, (unsigned long)t->pc, (unsigned long)t->progress,
		     (unsigned long)t->registers, (unsigned long)t->vectors,
		     (unsigned long)t->memory);
	}
}

/* ---- threads ---- */

/* What one thread saw of the others: a hash of all, the first ones whole. */
#define SEEN_KEPT 100

struct seen {
	uint64_t hash, count;
	uint64_t when[SEEN_KEPT], what[SEEN_KEPT];
};

GUEST_UNUSED static inline void see(struct seen *seen, uint64_t when, uint64_t what)
{
	if (seen->count < SEEN_KEPT) {
		seen->when[seen->count] = when;
		seen->what[seen->count] = what;
	}
	seen->count++;
	seen->hash = mix(mix(seen->hash, when), what);
}

GUEST_UNUSED static void seen_show(const char *who, unsigned number, const struct seen *seen)
{
	uint64_t kept = seen->count < SEEN_KEPT ? seen->count : SEEN_KEPT;

	show("%s %u saw %lu changes, %lx", who, number, (unsigned long)seen->count,
	     (unsigned long)seen->hash);
	for (uint64_t i = 0; i < kept; i++)
		show("%s %u at %lu: %lx", who, number, (unsigned long)seen->when[i],
		     (unsigned long)seen->what[i]);
}

#define THREADS_MAX 16

/* Runs `count` threads of function(number) to their end. */
GUEST_UNUSED static void run_threads(unsigned count, void *(*function)(void *))
{
	pthread_t threads[THREADS_MAX];

	for (unsigned i = 0; i < count; i++)
		if (pthread_create(&threads[i], NULL, function, (void *)(uintptr_t)i))
			expect(false, "thread %u could not be made", i);
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

/* From now on this process runs on one core only, as all do when they are recorded. */
GUEST_UNUSED static void stay_on_one_core(void)
{
	cpu_set_t set, one;

	CPU_ZERO(&one);
	need(sched_getaffinity(0, sizeof(set), &set));
	for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
		if (CPU_ISSET(cpu, &set))
			CPU_SET(cpu, &one);
	need(sched_setaffinity(0, sizeof(one), &one));
}

GUEST_UNUSED static inline void pause_cpu(void)
{
	__builtin_ia32_pause();
}

#endif
