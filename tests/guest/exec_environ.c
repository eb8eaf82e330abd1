/* The environment: setenv, unsetenv, clearenv, and what the exec functions pass on; PATH search. */
#include "guest_task.h"

static void run(int status, const char *script, bool clear)
{
	pid_t pid = need(fork());
	if (pid == 0) {
		if (clear)
			clearenv();
		execl("/bin/sh", "sh", "-c", script, NULL);
		_exit(127);
	}
	expect_child(pid, status);
}

int main(void)
{
	need(setenv("GUEST_VALUE", "one", 1));
	run(11, "test \"$GUEST_VALUE\" = one && exit 11", false);
	need(setenv("GUEST_VALUE", "two", 0));
	expect(strcmp(getenv("GUEST_VALUE"), "one") == 0, "setenv without overwriting");
	need(setenv("GUEST_VALUE", "two", 1));
	run(12, "test \"$GUEST_VALUE\" = two && exit 12", false);
	char entry[] = "GUEST_OTHER=put";
	putenv(entry);
	entry[12] = 'P';
	run(13, "test \"$GUEST_OTHER\" = Put && exit 13", false);
	need(unsetenv("GUEST_VALUE"));
	run(14, "test -z \"$GUEST_VALUE\" && exit 14", false);
	run(15, "test -z \"$GUEST_OTHER\" && exit 15", true);
	expect_errno(setenv("A=B", "x", 1), EINVAL);

	/* execvpe() searches our PATH, not that of the new environment. */
	const char *tool = temp_path("guest-tool");
	int fd = need(open(tool, O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
	const char *text = "#!/bin/sh\ntest \"$ONLY\" = this && exit 16\n";
	need(write(fd, text, strlen(text)));
	close(fd);
	char path[PATH_MAX + 64];
	snprintf(path, sizeof(path), "/nonexistent:%s:/bin", temp_dir());
	need(setenv("PATH", path, 1));
	pid_t pid = need(fork());
	if (pid == 0) {
		char *argv[] = {"guest-tool", NULL};
		char *envp[] = {"ONLY=this", NULL};
		execvpe("guest-tool", argv, envp);
		_exit(127);
	}
	expect_child(pid, 16);
	return done();
}
