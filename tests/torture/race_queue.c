/* Lock-free queues: a bounded one for many producers and consumers, and a ring for one of each; who got what
 * in which order. Full and empty queues are waited for by spinning. */
#include "torture.h"
#include <stdatomic.h>

#define SLOTS 64

struct slot {
	atomic_ulong sequence;
	uint64_t value;
};

static struct slot slots[SLOTS];
static atomic_ulong head, tail, ring_head, ring_tail;
static uint64_t ring[SLOTS], rounds, sums[4], order[4];
static struct seen seen[4];

static bool push(uint64_t value)
{
	unsigned long at = atomic_load_explicit(&tail, memory_order_relaxed);

	for (;;) {
		struct slot *slot = &slots[at % SLOTS];
		long lead = (long)(atomic_load(&slot->sequence) - at);

		if (lead < 0)
			return false;
		if (!lead && atomic_compare_exchange_weak(&tail, &at, at + 1)) {
			slot->value = value;
			atomic_store(&slot->sequence, at + 1);
			return true;
		}
		if (lead > 0)
			at = atomic_load(&tail);
	}
}

static bool pop(uint64_t *value)
{
	unsigned long at = atomic_load_explicit(&head, memory_order_relaxed);

	for (;;) {
		struct slot *slot = &slots[at % SLOTS];
		long lead = (long)(atomic_load(&slot->sequence) - (at + 1));

		if (lead < 0)
			return false;
		if (!lead && atomic_compare_exchange_weak(&head, &at, at + 1)) {
			*value = slot->value;
			atomic_store(&slot->sequence, at + SLOTS);
			return true;
		}
		if (lead > 0)
			at = atomic_load(&head);
	}
}

static void produce(uint64_t me)
{
	for (uint64_t i = 1; i <= rounds; i++) {
		uint64_t failed = 0;

		while (!push(me << 56 | i)) {
			failed++;
			pause_cpu();
		}
		if (failed)
			see(&seen[me], i, failed);
	}
}

static void consume(uint64_t me)
{
	uint64_t value = 0, producer = 0;

	for (uint64_t i = 1; i <= rounds; i++) {
		while (!pop(&value))
			pause_cpu();
		sums[me] += value & 0xffffffffffff;
		order[me] = mix(order[me], value);
		if (value >> 56 != producer)
			see(&seen[me], i, value);
		producer = value >> 56;
	}
}

static void *many(void *number)
{
	uint64_t me = (uintptr_t)number;

	me < 2 ? produce(me) : consume(me);
	return NULL;
}

static void *single(void *number)
{
	for (uint64_t i = 0; i < rounds; i++) {
		if (number) {
			while (atomic_load(&ring_tail) - atomic_load(&ring_head) == SLOTS)
				pause_cpu();
			ring[i % SLOTS] = i * 3;
			atomic_store(&ring_tail, i + 1);
		} else {
			while (atomic_load(&ring_tail) == i)
				pause_cpu();
			sums[0] = mix(sums[0], ring[i % SLOTS]);
			atomic_store(&ring_head, i + 1);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	rounds = sized(argc, argv, 1000);
	for (unsigned long i = 0; i < SLOTS; i++)
		atomic_store(&slots[i].sequence, i);
	run_threads(4, many);
	run_threads(2, single);
	show("same: sum %lu, ring %lx", (unsigned long)(sums[2] + sums[3]), (unsigned long)sums[0]);
	show("orders %lx %lx", (unsigned long)order[2], (unsigned long)order[3]);
	for (unsigned i = 0; i < 4; i++)
		seen_show("thread", i, &seen[i]);
	return done();
}
