/* posix_spawn(): file actions, attributes, a program that does not exist. */
#include "guest_task.h"
#include <spawn.h>

extern char **environ;

int main(void)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t set;
	pid_t pid;
	int fds[2];
	char text[128] = "";
	char *argv[] = {"sh", "-c", "echo out; echo $0 $1 >&2; kill -USR1 $$; exit 6",
			"a",  "b",  NULL};

	need(pipe2(fds, O_CLOEXEC));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	posix_spawn_file_actions_addclose(&actions, fds[0]);

	/* SIGUSR1 is blocked in the new program, so its own kill does not end it. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attr, &set);
	posix_spawnattr_setpgroup(&attr, 0);

	expect_eq_long(posix_spawn(&pid, "/bin/sh", &actions, &attr, argv, environ), 0, "spawn");
	close(fds[1]);
	expect_eq_long(getpgid(pid), pid, "process group");
	size_t len = 0;
	ssize_t n;
	while ((n = read(fds[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	expect(strcmp(text, "out\na b\n") == 0, "output of %d: %s", pid, text);
	expect_child(pid, 6);

	pid_t none = -7;
	/* A directory that may not be searched would make this EACCES. */
	need(setenv("PATH", "/usr/bin:/bin", 1));
	expect_eq_long(posix_spawn(&none, "/nonexistent/program", NULL, NULL, argv, environ),
		       ENOENT, "result of spawning nothing");
	expect_eq_long(posix_spawnp(&none, "no-such-program-anywhere", NULL, NULL, argv, environ),
		       ENOENT, "result of spawnp");
	expect_errno(wait(NULL), ECHILD);
	char *true_argv[] = {"true", NULL};
	expect_eq_long(posix_spawnp(&pid, "true", NULL, NULL, true_argv, environ), 0, "spawnp");
	expect_child(pid, 0);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return done();
}
