/*
 * madvise and mprotect that fail behind the first of several mappings have changed those before.
 */
#include "guest.h"
#include <sys/mman.h>
#include <sys/resource.h>

#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#define RW  (PROT_READ | PROT_WRITE)
#define LEN (4 * 4096)

static char *fresh(int flags)
{
	char *p = mmap(NULL, LEN, RW, flags | MAP_ANONYMOUS, -1, 0);
	need((long)p);
	memset(p, 'm', LEN);
	return p;
}

/* Memory that is four mappings, a page each. */
static char *pieces(void)
{
	char *p = fresh(MAP_PRIVATE);

	need(madvise(p + 4096, 4096, MADV_DONTDUMP));
	need(madvise(p + 12288, 4096, MADV_DONTDUMP));
	return p;
}

/* A lock or a seal stops it, which a replay does not have. */
static void test_locked(void)
{
	char *locked = pieces(), *freed = pieces(), *holes = pieces(), *removed = fresh(MAP_SHARED);

	need(mlock(locked + 8192, 4096));
	expect_errno(madvise(locked, LEN, MADV_DONTNEED), EINVAL);
	expect(locked[0] == 0 && locked[4096] == 0, "emptied before the locked page");
	expect(locked[8192] == 'm' && locked[12288] == 'm', "not from there on");
	need(mlock(freed + 8192, 4096));
	expect_errno(madvise(freed, LEN, MADV_FREE), EINVAL);
	show("freed before the locked page: %d %d", freed[0], freed[4096]);
	expect(freed[8192] == 'm' && freed[12288] == 'm', "not freed from there on");
	need(munmap(holes, 4096));
	need(mlock(holes + 8192, 4096));
	expect_errno(madvise(holes, LEN, MADV_DONTNEED), EINVAL);
	expect(holes[4096] == 0 && holes[8192] == 'm', "emptied from a hole to the locked page");
	need(mlock(removed + 4096, 4096));
	expect_errno(madvise(removed, LEN, MADV_REMOVE), EINVAL);
	expect(removed[0] == 0 && removed[4096] == 'm', "removed up to the locked page");
}

/* From other memory nothing can be removed. */
static void test_mixed(void)
{
	char *mixed = fresh(MAP_SHARED), *whole = pieces();

	need((long)mmap(mixed + 8192, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	mixed[8192] = 'p';
	expect_errno(madvise(mixed, LEN, MADV_REMOVE), EINVAL);
	expect(mixed[0] == 0 && mixed[4096] == 0, "removed before private memory");
	expect(mixed[8192] == 'p' && mixed[12288] == 'm', "not from there on");
	expect_errno(madvise(whole, LEN, MADV_REMOVE), EINVAL);
	expect(whole[0] == 'm', "nothing removed");
}

static void test_sealed(void)
{
	char *sealed = pieces(), *guarded = pieces();

	need(mprotect(sealed + 8192, 4096, PROT_READ));
	if (syscall(SYS_mseal, sealed + 8192, 4096, 0) ||
	    syscall(SYS_mseal, guarded + 4096, 4096, 0))
		return;
	int r = madvise(sealed, LEN, MADV_DONTNEED);
	expect(r == -1 && errno == EPERM, "emptying sealed memory: %d", r);
	show("before the sealed page: %d %d", sealed[0], sealed[4096]);
	expect(sealed[8192] == 'm' && sealed[12288] == 'm', "not emptied from there on");
	expect_errno(mprotect(guarded, LEN, PROT_READ), EPERM);
	pid_t pid = need(fork());
	if (pid == 0) {
		*(volatile char *)guarded = 'w';
		_exit(0);
	}
	int status = 0;
	need(waitpid(pid, &status, 0));
	show("a store before the sealed page: %d", status);
}

/* The error of a hole, and there is none. */
static void test_limit(void)
{
	const struct rlimit limit = {64 << 20, 64 << 20};
	size_t large = 256 << 20;
	char *p = mmap(NULL, large, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	need((long)p);
	need(mprotect(p, 4096, PROT_NONE));
	need(setrlimit(RLIMIT_DATA, &limit));
	expect_errno(mprotect(p, large, RW), ENOMEM);
	*(volatile char *)p = 'w';
	show("the page before the limit: %c", *(volatile char *)p);
	need(munmap(p, large));
}

int main(void)
{
	test_locked();
	test_mixed();
	test_sealed();
	test_limit();
	return done();
}
