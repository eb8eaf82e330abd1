/* libtorture_work.so: functions that several threads are in at once, in a library that is unloaded and
 * loaded again. */
#include <stdint.h>

uint64_t work_loop(uint64_t n, uint64_t x);
uint64_t work_touch(volatile uint64_t *shared, uint64_t n);

uint64_t work_loop(uint64_t n, uint64_t x)
{
	for (uint64_t i = 0; i < n; i++)
		x = (x ^ x >> 31) * 0x7fb5d329728ea185 + i;
	return x;
}

/* Not atomic, on purpose. */
uint64_t work_touch(volatile uint64_t *shared, uint64_t n)
{
	uint64_t surprises = 0;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t before = *shared;

		*shared = before + 1;
		surprises += *shared != before + 1;
	}
	return surprises;
}
