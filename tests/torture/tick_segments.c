/* 1 ms timer signals into code that uses both segment bases for itself: thread-local memory at fs and
 * memory of its own at gs. */
#include "torture.h"
#include <asm/prctl.h>

static __thread uint64_t local[64];
static uint64_t at_gs[64];

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 200000000), base = 0;

	need(syscall(SYS_arch_prctl, ARCH_SET_GS, at_gs));
	watched = at_gs;
	watched_length = sizeof(at_gs);
	tick_start(1000);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t offset = i % 64 * 8;

		__asm__ volatile("add %0, %%gs:(%1)" ::"r"(i), "r"(offset) : "memory", "cc");
		local[i % 64] ^= at_gs[(i + 1) % 64];
		progress = i;
	}
	tick_stop();
	need(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
	show("same: %lx %lx, base kept: %d", (unsigned long)hash_bytes(at_gs, sizeof(at_gs)),
	     (unsigned long)hash_bytes(local, sizeof(local)), base == (uint64_t)at_gs);
	tick_show();
	return done();
}
