/* CLONE_VM without CLONE_THREAD: a process of its own, with its own pid, on the same memory. */
#include "guest_task.h"

struct shared {
	int turn;
	int count;
	pid_t pid;
	pid_t ppid;
	void *mapped;
};

static int child(void *arg)
{
	struct shared *sh = arg;

	sh->pid = (pid_t)syscall(SYS_getpid);
	sh->ppid = (pid_t)syscall(SYS_getppid);
	sh->mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	strcpy(sh->mapped, "mapped by the child");
	for (int i = 0; i < 20; i++) {
		futex_await(&sh->turn, 1);
		sh->count++;
		futex_post(&sh->turn, 0);
	}
	return 9;
}

static void run(int flags)
{
	struct shared sh = {0};
	char *stack = map_stack();
	pid_t pid = need(clone(child, stack + STACK_SIZE, CLONE_VM | flags | SIGCHLD, &sh));

	for (int i = 0; i < 20; i++) {
		futex_await(&sh.turn, 0);
		sh.count++;
		futex_post(&sh.turn, 1);
	}
	expect_child(pid, 9);
	expect_eq_long(sh.count, 40, "turns taken together");
	expect(sh.pid == pid && sh.ppid == getpid(), "child %d of %d", sh.pid, sh.ppid);
	expect(strcmp(sh.mapped, "mapped by the child") == 0, "%p: %s", sh.mapped,
	       (char *)sh.mapped);
	munmap(sh.mapped, 8192);
	munmap(stack, STACK_SIZE);
}

int main(void)
{
	run(0);
	run(CLONE_FILES | CLONE_FS);
	run(CLONE_FILES | CLONE_FS | CLONE_SIGHAND);
	return done();
}
