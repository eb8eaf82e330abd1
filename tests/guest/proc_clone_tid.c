/* CLONE_PARENT_SETTID, CLONE_CHILD_SETTID and CLONE_CHILD_CLEARTID, with own and shared memory. */
#include "guest_task.h"

static int parent_tid;
static int child_tid;
static volatile int child_saw;

static int vm_child(void *arg)
{
	struct gate *gate = arg;
	child_saw = __atomic_load_n(&child_tid, __ATOMIC_SEQ_CST);
	gate_wait(*gate);
	return 0;
}

static void with_fork(void)
{
	parent_tid = child_tid = -1;
	pid_t pid = need(syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0,
				 &parent_tid, &child_tid, 0));
	if (pid == 0)
		_exit(child_tid == getpid() ? 5 : 1);
	expect_child(pid, 5);
	expect(parent_tid == pid, "parent's word is %d", parent_tid);
	expect(child_tid == -1, "the child's word was written in the child only");
}

static void with_shared_memory(void)
{
	struct gate gate = gate_make();
	char *stack = map_stack();

	parent_tid = child_tid = -1;
	int flags = CLONE_VM | CLONE_FILES | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
		    CLONE_CHILD_CLEARTID | SIGCHLD;
	pid_t pid = need(
		clone(vm_child, stack + STACK_SIZE, flags, &gate, &parent_tid, NULL, &child_tid));
	expect(parent_tid == pid, "parent's word is %d", parent_tid);
	gate_open(gate);
	/* The kernel clears the word and wakes its waiters when the child is gone. */
	futex_await(&child_tid, 0);
	expect(child_saw == pid, "the child saw its own number %d", child_saw);
	expect_child(pid, 0);
	munmap(stack, STACK_SIZE);
}

int main(void)
{
	with_fork();
	with_shared_memory();
	return done();
}
