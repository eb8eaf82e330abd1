/*
 * User and group identities: the get calls, setting to the same, and as root in a child to others.
 */
#include "guest.h"
#include <grp.h>
#include <sys/fsuid.h>

static void drop(void)
{
	gid_t groups[3] = {11, 22, 33}, got[8];
	uid_t r, e, s;

	need(setgroups(3, groups));
	expect_eq_long(getgroups(8, got), 3, "getgroups");
	hexdump("groups", got, 12);
	expect_eq_long(setresgid(100, 200, 300), 0, "setresgid");
	expect_eq_long(setfsuid(77), 0, "setfsuid returns the old one");
	expect_eq_long(setfsuid(-1), 77, "setfsuid");
	expect_eq_long(setresuid(1000, 2000, 3000), 0, "setresuid");
	need(getresuid(&r, &e, &s));
	expect(r == 1000 && e == 2000 && s == 3000, "real %u effective %u saved %u", r, e, s);
	need(getresgid(&r, &e, &s));
	expect(r == 100 && e == 200 && s == 300, "real %u effective %u saved %u", r, e, s);
	expect_eq_long(seteuid(3000), 0, "seteuid to the saved one");
	expect_eq_long(setreuid(-1, 1000), 0, "setreuid");
	expect_errno(setuid(0), EPERM);
	expect_errno(setgroups(1, groups), EPERM);
	expect_eq_long(setuid(3000), 0, "setuid to the saved one");
	expect_eq_long(geteuid(), 3000, "geteuid");
	_exit(done());
}

int main(void)
{
	uid_t r, e, s;
	gid_t groups[1024];

	show("uid %u euid %u gid %u egid %u", getuid(), geteuid(), getgid(), getegid());
	need(getresuid(&r, &e, &s));
	expect(r == getuid() && e == geteuid(), "getresuid: %u %u %u", r, e, s);
	need(getresgid(&r, &e, &s));
	expect(r == getgid() && e == getegid(), "getresgid: %u %u %u", r, e, s);
	int n = getgroups(1024, groups);
	expect(n >= 0 && n == getgroups(0, NULL), "%d groups", n);
	hexdump("groups", groups, n * sizeof(groups[0]));
	expect_errno(syscall(SYS_getgroups, -1, groups), EINVAL);
	expect_eq_long(setuid(getuid()), 0, "setuid to the same");
	expect_eq_long(setregid(-1, -1), 0, "setregid to nothing");
	expect_eq_long(setfsgid(getegid()), getegid(), "setfsgid");
	show("pid %d ppid %d pgrp %d sid %d tid %d", getpid(), getppid(), getpgrp(), getsid(0),
	     gettid());
	expect_errno(getsid(-5), ESRCH);
	expect_errno(syscall(SYS_getresuid, (void *)8, &e, &s), EFAULT);
	pid_t pid = need(fork());
	if (pid == 0) {
		gid_t none;
		if (geteuid() == 0 && setgroups(0, &none) == 0)
			drop();
		expect_errno(setresuid(12345, 12345, 12345), EPERM);
		_exit(done());
	}
	expect_child(pid, 0);
	return done();
}
