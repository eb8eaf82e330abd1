/*
 * mmap: anonymous, private and shared, fixed, no-replace, populate, low 2 GB, and its errors.
 */
#include "guest.h"
#include <sys/mman.h>

#define RW (PROT_READ | PROT_WRITE)

static void test_fixed(char *base)
{
	char *p = mmap(base + 4096, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	expect(p == base + 4096, "MAP_FIXED in the middle");
	expect(base[0] == 'a' && base[4096] == 0 && base[8192] == 'a', "only its page is new");
	errno = 0;
	p = mmap(base, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	expect(p == MAP_FAILED && errno == EEXIST, "MAP_FIXED_NOREPLACE onto a mapping");
	expect_eq_long(munmap(base + 4096, 4096), 0, "munmap of the middle");
	p = mmap(base + 4096, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	expect(p == base + 4096, "MAP_FIXED_NOREPLACE into the hole");
	p = mmap(base + 3, 100, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	show("a hint that is taken: %p for %p", p, base + 3);
	expect(p != MAP_FAILED && ((uintptr_t)p & 4095) == 0, "an unaligned hint");
	munmap(p, 100);
}

int main(void)
{
	char *p = mmap(NULL, 12288, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need((long)p);
	show("anonymous private at %p", p);
	expect_eq_long(hash_bytes(p, 12288), hash_bytes(memset(malloc(12288), 0, 12288), 12288),
		       "zeroes");
	memset(p, 'a', 12288);
	test_fixed(p);
	char *low = mmap(NULL, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	expect((uintptr_t)low < 1UL << 31, "MAP_32BIT at %p", low);
	char *populated = mmap(NULL, 1 << 20, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	expect(populated != MAP_FAILED && populated[1 << 19] == 0, "MAP_POPULATE at %p", populated);
	char *lazy =
		mmap(NULL, 1L << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	expect(lazy != MAP_FAILED, "1 GB reserved at %p", lazy);
	expect_eq_long(mprotect(lazy + (1 << 29), 4096, RW), 0, "one page of it opened");
	lazy[1 << 29] = 1;
	expect_eq_long(munmap(lazy, 1L << 30), 0, "munmap");

	expect_errno((long)mmap(NULL, 0, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
	expect_errno((long)mmap(NULL, 4096, RW, MAP_PRIVATE, -1, 0), EBADF);
	expect_errno((long)mmap(NULL, 4096, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	expect_errno((long)mmap(NULL, 1L << 62, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
	expect_errno(
		(long)mmap((void *)3, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
		EINVAL);
	int fd = need(open("/dev/null", O_RDONLY));
	expect_errno((long)mmap(NULL, 4096, RW, MAP_SHARED, fd, 0), EACCES);
	expect_errno(munmap((void *)1, 4096), EINVAL);
	expect_eq_long(munmap(p, 12288), 0, "munmap");
	expect_eq_long(munmap(p, 12288), 0, "munmap of nothing");
	errno = 0;
	void *huge = mmap(NULL, 1L << 40, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	expect(huge == MAP_FAILED, "a terabyte of huge pages fails: %s", strerror(errno));
	return done();
}
