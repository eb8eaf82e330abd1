/*
 * landlock: a child that may only read below its own directory.
 */
#include "guest.h"
#include <linux/landlock.h>
#include <sys/prctl.h>

static void restricted(int ruleset)
{
	need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	expect_eq_long(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1, "PR_GET_NO_NEW_PRIVS");
	expect_eq_long(syscall(SYS_landlock_restrict_self, ruleset, 0), 0, "restrict_self");
	int fd = open(temp_path("in"), O_RDONLY);
	expect(fd >= 0, "reading inside the directory is allowed");
	expect_errno(open("/proc/self/status", O_RDONLY), EACCES);
	expect_errno(open(temp_path("in"), O_WRONLY), EACCES);
	expect_errno(open(temp_path("new"), O_WRONLY | O_CREAT, 0600), EACCES);
	_exit(done());
}

int main(void)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE |
								  LANDLOCK_ACCESS_FS_WRITE_FILE |
								  LANDLOCK_ACCESS_FS_MAKE_REG};
	int abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (abi < 1)
		skip("landlock: %s", strerror(errno));
	show("landlock version %d", abi);
	expect_errno(syscall(SYS_landlock_create_ruleset, &attr, 1, 0), EINVAL);
	int ruleset = need(syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0));
	close(need(open(temp_path("in"), O_CREAT | O_WRONLY, 0644)));
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = need(open(temp_dir(), O_PATH | O_DIRECTORY))};
	expect_eq_long(
		syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0), 0,
		"add_rule");
	rule.allowed_access = 1UL << 60;
	expect_errno(syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0),
		     EINVAL);
	pid_t pid = need(fork());
	if (pid == 0)
		restricted(ruleset);
	expect_child(pid, 0);
	close(need(open("/proc/self/status", O_RDONLY)));
	show("the parent is not restricted");
	return done();
}
