/* cpuid: all basic and extended leaves printed; the same answer twice where it must be the same. */
#include "guest_task.h"
#include <cpuid.h>

static unsigned leaf(unsigned number, unsigned sub, bool print)
{
	unsigned a, b, c, d;

	__cpuid_count(number, sub, a, b, c, d);
	if (print)
		show("leaf %08x.%u: %08x %08x %08x %08x", number, sub, a, b, c, d);
	return a;
}

int main(void)
{
	unsigned a, b, c, d;
	char vendor[13] = "", brand[49] = "";

	__cpuid(0, a, b, c, d);
	memcpy(vendor, &b, 4);
	memcpy(vendor + 4, &d, 4);
	memcpy(vendor + 8, &c, 4);
	show("vendor %s, highest leaf %#x", vendor, a);
	expect(a >= 1, "leaf 1 exists");
	unsigned max = a > 0x20 ? 0x20 : a;
	for (unsigned i = 0; i <= max; i++)
		leaf(i, 0, true);
	for (unsigned sub = 1; sub < 4 && max >= 4; sub++)
		leaf(4, sub, true);
	if (max >= 13)
		leaf(13, 1, true);
	unsigned extended = leaf(0x80000000, 0, true);
	for (unsigned i = 0x80000001; i <= extended && i <= 0x80000008; i++)
		leaf(i, 0, true);
	if (extended >= 0x80000004) {
		for (unsigned i = 0; i < 3; i++)
			__get_cpuid(0x80000002 + i, (unsigned *)brand + 4 * i,
				    (unsigned *)brand + 4 * i + 1, (unsigned *)brand + 4 * i + 2,
				    (unsigned *)brand + 4 * i + 3);
		show("brand %s", brand);
	}
	leaf(0x40000000, 0, true);

	__cpuid(1, a, b, c, d);
	expect(d & (1u << 26), "SSE2, as on every x86-64");
	expect(leaf(1, 0, false) == a, "the signature is the same twice");
	/* The instruction clears the upper halves. */
	unsigned long rax = 0xffffffff00000000, rbx, rcx = ~0ul << 32, rdx;
	__asm__ volatile("cpuid" : "+a"(rax), "=b"(rbx), "+c"(rcx), "=d"(rdx));
	expect(rax >> 32 == 0 && rbx >> 32 == 0 && rcx >> 32 == 0 && rdx >> 32 == 0,
	       "upper halves are 0");
	pid_t pid = need(fork());
	if (pid == 0)
		_exit(leaf(1, 0, true) == a ? 0 : 1);
	expect_child(pid, 0);
	return done();
}
