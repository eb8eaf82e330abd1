/* rep movs, stos, cmps and scas: long, backwards, across a fault in the middle. */
#include "guest_task.h"
#include <ucontext.h>

#define PAGES 64
#define SIZE  (PAGES * 4096ul)

static unsigned char *target;
static volatile int faults;
static unsigned long first_rcx;

/* Opens the page that was touched: the instruction goes on where it stopped. */
static void handler(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	if (faults++ == 0)
		first_rcx = (unsigned long)uc->uc_mcontext.gregs[REG_RCX];
	if (mprotect((void *)((uintptr_t)si->si_addr & ~4095ul), 4096, PROT_READ | PROT_WRITE) != 0)
		_exit(9);
}

static void *copy(void *to, const void *from, size_t n)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
	return to;
}

int main(void)
{
	unsigned char *source =
		mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	target = mmap(NULL, SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need((long)source);
	need((long)target);
	for (size_t i = 0; i < SIZE; i++)
		source[i] = (unsigned char)(i * i >> 5);
	handle(SIGSEGV, handler, 0);

	void *end = copy(target + 10, source, SIZE - 10);
	expect(end == target + SIZE, "rdi at the end");
	expect_eq_long(faults, PAGES, "faults on the way");
	show("rcx at the first fault: %lu", first_rcx);
	expect(memcmp(target + 10, source, SIZE - 10) == 0, "copied, hash %016llx",
	       (unsigned long long)hash_bytes(target, SIZE));

	unsigned long n = SIZE / 8;
	void *to = target;
	__asm__ volatile("rep stosq" : "+D"(to), "+c"(n) : "a"(0x0102030405060708) : "memory");
	expect(n == 0 && to == target + SIZE && target[SIZE - 1] == 1, "rep stosq");

	/* Backwards, with the direction flag. */
	n = 1000;
	to = target + 1999;
	const void *from = source + 999;
	__asm__ volatile("std; rep movsb; cld" : "+D"(to), "+S"(from), "+c"(n) : : "memory", "cc");
	expect(to == target + 999 && memcmp(target + 1000, source, 1000) == 0, "backwards");

	target[SIZE - 5] = 0xaa;
	to = target + 3000;
	n = SIZE - 3000;
	__asm__ volatile("repne scasb" : "+D"(to), "+c"(n) : "a"(0xaa) : "memory", "cc");
	expect(to == target + SIZE - 4 && n == 4, "repne scasb: %lu left", n);
	memcpy(target, source, SIZE);
	target[SIZE - 100] ^= 1;
	n = SIZE;
	to = target;
	from = source;
	__asm__ volatile("repe cmpsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory", "cc");
	expect_eq_long((long)n, 99, "repe cmpsb: left");
	return done();
}
