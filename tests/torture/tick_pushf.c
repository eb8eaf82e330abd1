/* 1 ms timer signals into pushf and popf: nobody who steps through them may leave a trap flag in what
 * they push, or lose one bit of what they pop. */
#include "torture.h"

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 30000000), sum = 0, traps = 0, wrong = 0, flags = 0;

	tick_start(1000);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t set = i & 0x8d5; /* carry, parity, auxiliary, zero, sign, overflow */

		__asm__ volatile("sub $128, %%rsp; push %1; popfq; pushfq; popq %0; add $128, %%rsp"
				 : "=&r"(flags)
				 : "r"(set | 0x202)
				 : "cc", "memory");
		traps += flags >> 8 & 1;
		wrong += (flags & 0x8d5) != set;
		sum = mix(sum, flags);
		progress = i;
	}
	tick_stop();
	show("same: sum %lx, %lu traps, %lu wrong", (unsigned long)sum, (unsigned long)traps,
	     (unsigned long)wrong);
	expect(!traps && !wrong, "flags are kept");
	tick_show();
	return done();
}
