/* A planted bug for `record --chaos`: two threads add to a balance a few times without a lock. What is
 * between reading and writing it takes some ten nanoseconds. Both stay on one core, where they run one
 * after the other, unless one is preempted at the wrong place. Ends with 1 when an update was lost. */
#include "torture.h"

#define UPDATES 10

static volatile long balance;

static __attribute__((noinline)) long interest(long amount)
{
	uint64_t x = (uint64_t)amount + 1;

	for (int i = 0; i < 12; i++)
		next_random(&x);
	return x ? 1 : 0;
}

static __attribute__((noinline)) uint64_t other_work(uint64_t x)
{
	for (int i = 0; i < 40; i++)
		next_random(&x);
	return x;
}

static void *earn(void *number)
{
	volatile uint64_t x = (uintptr_t)number + 1;

	for (int i = 0; i < UPDATES; i++) {
		x = other_work(x);
		long before = balance;

		balance = before + interest(before);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	stay_on_one_core();
	run_threads(2, earn);
	if (balance == 2 * UPDATES)
		return 0;
	show("an update was lost: the balance is %ld, not %d", balance, 2 * UPDATES);
	return 1;
}
