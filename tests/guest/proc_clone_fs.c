/* clone() with and without CLONE_FS: one working directory and umask, or two. */
#include "guest_task.h"

static int child(void *arg)
{
	mode_t *seen = arg;
	*seen = umask(0137);
	return chdir("/proc") == 0 ? 3 : 1;
}

static void run(int flags, bool shared)
{
	char *stack = map_stack();
	char cwd[256];
	mode_t *seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	need((long)seen);
	need(chdir("/"));
	umask(022);
	pid_t pid = need(clone(child, stack + STACK_SIZE, flags | SIGCHLD, seen));
	expect_child(pid, 3);
	expect_eq_long(*seen, 022, "umask the child found");
	need((long)getcwd(cwd, sizeof(cwd)) ? 0 : -1);
	mode_t mine = umask(022);
	show("flags %#x: pid %d, working directory %s, umask %o", flags, pid, cwd, mine);
	expect(strcmp(cwd, shared ? "/proc" : "/") == 0, "working directory");
	expect_eq_long(mine, shared ? 0137 : 022, "umask");
	munmap(stack, STACK_SIZE);
	munmap(seen, 4096);
}

int main(void)
{
	run(0, false);
	run(CLONE_FS, true);
	return done();
}
