/*
 * System calls by the syscall instruction at many places, in a loop, across pages, in made-up
 * code.
 */
#include "guest_task.h"

static inline __attribute__((always_inline)) long direct0(long number)
{
	long ret;
	__asm__ volatile("syscall" : "=a"(ret) : "a"(number) : "rcx", "r11", "memory");
	return ret;
}

static inline __attribute__((always_inline)) long direct3(long number, long a, long b, long c)
{
	long ret;
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

/* All registers but rax, rcx and r11 are kept; rcx holds the return address, r11 the flags. */
static void check_registers(void)
{
	unsigned long rcx, r11, after, diff = 0;

	__asm__ volatile("mov $0x1010, %%r8\n\tmov $0x2020, %%r9\n\tmov $0x3030, %%r10\n\t"
			 "mov $0x4040, %%rdx\n\tstc\n\t"
			 "syscall\n\t"
			 "1: mov %%r11, %%rdi\n\t"
			 "lea 1b(%%rip), %%rsi\n\t"
			 "xor $0x1010, %%r8\n\txor $0x2020, %%r9\n\txor $0x3030, %%r10\n\t"
			 "xor $0x4040, %%rdx\n\t"
			 "or %%r8, %%r9\n\tor %%r10, %%rdx\n\tor %%r9, %%rdx\n\t"
			 : "=c"(rcx), "=D"(r11), "=S"(after), "=&d"(diff)
			 : "a"(SYS_gettid)
			 : "r8", "r9", "r10", "r11", "memory", "cc");
	expect_eq_long(diff, 0, "differences in r8 to r10 and rdx");
	expect(rcx == after, "rcx %#lx, next instruction %#lx", rcx, after);
	expect(r11 & 1, "r11 %#lx has the carry flag", r11);
}

int main(void)
{
	long pid = getpid();

	expect_eq_long(direct0(SYS_getpid), pid, "first site");
	expect_eq_long(direct0(SYS_gettid), pid, "second site");
	expect_eq_long(direct0(SYS_getppid), getppid(), "third site");
	for (int i = 0; i < 100; i++)
		if (direct0(SYS_getpid) != pid)
			expect(false, "site in a loop");
	static const char text[] = "written directly\n";
	expect_eq_long(direct3(SYS_write, 1, (long)text, sizeof(text) - 1), sizeof(text) - 1,
		       "write");
	expect_eq_long(direct3(SYS_close, 999, 0, 0), -EBADF, "close");
	expect_eq_long(direct0(100000), -ENOSYS, "an unknown call");
	expect_eq_long(direct0(-1), -ENOSYS, "call -1");
	check_registers();

	/* mov $39, %eax; syscall; ret: the two bytes of syscall lie in two pages. */
	static const unsigned char code[] = {0xb8, 0x27, 0, 0, 0, 0x0f, 0x05, 0xc3};
	unsigned char *page =
		mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need((long)page);
	memcpy(page + 4096 - 6, code, sizeof(code));
	need(mprotect(page, 8192, PROT_READ | PROT_EXEC));
	expect_eq_long(((long (*)(void))(page + 4096 - 6))(), pid, "a site across two pages");
	return done();
}
