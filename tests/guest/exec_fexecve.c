/* execveat() and fexecve(): by descriptor, by directory, a memfd copy of this program, errors. */
#include "guest_task.h"
#include <sys/sendfile.h>

extern char **environ;

static long exec_at(int dir, const char *path, char **argv, int flags)
{
	return syscall(SYS_execveat, dir, path, argv, environ, flags);
}

static int spawn_at(int dir, const char *path, int flags, const char *word)
{
	char *argv[] = {"exec_fexecve", (char *)word, NULL};
	pid_t pid = need(fork());
	if (pid == 0) {
		exec_at(dir, path, argv, flags);
		_exit(100 + (errno & 0x7f) % 100);
	}
	return WEXITSTATUS(wait_status(pid, 0));
}

int main(int argc, char **argv)
{
	char self[PATH_MAX] = "", name[32] = "";
	struct stat st;

	if (argc > 1) {
		FILE *comm = fopen("/proc/self/comm", "r");
		need(comm && fgets(name, sizeof(name), comm) ? 0 : -1);
		show("image %s, command name %s", argv[1], name);
		return 40;
	}
	need(readlink("/proc/self/exe", self, sizeof(self) - 1));
	int fd = need(open(self, O_RDONLY | O_CLOEXEC));
	expect_eq_long(spawn_at(fd, "", AT_EMPTY_PATH, "descriptor"), 40, "status");

	char *slash = strrchr(self, '/');
	*slash = '\0';
	int dir = need(open(slash == self ? "/" : self, O_PATH | O_DIRECTORY | O_CLOEXEC));
	expect_eq_long(spawn_at(dir, slash + 1, 0, "directory"), 40, "status");
	expect_eq_long(spawn_at(dir, "/proc/self/exe", 0, "absolute"), 40, "status");
	expect_eq_long(spawn_at(dir, "/proc/self/exe", AT_SYMLINK_NOFOLLOW, "link"), 100 + ELOOP,
		       "status of a link not followed");
	expect_eq_long(spawn_at(999, "x", 0, "bad"), 100 + EBADF, "status of a bad descriptor");
	expect_eq_long(spawn_at(fd, "", 0, "bad"), 100 + ENOENT, "status of an empty path");

	need(fstat(fd, &st));
	int copy = need(memfd_create("copy of the program", MFD_CLOEXEC));
	for (off_t off = 0; off < st.st_size;)
		need(sendfile(copy, fd, &off, (size_t)(st.st_size - off)));
	expect_eq_long(spawn_at(copy, "", AT_EMPTY_PATH, "memfd"), 40, "status");
	pid_t pid = need(fork());
	if (pid == 0) {
		char *args[] = {"exec_fexecve", "fexecve", NULL};
		fexecve(copy, args, environ);
		_exit(1);
	}
	expect_child(pid, 40);
	return done();
}
