/* The caller of a system call, as expressions see it. */
#include "live/caller.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "live/engine.h"
#include "util/cleanup.h"

static size_t read_comm(void *context, char *to, size_t room)
{
	const struct live_task *task = context;
	char path[64];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/comm", task->tracee.tid);
	int fd _cleanup_fd_ = open(path, O_RDONLY | O_CLOEXEC);

	got = fd < 0 ? 0 : read(fd, to, room);
	if (got <= 0)
		return 0;
	return to[got - 1] == '\n' ? (size_t)got - 1 : (size_t)got;
}

static size_t read_fd_path(void *context, int fd, char *to, size_t room)
{
	const struct live_task *task = context;
	char path[64];
	ssize_t length;

	if (fd == AT_FDCWD)
		snprintf(path, sizeof(path), "/proc/%d/cwd", task->tracee.tid);
	else
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", task->tracee.tid, fd);
	length = readlink(path, to, room);
	return length < 0 ? 0 : (size_t)length;
}

struct expr_process live_caller(struct live_task *task)
{
	return (struct expr_process){.pid = task->tracee.tgid,
				     .tid = task->tracee.tid,
				     .comm = read_comm,
				     .fd_path = read_fd_path,
				     .context = task};
}
