/* execve() failing in many ways: the program goes on with all it had. */
#include "guest_task.h"
#include <sys/resource.h>

static int try(const char *path, char **argv)
{
	char *env[] = {NULL};
	errno = 0;
	execve(path, argv, env);
	return errno;
}

static const char *make(const char *name, const void *data, size_t len, mode_t mode)
{
	const char *path = temp_path(name);
	int fd = need(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	need(write(fd, data, len));
	need(fchmod(fd, mode));
	close(fd);
	return path;
}

int main(void)
{
	char *argv[] = {"x", NULL};
	static char long_path[PATH_MAX + 10];
	char *huge = malloc(200 * 1024);
	unsigned char elf[64] = "\177ELF\2\1\1";

	expect_eq_long(try("/nonexistent/program", argv), ENOENT, "missing: errno");
	expect_eq_long(try("", argv), ENOENT, "empty name: errno");
	expect_eq_long(try("/", argv), EACCES, "directory: errno");
	expect_eq_long(try("/dev/null", argv), EACCES, "device: errno");
	expect_eq_long(try("/proc/self/exe/x", argv), ENOTDIR, "below a file: errno");
	expect_eq_long(try(make("plain", "text", 4, 0644), argv), EACCES, "mode 644: errno");
	expect_eq_long(try(make("text", "text", 4, 0755), argv), ENOEXEC, "text: errno");
	expect_eq_long(try(make("empty", "", 0, 0755), argv), ENOEXEC, "empty file: errno");
	expect_eq_long(try(make("elf", elf, sizeof(elf), 0755), argv), ENOEXEC, "bad ELF: errno");
	expect_eq_long(try((const char *)8, argv), EFAULT, "bad path pointer: errno");
	char **volatile bad_argv = (char **)8;
	expect_eq_long(try("/proc/self/exe", bad_argv), EFAULT, "bad argv pointer: errno");
	memset(long_path, 'a', sizeof(long_path) - 1);
	expect_eq_long(try(long_path, argv), ENAMETOOLONG, "long name: errno");

	/* One string may have 128 KB. */
	memset(huge, 'h', 200 * 1024 - 1);
	huge[200 * 1024 - 1] = '\0';
	char *huge_argv[] = {"x", huge, NULL};
	expect_eq_long(try("/proc/self/exe", huge_argv), E2BIG, "huge argument: errno");

	need(symlink("loop", temp_path("loop")));
	expect_eq_long(try(temp_path("loop"), argv), ELOOP, "symbolic link loop: errno");
	const char *busy = make("busy", "#!/bin/sh\n", 10, 0755);
	int fd = need(open(busy, O_WRONLY | O_CLOEXEC));
	int err = 0;
	pid_t pid = need(fork());
	if (pid == 0)
		_exit(try(busy, argv));
	int status = wait_status(pid, 0);
	err = WEXITSTATUS(status);
	/* Kernels 6.11 and some before allow writers of a running program. */
	expect(err == ETXTBSY || err == 0, "open for writing: %d", err);
	close(fd);
	free(huge);
	return done();
}
