/* A planted bug for `record --chaos`: a missed wakeup. The consumer looks whether there is work, makes a
 * note in its statistics, and goes to sleep; work that comes in between wakes nobody. Both stay on one
 * core. Ends with 1 when the consumer slept although there was work. */
#include "torture.h"
#include <errno.h>
#include <linux/futex.h>
#include <time.h>

#define ITEMS 10

static volatile unsigned available, bell;
static volatile uint64_t statistics;
static volatile int missed;

static __attribute__((noinline)) uint64_t compute(unsigned n)
{
	uint64_t x = n + 1;

	for (unsigned i = 0; i < n; i++)
		next_random(&x);
	return x;
}

static void wait_for_bell(void)
{
	struct timespec patience = {3, 0};
	unsigned heard = bell;

	if (syscall(SYS_futex, &bell, FUTEX_WAIT, heard, &patience, NULL, 0) == -1 &&
	    errno == ETIMEDOUT)
		missed = 1;
}

static void *consume(void *unused)
{
	for (unsigned taken = 0; taken < ITEMS && !missed;) {
		if (available == taken) {
			statistics += compute(200); /* here the bell may ring unheard */
			wait_for_bell();
			continue;
		}
		taken++;
		statistics += compute(3000);
	}
	return NULL;
}

static void *produce(void *unused)
{
	for (unsigned i = 0; i < ITEMS && !missed; i++) {
		statistics += compute(5000);
		available = i + 1;
		bell = bell + 1;
		syscall(SYS_futex, &bell, FUTEX_WAKE, 1, NULL, NULL, 0);
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
