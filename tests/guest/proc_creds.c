/* User and group numbers, supplementary groups, and changes of them in a child. */
#include "guest_task.h"
#include <grp.h>
#include <sys/fsuid.h>

int main(void)
{
	uid_t r, e, s;
	gid_t groups[64];

	need(getresuid(&r, &e, &s));
	show("uids %d %d %d", (int)r, (int)e, (int)s);
	expect(r == getuid() && e == geteuid(), "getuid and geteuid agree");
	gid_t rg, eg, sg;
	need(getresgid(&rg, &eg, &sg));
	show("gids %d %d %d", (int)rg, (int)eg, (int)sg);
	int n = need(getgroups(64, groups));
	for (int i = 0; i < n; i++)
		show("group %d", (int)groups[i]);
	expect_eq_long(setfsuid((uid_t)-1), e, "fsuid");

	pid_t pid = need(fork());
	if (pid == 0) {
		if (e == 0) {
			need(setgroups(0, NULL));
			need(setresgid(4001, 4001, 4001));
			need(setresuid(4002, 4002, 4002));
			expect(getuid() == 4002 && getgid() == 4001, "now %d:%d", getuid(),
			       getgid());
		} else {
			need(setresuid(r, r, r));
		}
		expect_errno(setuid(0) == 0 && r == 0 && e != 0 ? 0 : setuid(0), EPERM);
		expect_errno(setgroups(0, NULL), EPERM);
		_exit(done());
	}
	expect_child(pid, 0);
	expect_eq_long(getuid(), r, "our own uid afterwards");
	return done();
}
