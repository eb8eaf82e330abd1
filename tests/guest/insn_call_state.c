/* What a system call leaves alone: flags, bases of segments, the stack and what is below it, when the
 * stack pointer is none, too. */
#include "guest.h"
#include <sys/auxv.h>

#define OFTEN		    60
#define CALL		    "mov $110, %%eax\n\tsyscall\n\t" /* getppid */
#define DIRECTION_AND_CARRY 0x401
#define ALIGNMENT_CHECK	    0x40000

static void flags(void)
{
	unsigned long seen, behind;
	long parent;

	__asm__ volatile("pushf\n\torq $0x400, (%%rsp)\n\tpopf\n\tstc\n\t" CALL
			 "1: pushf\n\tpop %0\n\tcld\n\tlea 1b(%%rip), %%rdx"
			 : "=r"(seen), "=c"(behind), "=a"(parent)
			 :
			 : "rdx", "r11", "memory");
	expect((seen & DIRECTION_AND_CARRY) == DIRECTION_AND_CARRY, "flags %lx", seen);
	expect(parent == getppid(), "%ld", parent);
	__asm__ volatile("pushf\n\torq $0x40000, (%%rsp)\n\tpopf\n\t" CALL
			 "pushf\n\tmov (%%rsp), %0\n\tandq $~0x40000, (%%rsp)\n\tpopf"
			 : "=r"(seen), "=a"(parent)
			 :
			 : "rcx", "r11", "memory");
	expect(seen & ALIGNMENT_CHECK, "flags %lx", seen);
}

static void stack(long i)
{
	unsigned long differs;
	long parent;

	__asm__ volatile("movq %2, -8(%%rsp)\n\tmovq %2, -128(%%rsp)\n\t" CALL
			 "movq -8(%%rsp), %0\n\txorq -128(%%rsp), %0"
			 : "=&r"(differs), "=a"(parent)
			 : "r"(i * 12345)
			 : "rcx", "r11", "memory");
	expect(!differs, "%lx", differs);
	__asm__ volatile("mov %%rsp, %%rbx\n\tmov $8, %%esp\n\t" CALL "mov %%rbx, %%rsp"
			 : "=a"(parent)
			 :
			 : "rbx", "rcx", "r11", "memory");
	expect(parent == getppid(), "%ld", parent);
}

/* Zero, and something else by the next stop. */
static void bases(void)
{
	unsigned long base, parent;

	__asm__ volatile("wrgsbase %2\n\t" CALL "rdgsbase %0\n\twrgsbase %3"
			 : "=&r"(base), "=a"(parent)
			 : "r"(0ul), "r"(0x1234ul)
			 : "rcx", "r11", "memory");
	expect(!base && parent, "base %lx", base);
}

int main(void)
{
	bool can_set_bases = getauxval(AT_HWCAP2) & 2; /* HWCAP2_FSGSBASE */

	for (int i = 0; i < OFTEN; i++) {
		flags();
		stack(i);
		if (can_set_bases)
			bases();
	}
	return done();
}
