/*
 * Machine code made at run time: written once, rewritten in place two thousand times, seen through
 * a second writable view of the same memory, and made executable by mprotect.
 */
#include "guest.h"
#include <sys/mman.h>

/* mov eax, VALUE; add eax, edi; ret */
static void emit(unsigned char *at, int value)
{
	at[0] = 0xb8;
	memcpy(at + 1, &value, 4);
	memcpy(at + 5, "\x01\xf8\xc3", 3);
}

static int call(void *code, int arg)
{
	return ((int (*)(int))(uintptr_t)code)(arg);
}

int main(void)
{
	unsigned char *rwx = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (rwx == MAP_FAILED)
		skip("memory that is writable and executable: %s", strerror(errno));
	emit(rwx, 1000);
	expect_eq_long(call(rwx, 1), 1001, "new code");
	long sum = 0;
	for (int i = 0; i < 2000; i++) {
		emit(rwx, i);
		sum += call(rwx, i);
	}
	expect_eq_long(sum, 2L * 1999 * 2000 / 2, "code rewritten 2000 times");
	for (int i = 0; i < 100; i++)
		emit(rwx + 4096 - 60 + 16 * (i % 8), i);
	expect_eq_long(call(rwx + 4096 - 60, 5), 101, "code across a page boundary");

	int fd = need(memfd_create("code", 0));
	need(ftruncate(fd, 4096));
	unsigned char *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	unsigned char *x = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	need((long)w);
	need((long)x);
	for (int i = 0, bad = 0; i < 100; i++) {
		emit(w + 100, -i);
		bad += call(x + 100, 2 * i) != i;
		if (i == 99)
			expect_eq_long(bad, 0, "wrong results through a second view");
	}

	unsigned char *p =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need((long)p);
	for (int i = 0; i < 50; i++) {
		need(mprotect(p, 4096, PROT_READ | PROT_WRITE));
		emit(p, i * 3);
		need(mprotect(p, 4096, PROT_READ | PROT_EXEC));
		sum += call(p, 0);
	}
	show("sum %ld", sum);

	/* Code that makes a system call itself: mov eax, 39; syscall; ret. */
	memcpy(rwx, "\xb8\x27\x00\x00\x00\x0f\x05\xc3", 8);
	expect_eq_long(call(rwx, 0), getpid(), "getpid by generated code");
	for (int i = 0; i < 100; i++)
		sum += call(rwx, 0) == getpid();
	/* ... and the same address afterwards holding something else. */
	emit(rwx, 7);
	expect_eq_long(call(rwx, 0), 7, "the call's place rewritten");
	munmap(rwx, 8192);
	return done();
}
