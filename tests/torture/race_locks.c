/* Locks of all kinds around long and short critical sections: adaptive mutexes, spin locks of libc, ticket
 * locks, Peterson's algorithm, a sense-reversing barrier. */
#include "torture.h"
#include <stdatomic.h>

#define THREADS 4

static pthread_mutex_t adaptive = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP;
static pthread_spinlock_t spin;
static atomic_uint next_ticket, serving, arrived, sense;
static atomic_int wants[2], turn;
static uint64_t rounds, total[4];
static struct seen seen[THREADS];
static uint64_t last[4];

static void note(unsigned lock, uint64_t me, uint64_t i)
{
	if (last[lock] != me)
		see(&seen[me], i, lock << 8 | last[lock]);
	last[lock] = me;
	total[lock]++;
}

static void with_mutex(uint64_t me, uint64_t i)
{
	pthread_mutex_lock(&adaptive);
	note(0, me, i);
	for (volatile int k = 0; k < (i % 16 ? 10 : 20000); k++)
		;
	pthread_mutex_unlock(&adaptive);
}

static void with_spin_lock(uint64_t me, uint64_t i)
{
	pthread_spin_lock(&spin);
	note(1, me, i);
	pthread_spin_unlock(&spin);
}

static void with_ticket(uint64_t me, uint64_t i)
{
	unsigned mine = atomic_fetch_add(&next_ticket, 1);

	while (atomic_load(&serving) != mine)
		pause_cpu();
	note(2, me, i);
	atomic_store(&serving, mine + 1);
}

static void with_peterson(uint64_t me, uint64_t i)
{
	atomic_store(&wants[me], 1);
	atomic_store(&turn, !me);
	while (atomic_load(&wants[!me]) && atomic_load(&turn) == (int)!me)
		;
	note(3, me, i);
	atomic_store(&wants[me], 0);
}

static void barrier(unsigned *my_sense)
{
	*my_sense = !*my_sense;
	if (atomic_fetch_add(&arrived, 1) == THREADS - 1) {
		atomic_store(&arrived, 0);
		atomic_store(&sense, *my_sense);
	} else {
		while (atomic_load(&sense) != *my_sense)
			pause_cpu();
	}
}

static void *work(void *number)
{
	uint64_t me = (uintptr_t)number, x = me + 1;
	unsigned my_sense = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		for (uint64_t k = 0; k < next_random(&x) % 2000; k++)
			__asm__ volatile("");
		with_mutex(me, i);
		with_spin_lock(me, i);
		if (i % 1000 == 0)
			with_ticket(me, i);
		if (me < 2)
			with_peterson(me, i);
		if (i % (rounds / 4 + 1) == 0)
			barrier(&my_sense);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	rounds = sized(argc, argv, 40000);
	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	run_threads(THREADS, work);
	show("same: %lu %lu %lu %lu", (unsigned long)total[0], (unsigned long)total[1],
	     (unsigned long)total[2], (unsigned long)total[3]);
	expect(total[0] == THREADS * rounds && total[1] == THREADS * rounds &&
		       total[3] == 2 * rounds,
	       "nothing was counted twice or lost");
	for (unsigned i = 0; i < THREADS; i++)
		seen_show("thread", i, &seen[i]);
	return done();
}
