/* Unaligned accesses, also across pages; movaps that must be aligned; the alignment-check flag. */
#include "guest_task.h"
#include <setjmp.h>

static sigjmp_buf back;
static siginfo_t seen;

static inline __attribute__((always_inline)) void no_alignment_check(void)
{
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "pushfq; andq $~0x40000, (%%rsp); popfq\n\t"
			 "lea 128(%%rsp), %%rsp"
			 :
			 :
			 : "memory", "cc");
}

/* The kernel leaves the alignment check on for handlers. */
static void handler(int sig, siginfo_t *si, void *uc)
{
	no_alignment_check();
	seen = *si;
	siglongjmp(back, 1);
}

int main(void)
{
	unsigned char *page =
		mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t value;

	need((long)page);
	for (size_t i = 0; i < 8192; i++)
		page[i] = (unsigned char)(i * 13);
	for (size_t off = 4096 - 9; off <= 4096 + 1; off++) {
		memcpy(&value, page + off, 8);
		uint64_t direct, back_again;
		__asm__ volatile("movq (%1), %0" : "=r"(direct) : "r"(page + off) : "memory");
		if (direct != value)
			expect(false, "read at %zu", off);
		__asm__ volatile("lock xaddq %0, (%1)"
				 : "=r"(back_again)
				 : "r"(page + (off & ~7ul)), "0"(1ul)
				 : "memory", "cc");
		__asm__ volatile("movdqu (%0), %%xmm0; movdqu %%xmm0, (%0)"
				 :
				 : "r"(page + off)
				 : "memory", "xmm0");
	}
	show("hash %016llx", (unsigned long long)hash_bytes(page, 8192));

	handle(SIGSEGV, handler, 0);
	handle(SIGBUS, handler, 0);
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("movaps (%0), %%xmm0" : : "r"(page + 1) : "xmm0");
	expect(seen.si_signo == SIGSEGV && seen.si_code == SI_KERNEL, "movaps: signal %d code %d",
	       seen.si_signo, seen.si_code);

	/* EFLAGS.AC: an unaligned access is SIGBUS. Set and cleared around one instruction only. */
	memset(&seen, 0, sizeof(seen));
	if (sigsetjmp(back, 1) == 0) {
		__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
				 "pushfq; orq $0x40000, (%%rsp); popfq\n\t"
				 "movl 1(%0), %%eax\n\t"
				 "pushfq; andq $~0x40000, (%%rsp); popfq\n\t"
				 "lea 128(%%rsp), %%rsp"
				 :
				 : "r"(page)
				 : "rax", "memory", "cc");
	}
	no_alignment_check();
	show("alignment check: signal %d code %d", seen.si_signo, seen.si_code);
	expect((seen.si_signo == SIGBUS && seen.si_code == BUS_ADRALN) || seen.si_signo == 0,
	       "SIGBUS, or a machine that does not check");
	return done();
}
