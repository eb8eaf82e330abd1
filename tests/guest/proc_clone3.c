/* clone3(): children made with it, and the errors of its arguments. */
#include "guest_task.h"
#include <linux/sched.h>

static long clone3(struct clone_args *args, size_t size)
{
	return syscall(SYS_clone3, args, size);
}

int main(void)
{
	int parent_tid = -1, pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_PARENT_SETTID | CLONE_PIDFD,
		.exit_signal = SIGCHLD,
		.parent_tid = (uintptr_t)&parent_tid,
		.pidfd = (uintptr_t)&pidfd,
	};

	long pid = clone3(&args, sizeof(args));
	if (pid == -1 && errno == ENOSYS)
		skip("clone3");
	if (pid == 0)
		_exit(21);
	need(pid);
	show("child %ld, tid word %d, pidfd %d", pid, parent_tid, pidfd);
	expect(parent_tid == pid, "tid word");
	expect_child((pid_t)pid, 21);

	struct clone_args plain = {.exit_signal = SIGCHLD};
	pid = clone3(&plain, 64);
	if (pid == 0)
		_exit(22);
	expect_child((pid_t)pid, 22);

	/* Process 1 exists, and only a privileged caller may choose numbers at all. */
	pid_t wanted = 1;
	args.set_tid = (uintptr_t)&wanted;
	args.set_tid_size = 1;
	errno = 0;
	pid = clone3(&args, sizeof(args));
	expect(pid == -1 && (errno == EEXIST || errno == EPERM), "set_tid 1: %s", strerror(errno));
	args.set_tid_size = 1000;
	expect_errno(clone3(&args, sizeof(args)), EINVAL);

	struct clone_args bad = {.flags = CLONE_SIGHAND, .exit_signal = SIGCHLD};
	expect_errno(clone3(&bad, sizeof(bad)), EINVAL);
	bad = (struct clone_args){.exit_signal = 65};
	expect_errno(clone3(&bad, sizeof(bad)), EINVAL);
	bad = (struct clone_args){.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM,
				  .exit_signal = SIGCHLD};
	expect_errno(clone3(&bad, sizeof(bad)), EINVAL);
	expect_errno(clone3(&plain, 8), EINVAL);
	expect_errno(clone3(NULL, sizeof(plain)), EFAULT);
	expect_errno(clone3(&plain, 1 << 20), E2BIG);
	return done();
}
