/* int 0x80, the 32-bit system call: numbers of its own, results in eax. */
#include "guest_task.h"
#include <setjmp.h>

static sigjmp_buf back;

static void handler(int sig, siginfo_t *si, void *uc)
{
	siglongjmp(back, sig);
}

static long int80(long number, long a, long b, long c)
{
	long ret;
	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(number), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return ret;
}

int main(void)
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	need((long)low);
	handle(SIGSEGV, handler, 0);
	handle(SIGSYS, handler, 0);
	if (sigsetjmp(back, 1) != 0)
		skip("int 0x80 (a signal)");
	/* 20 is getpid there, and writev in the 64-bit table. */
	long pid = int80(20, 0, 0, 0);
	if (pid == -ENOSYS || pid == -EPERM)
		skip("int 0x80 (refused)");
	expect_eq_long(pid, getpid(), "getpid");
	strcpy(low, "written through int 0x80\n");
	expect_eq_long(int80(4, 1, (long)low, (long)strlen(low)), (long)strlen(low), "write");
	expect_eq_long((int)int80(6, 999, 0, 0), -EBADF, "close");
	expect_eq_long(int80(64, 0, 0, 0), getppid(), "getppid");
	return done();
}
