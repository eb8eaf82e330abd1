/*
 * getrlimit, setrlimit, prlimit on this process and a child; RLIMIT_NOFILE and RLIMIT_AS at work;
 * nice, getpriority, setpriority, ioprio.
 */
#include "guest.h"
#include <sys/mman.h>
#include <sys/resource.h>

static void constrained(void)
{
	struct rlimit limit = {20, 20}, as;
	int fd, last = -1;

	need(setrlimit(RLIMIT_NOFILE, &limit));
	while ((fd = dup(1)) >= 0)
		last = fd;
	expect(errno == EMFILE && last <= 19, "EMFILE after descriptor %d", last);
	expect_eq_long(sysconf(_SC_OPEN_MAX), 20, "_SC_OPEN_MAX");
	limit = (struct rlimit){20, 30};
	if (geteuid() != 0)
		expect_errno(setrlimit(RLIMIT_NOFILE, &limit), EPERM);
	need(getrlimit(RLIMIT_AS, &as));
	as.rlim_cur = 64 << 20;
	need(setrlimit(RLIMIT_AS, &as));
	expect_errno((long)mmap(NULL, 1 << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		     ENOMEM);
	_exit(done());
}

int main(void)
{
	struct rlimit limit, old;

	for (int i = 0; i < RLIM_NLIMITS; i++) {
		expect_eq_long(getrlimit(i, &limit), 0, "getrlimit");
		show("resource %d: %lx %lx", i, (long)limit.rlim_cur, (long)limit.rlim_max);
	}
	expect_errno(syscall(SYS_getrlimit, 99, &limit), EINVAL);
	need(getrlimit(RLIMIT_CORE, &limit));
	limit.rlim_cur = 0;
	expect_eq_long(syscall(SYS_setrlimit, RLIMIT_CORE, &limit), 0, "setrlimit");
	expect_eq_long(prlimit(0, RLIMIT_CORE, NULL, &old), 0, "prlimit");
	expect_eq_long(old.rlim_cur, 0, "soft limit");
	limit = (struct rlimit){10, 5};
	expect_errno(setrlimit(RLIMIT_CORE, &limit), EINVAL);

	int p[2];
	char c;
	need(pipe(p));
	pid_t pid = need(fork());
	if (pid == 0) {
		need(read(p[0], &c, 1));
		need(getrlimit(RLIMIT_STACK, &limit));
		expect_eq_long(limit.rlim_cur, 1 << 20, "the limit the parent gave");
		constrained();
	}
	need(getrlimit(RLIMIT_STACK, &limit));
	limit.rlim_cur = 1 << 20;
	expect_eq_long(prlimit(pid, RLIMIT_STACK, &limit, &old), 0, "prlimit of the child");
	need(write(p[1], "g", 1));
	expect_child(pid, 0);
	expect_errno(prlimit(pid, RLIMIT_STACK, NULL, &old), ESRCH);

	errno = 0;
	int prio = getpriority(PRIO_PROCESS, 0);
	show("priority %d, raw %ld", prio, syscall(SYS_getpriority, PRIO_PROCESS, 0));
	if (prio <= 15) {
		expect_eq_long(nice(3), prio + 3, "nice");
		expect_eq_long(setpriority(PRIO_PROCESS, 0, prio + 4), 0, "setpriority");
		expect_eq_long(getpriority(PRIO_PROCESS, getpid()), prio + 4, "getpriority");
	}
	expect_errno(setpriority(PRIO_PROCESS, 0x7ffffff0, 0), ESRCH);
	expect_errno(getpriority(99, 0), EINVAL);
	long io = syscall(SYS_ioprio_get, 1, 0);
	show("ioprio 0x%lx", io);
	expect_eq_long(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 6), 0, "ioprio_set");
	expect_eq_long(syscall(SYS_ioprio_get, 1, 0), 2 << 13 | 6, "ioprio_get");
	return done();
}
