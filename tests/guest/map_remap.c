/*
 * mremap: shrink, grow in place or moved, to a fixed place, old mapping kept (MREMAP_DONTUNMAP),
 * duplicated when shared, and its errors.
 */
#include "guest.h"
#include <sys/mman.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#define RW   (PROT_READ | PROT_WRITE)
#define PAGE 4096L

static char *map(long pages, int flags)
{
	char *p = mmap(NULL, pages * PAGE, RW, flags | MAP_ANONYMOUS, -1, 0);
	need((long)p);
	for (long i = 0; i < pages; i++)
		p[i * PAGE] = 'A' + i;
	return p;
}

int main(void)
{
	char *p = map(8, MAP_PRIVATE);
	char *fence = map(16, MAP_PRIVATE);

	show("at %p, fence at %p", p, fence);
	expect(mremap(p, 8 * PAGE, 4 * PAGE, 0) == p, "shrunk in place");
	expect(mremap(p, 4 * PAGE, 8 * PAGE, 0) == p, "grown into the hole");
	expect(p[3 * PAGE] == 'D' && p[4 * PAGE] == 0, "old bytes, then zeroes");
	expect_errno((long)mremap(fence, PAGE, 4 * PAGE, 0), ENOMEM);
	char *q = mremap(fence, 4 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	expect(q != MAP_FAILED && q != fence, "moved to %p", q);
	expect(q[3 * PAGE] == 'D' && q[4 * PAGE] == 0, "with its bytes");
	q[63 * PAGE] = 'z';

	char *place = map(4, MAP_PRIVATE);
	char *r = mremap(q, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place);
	expect(r == place && r[PAGE] == 'B', "moved to the place given");
	expect(q[63 * PAGE] == 'z', "the rest stays");
	r = mremap(place, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
	if (r != MAP_FAILED)
		expect(r[PAGE] == 'B' && place[PAGE] == 0, "MREMAP_DONTUNMAP: %p emptied", place);
	else
		expect(errno == EINVAL, "MREMAP_DONTUNMAP may be missing");

	char *shared = map(2, MAP_SHARED);
	char *twin = mremap(shared, 0, 2 * PAGE, MREMAP_MAYMOVE);
	expect(twin != MAP_FAILED, "a second view at %p", twin);
	strcpy(shared + 100, "seen twice");
	expect(strcmp(twin + 100, "seen twice") == 0, "both views agree");

	expect_errno((long)mremap(p + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EINVAL);
	expect_errno((long)mremap(p, PAGE, 0, 0), EINVAL);
	expect_errno((long)mremap(p, PAGE, PAGE, 0x100), EINVAL);
	expect_errno((long)mremap((void *)PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
	expect_errno((long)mremap(p, PAGE, PAGE, MREMAP_FIXED, place), EINVAL);
	return done();
}
