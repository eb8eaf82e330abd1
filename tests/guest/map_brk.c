/*
 * brk and sbrk, growth and shrinking, the heap seen by malloc, realloc and trim.
 */
#include "guest.h"
#include <malloc.h>
#include <sys/mman.h>

int main(void)
{
	char *start = sbrk(0);

	show("break at %p", start);
	expect_eq_long(syscall(SYS_brk, 0), (long)start, "brk(0)");
	expect(sbrk(100000) == start, "sbrk returns the old break");
	memset(start, 'h', 100000);
	expect(sbrk(0) == start + 100000, "the new break is %p", sbrk(0));
	expect(sbrk(-50000) == start + 100000, "shrunk");
	expect(start[49999] == 'h', "the rest is still there");
	expect(brk(start + 200000) == 0, "grown by brk");
	expect(start[199999] == 0 && start[49999] == 'h', "zeroes at the new end");
	expect(brk(start) == 0, "back to the start");
	expect_eq_long(syscall(SYS_brk, start + (1L << 46)), (long)start, "too far: refused");
	expect_errno((long)sbrk(1L << 46), ENOMEM);
	expect(sbrk(0) == start, "unchanged");

	char *blocks[64];
	uint64_t hash = 0;
	for (int i = 0; i < 64; i++) {
		blocks[i] = malloc(1000 << (i % 8));
		memset(blocks[i], i, 1000 << (i % 8));
		hash = hash * 31 + (uintptr_t)blocks[i];
	}
	show("hash of 64 addresses: %016lx", (long)hash);
	for (int i = 0; i < 64; i += 2)
		blocks[i] = realloc(blocks[i], 300000);
	for (int i = 0; i < 64; i++) {
		if (blocks[i][999] != i)
			expect(false, "block %d has lost its bytes", i);
		free(blocks[i]);
	}
	show("break at %p, malloc_trim gives %d, then %p", sbrk(0), malloc_trim(0), sbrk(0));
	return done();
}
