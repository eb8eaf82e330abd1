/*
 * exec inside a chroot: absolute links lead to files in there, whatever has the same path outside.
 */
#include "guest.h"

/* The beginning of an ELF file for a 32-bit machine. */
static const char foreign[64] = "\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\3";

static void write_file(const char *path, const char *text, size_t length, mode_t mode)
{
	int fd = (int)need(open(path, O_CREAT | O_WRONLY | O_TRUNC, mode));

	need(write(fd, text, length));
	close(fd);
}

/* All directories above the file. */
static void make_parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			need(-1);
		*slash = '/';
	}
}

static void inside(const char *root)
{
	char *argv[] = {"program", NULL};

	need(chroot(root));
	need(chdir("/"));
	/* Not executable; the other one is, but for another machine. */
	expect_errno(execv("/link", argv), EACCES);
	expect_errno(execv("link", argv), EACCES);
	need(mkdir("/below", 0700));
	need(chdir("/below"));
	expect_errno(execv("../link", argv), EACCES);
	expect_errno(execv("../../../link", argv), EACCES);
	int dir = (int)need(open("/below", O_RDONLY | O_DIRECTORY));

	expect_errno(syscall(SYS_execveat, dir, "../link", argv, NULL, 0), EACCES);
	expect_errno(execv("/nothing", argv), ENOENT);
	expect_errno(execv("/below", argv), EACCES);
}

int main(void)
{
	const char *outside = temp_path("program");
	char path[PATH_MAX + 512];

	write_file(outside, foreign, sizeof(foreign), 0700);
	snprintf(path, sizeof(path), "%s%s", temp_path("root"), outside);
	make_parents(path);
	write_file(path, "text", 4, 0600);
	need(symlink(outside, temp_path("root/link")));
	pid_t pid = need(fork());

	if (pid == 0) {
		if (chroot("/") < 0)
			skip("chroot: %s", strerror(errno));
		inside(temp_path("root"));
		_exit(done());
	}
	int status = 0;

	need(waitpid(pid, &status, 0));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip("chroot");
	expect(status == 0, "status %#x", (unsigned)status);
	return done();
}
