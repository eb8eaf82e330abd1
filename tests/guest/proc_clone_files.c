/* clone() with and without CLONE_FILES: one descriptor table, or two. */
#include "guest_task.h"

static int fds[2];

static int child(void *arg)
{
	int *opened = arg;
	close(fds[0]);
	*opened = open("/dev/null", O_RDONLY);
	int at_200 = dup2(*opened, 200);
	return at_200 == 200 ? 7 : 1;
}

static void run(int flags, bool shared)
{
	char *stack = map_stack();
	int *opened = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	need((long)opened);
	need(pipe(fds));
	pid_t pid = need(clone(child, stack + STACK_SIZE, flags | SIGCHLD, opened));
	expect_child(pid, 7);
	bool closed = fcntl(fds[0], F_GETFD) == -1 && errno == EBADF;
	bool have_200 = fcntl(200, F_GETFD) != -1;
	show("flags %#x: child %d opened descriptor %d", flags, pid, *opened);
	/* The child reused the number it had closed. */
	expect(*opened == fds[0], "the lowest free descriptor is %d", fds[0]);
	expect(!closed, "descriptor %d is open", fds[0]);
	expect(have_200 == shared, "descriptor 200 is %s", shared ? "shared" : "not shared");
	struct stat st;
	need(fstat(fds[0], &st));
	expect(S_ISCHR(st.st_mode) == shared, "descriptor %d: mode %o", fds[0], st.st_mode);
	close(200);
	close(fds[0]);
	close(fds[1]);
	munmap(stack, STACK_SIZE);
	munmap(opened, 4096);
}

int main(void)
{
	run(0, false);
	run(CLONE_FILES, true);
	return done();
}
