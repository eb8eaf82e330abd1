/*
 * mincore, mlock, mlock2, munlock, mlockall, msync and their errors.
 */
#include "guest.h"
#include <sys/mman.h>
#include <sys/resource.h>

#define LEN (16 * 4096)

int main(void)
{
	char *p = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned char vec[16];
	struct rlimit limit;

	need((long)p);
	need(getrlimit(RLIMIT_MEMLOCK, &limit));
	show("RLIMIT_MEMLOCK %ld %ld", (long)limit.rlim_cur, (long)limit.rlim_max);
	memset(vec, 0xee, sizeof(vec));
	expect_eq_long(mincore(p, LEN, vec), 0, "mincore");
	expect_eq_long(vec[0] & 1, 0, "not resident");
	p[4096] = 1;
	expect_eq_long(mincore(p, LEN, vec), 0, "mincore");
	expect_eq_long(vec[1] & 1, 1, "resident");
	hexdump("mincore", vec, 16);
	expect_errno(mincore(p + 1, LEN, vec), EINVAL);

	if (limit.rlim_cur >= LEN) {
		expect_eq_long(mlock(p, LEN), 0, "mlock");
		expect_eq_long(mincore(p, LEN, vec), 0, "mincore");
		int resident = 0;
		for (int i = 0; i < 16; i++)
			resident += vec[i] & 1;
		expect_eq_long(resident, 16, "resident pages");
		expect_errno(madvise(p, LEN, MADV_DONTNEED), EINVAL);
		expect_errno(msync(p, LEN, MS_INVALIDATE), EBUSY);
		expect_eq_long(munlock(p, LEN), 0, "munlock");
		expect_eq_long(syscall(SYS_mlock2, p, 4096, 1 /* MLOCK_ONFAULT */), 0, "mlock2");
		expect_errno(syscall(SYS_mlock2, p, 4096, 64), EINVAL);
		int r = mlockall(MCL_FUTURE);
		show("mlockall: %d (%s)", r, r ? strerror(errno) : "");
		expect_eq_long(munlockall(), 0, "munlockall");
	}
	if (geteuid() != 0) {
		limit.rlim_cur = 4096;
		need(setrlimit(RLIMIT_MEMLOCK, &limit));
		expect_errno(mlock(p, LEN), ENOMEM);
	}
	expect_errno(mlockall(64), EINVAL);
	expect_eq_long(msync(p, LEN, MS_ASYNC), 0, "msync");
	expect_errno(msync(p, LEN, MS_ASYNC | MS_SYNC), EINVAL);
	need(munmap(p + 4096, 4096));
	expect_errno(mlock(p, LEN), ENOMEM);
	expect_errno(msync(p, LEN, MS_SYNC), ENOMEM);
	expect_errno(mincore(p, LEN, vec), ENOMEM);
	return done();
}
