/*
 * madvise with every kind of advice that changes what memory holds, and those that do not.
 */
#include "guest.h"
#include <sys/mman.h>
#include <sys/uio.h>

#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

#ifndef MADV_COLD
#define MADV_COLD    20
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE  103
#endif
#define RW  (PROT_READ | PROT_WRITE)
#define LEN (8 * 4096)

static char *fresh(int flags)
{
	char *p = mmap(NULL, LEN, RW, flags | MAP_ANONYMOUS, -1, 0);
	need((long)p);
	memset(p, 'm', LEN);
	return p;
}

static void test_fork_advice(void)
{
	char *wipe = fresh(MAP_PRIVATE), *keep = fresh(MAP_PRIVATE), *gone = fresh(MAP_PRIVATE);

	expect_eq_long(madvise(wipe, LEN, MADV_WIPEONFORK), 0, "MADV_WIPEONFORK");
	expect_eq_long(madvise(gone, LEN, MADV_DONTFORK), 0, "MADV_DONTFORK");
	pid_t pid = need(fork());
	if (pid == 0) {
		unsigned char vec[8];
		expect(wipe[0] == 0 && wipe[LEN - 1] == 0, "wiped in the child");
		expect(keep[0] == 'm', "kept in the child");
		expect_errno(mincore(gone, LEN, vec), ENOMEM);
		_exit(done());
	}
	expect_child(pid, 0);
	expect(wipe[0] == 'm' && gone[0] == 'm', "all kept in the parent");
}

/* MADV_FREE is for private anonymous memory; other memory keeps its bytes. */
static void test_free_of_others(void)
{
	char *shared = fresh(MAP_SHARED), *mixed = fresh(MAP_PRIVATE), *holes = fresh(MAP_PRIVATE);
	int fd = need(open("/proc/self/exe", O_RDONLY));
	char *file = mmap(NULL, 4096, RW, MAP_PRIVATE, fd, 0);

	need((long)file);
	strcpy(file, "mine");
	expect_errno(madvise(file, 4096, MADV_FREE), EINVAL);
	expect(strcmp(file, "mine") == 0, "a file's private page keeps its bytes");
	expect_errno(madvise(shared, LEN, MADV_FREE), EINVAL);
	expect_eq_long(shared[0], 'm', "shared memory keeps its bytes");
	need((long)mmap(mixed + 8192, 4096, RW, MAP_PRIVATE | MAP_FIXED, fd, 0));
	mixed[8192] = 'f';
	expect_errno(madvise(mixed, LEN, MADV_FREE), EINVAL);
	expect(mixed[8192] == 'f' && mixed[LEN - 1] == 'm', "from the file on nothing is freed");
	show("before it: %d", mixed[0]);
	expect(mixed[0] == 'm' || mixed[0] == 0, "before it old bytes or zero");
	need(munmap(holes + 8192, 4096));
	expect_errno(madvise(holes, LEN, MADV_FREE), ENOMEM);
	show("around a hole: %d %d", holes[0], holes[LEN - 1]);
	expect(holes[LEN - 1] == 'm' || holes[LEN - 1] == 0, "around a hole old bytes or zero");
}

/* What fails half-way has had an effect before. */
static void test_midway(void)
{
	char *holes = fresh(MAP_PRIVATE), *guarded = fresh(MAP_PRIVATE);

	need(munmap(holes + 4096, 4096));
	expect_errno(madvise(holes, LEN, MADV_DONTNEED), ENOMEM);
	expect(holes[0] == 0 && holes[8192] == 0, "emptied around the hole");
	need(munmap(guarded + 8192, 4096));
	expect_errno(mprotect(guarded, LEN, PROT_READ), ENOMEM);
	expect(mprotect(guarded + 12288, 4096, RW) == 0, "writable behind the hole");
	guarded[12288] = 'w';
	int fd = need(open("/proc/self/exe", O_RDONLY));
	char *wiped = fresh(MAP_PRIVATE);
	need((long)mmap(wiped + 4096, 4096, RW, MAP_PRIVATE | MAP_FIXED, fd, 0));
	expect_errno(madvise(wiped, 8192, MADV_WIPEONFORK), EINVAL);
	pid_t child = need(fork());
	if (child == 0)
		_exit(wiped[0]);
	expect_child(child, 0);
	char *denied = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need((long)denied);
	need((long)mmap(denied + 4096, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0));
	expect_errno(mprotect(denied, 8192, RW), EACCES);
	denied[0] = 'w';
	expect(denied[0] == 'w', "writable before what may not be");
	/* The kernel cannot write where the program must not: only a store tells. */
	pid_t pid = need(fork());
	if (pid == 0) {
		*(volatile char *)guarded = 'w';
		_exit(0);
	}
	int status = 0;
	need(waitpid(pid, &status, 0));
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "read-only before it");
}

/* Advice of newer kernels: 5.18, 6.13. */
static void test_new_advice(void)
{
	char *locked = fresh(MAP_PRIVATE), *guarded = fresh(MAP_PRIVATE);
	int status = 0;

	need(mlock(locked, 4096));
	int r = madvise(locked, LEN, MADV_DONTNEED_LOCKED);
	expect(r == 0 || errno == EINVAL, "MADV_DONTNEED_LOCKED is taken or not known: %d", r);
	expect(r != 0 || (locked[0] == 0 && locked[4096] == 0), "locked pages too are emptied");
	r = madvise(guarded, 4096, MADV_GUARD_INSTALL);
	expect(r == 0 || errno == EINVAL, "MADV_GUARD_INSTALL is taken or not known: %d", r);
	if (r != 0)
		return;
	pid_t pid = need(fork());
	if (pid == 0) {
		*(volatile char *)guarded;
		_exit(0);
	}
	need(waitpid(pid, &status, 0));
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "no way into a guard page");
	expect_eq_long(madvise(guarded, 4096, MADV_GUARD_REMOVE), 0, "MADV_GUARD_REMOVE");
	expect(guarded[0] == 0 && guarded[4096] == 'm', "the page is empty then");
}

/* Since 6.13 a process may give itself any advice by process_madvise; before, none that empties. */
static void test_process_advice(void)
{
	char *p = fresh(MAP_PRIVATE);
	struct iovec all = {p, LEN};
	int self = syscall(SYS_pidfd_open, getpid(), 0);

	if (self == -1)
		return;
	long n = syscall(SYS_process_madvise, self, &all, 1, MADV_DONTNEED, 0);
	expect(n == -1 || (n == LEN && p[0] == 0), "process_madvise: %ld, %d", n, p[0]);
	expect(n == LEN || p[0] == 'm', "or it keeps the bytes");
	n = syscall(SYS_process_madvise, self, &all, 1, MADV_COLD, 0);
	expect(n == LEN || errno == ENOSYS || errno == EPERM, "MADV_COLD: %ld", n);
	need(close(self));
}

int main(void)
{
	char *p = fresh(MAP_PRIVATE), *shared = fresh(MAP_SHARED);
	static const int harmless[] = {MADV_NORMAL,   MADV_RANDOM,  MADV_SEQUENTIAL, MADV_WILLNEED,
				       MADV_DONTDUMP, MADV_DODUMP,  MADV_DOFORK,     MADV_HUGEPAGE,
				       MADV_COLD,     MADV_PAGEOUT, MADV_MERGEABLE};

	expect_eq_long(madvise(p, 4096, MADV_DONTNEED), 0, "MADV_DONTNEED");
	expect(p[0] == 0 && p[4096] == 'm', "one page emptied");
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		int r = madvise(p, LEN, harmless[i]);
		show("advice %d: %d (%s)", harmless[i], r, r ? strerror(errno) : "");
		expect(r == 0 || errno == EINVAL, "advice %d is taken or not known", harmless[i]);
		expect(p[0] == 0 && p[4096] == 'm', "and changes nothing");
	}
	/* Freed pages keep their bytes or read as zero, as the kernel likes, until written again. */
	expect_eq_long(madvise(p, LEN, MADV_FREE), 0, "MADV_FREE");
	show("after MADV_FREE: %d", p[4096]);
	expect(p[4096] == 'm' || p[4096] == 0, "old bytes or zero");
	p[8192] = 'w';
	expect_eq_long(p[8192], 'w', "a store after MADV_FREE");

	expect_eq_long(madvise(shared, 4096, MADV_DONTNEED), 0, "MADV_DONTNEED of shared memory");
	expect_eq_long(shared[0], 'm', "which keeps its bytes");
	expect_eq_long(madvise(shared, 4096, MADV_REMOVE), 0, "MADV_REMOVE");
	expect(shared[0] == 0 && shared[4096] == 'm', "the hole reads as zero");
	int r = madvise(p, LEN, 22 /* MADV_POPULATE_READ */);
	expect(r == 0 || errno == EINVAL, "MADV_POPULATE_READ: %d", r);
	test_fork_advice();
	test_free_of_others();
	test_midway();
	test_new_advice();
	test_process_advice();
	expect_errno(madvise(p, LEN, 9999), EINVAL);
	expect_errno(madvise(p + 1, LEN, MADV_DONTNEED), EINVAL);
	need(munmap(p + 4096, 4096));
	expect_errno(madvise(p, LEN, MADV_DONTNEED), ENOMEM);
	return done();
}
