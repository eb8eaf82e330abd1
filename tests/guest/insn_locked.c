/* Locked and wide instructions: cmpxchg16b, xadd, bts, xchg, from several threads. */
#include "guest_task.h"
#include <pthread.h>

#define THREADS 4
#define ROUNDS	500

static struct {
	uint64_t low;
	uint64_t high;
} pair __attribute__((aligned(16)));
static uint64_t added;
static uint32_t bits[64];
static int retries;

static bool swap16(uint64_t *low, uint64_t *high, uint64_t new_low, uint64_t new_high)
{
	bool ok;
	__asm__ volatile("lock cmpxchg16b %1\n\tsete %0"
			 : "=q"(ok), "+m"(pair), "+a"(*low), "+d"(*high)
			 : "b"(new_low), "c"(new_high)
			 : "memory", "cc");
	return ok;
}

static void *body(void *arg)
{
	int self = (int)(intptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t low = 0, high = 0, one = 1;
		/* Fails with the values there, then tries with them. */
		while (!swap16(&low, &high, low + 1, high + (uint64_t)self))
			__atomic_fetch_add(&retries, 1, __ATOMIC_RELAXED);
		__asm__ volatile("lock xaddq %0, %1" : "+r"(one), "+m"(added) : : "memory", "cc");
		uint64_t bit = (uint64_t)(self * ROUNDS + i) % 2048;
		__asm__ volatile("lock btsq %1, %0" : "+m"(bits) : "r"(bit) : "memory", "cc");
		if (i % 64 == 0)
			sched_yield();
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	int set = 0;

	for (intptr_t i = 0; i < THREADS; i++)
		need_zero(pthread_create(&threads[i], NULL, body, (void *)i));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	expect_eq_long((long)pair.low, THREADS * ROUNDS, "low half");
	expect_eq_long((long)pair.high, ROUNDS * 6, "high half");
	expect_eq_long((long)added, THREADS * ROUNDS, "xadd");
	for (int i = 0; i < 64; i++)
		set += __builtin_popcount(bits[i]);
	expect_eq_long(set, THREADS * ROUNDS, "bits set");
	show("%d retries", retries);
	uint32_t word = 1, other = 2;
	__asm__ volatile("xchgl %0, %1" : "+r"(word), "+m"(other) : : "memory");
	expect(word == 2 && other == 1, "xchg");
	return done();
}
