/* A planted bug for `record --chaos`: a missed wakeup. The consumer looks whether there is work, makes a
 * note in its statistics, and goes to sleep; work that comes in between wakes nobody, and the producer waits
 * until it is taken. Both stay on one core. Ends with 1 when the consumer slept although there was work. */
#include "torture.h"
#include <errno.h>
#include <linux/futex.h>
#include <time.h>

#define ITEMS 10

static volatile unsigned available, taken, bell;
static volatile uint64_t statistics;
static volatile int missed;

static __attribute__((noinline)) uint64_t compute(unsigned n)
{
	uint64_t x = n + 1;

	for (unsigned i = 0; i < n; i++)
		next_random(&x);
	return x;
}

static int sleep_while(volatile unsigned *word, unsigned value)
{
	struct timespec patience = {1, 0};

	return syscall(SYS_futex, word, FUTEX_WAIT, value, &patience, NULL, 0) ? errno : 0;
}

static void wake(volatile unsigned *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void *consume(void *unused)
{
	while (taken < ITEMS && !missed) {
		if (available == taken) {
			statistics += compute(15); /* here the bell may ring unheard */
			missed = sleep_while(&bell, bell) == ETIMEDOUT && available != taken;
			continue;
		}
		taken = taken + 1;
		wake(&taken);
		statistics += compute(100);
	}
	return NULL;
}

static void *produce(void *unused)
{
	for (unsigned i = 0; i < ITEMS && !missed; i++) {
		statistics += compute(150);
		available = i + 1;
		bell = bell + 1;
		wake(&bell);
		for (unsigned seen = taken; seen <= i && !missed; seen = taken)
			sleep_while(&taken, seen);
	}
	return NULL;
}

static void *either(void *number)
{
	return number ? produce(NULL) : consume(NULL);
}

int main(int argc, char **argv)
{
	stay_on_one_core();
	run_threads(2, either);
	if (!missed)
		return 0;
	show("a wakeup was missed: %u items are there, the consumer slept", available);
	return 1;
}
