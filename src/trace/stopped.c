/* The file `stopped`. A recorder that is killed leaves it without a reason. */
#include "trace/stopped.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "abi/trace_abi.h"
#include "util/cleanup.h"
#include "util/os.h"

#define NAME "stopped"

/* Errors that the kernel has (its MAX_ERRNO). */
#define ERRNO_MAX 4095

/* Returns 0 or an errno value. */
static int put(int directory, int flags, int errnum)
{
	struct trace_stopped stopped = {.version = TRACE_VERSION, .error = (uint32_t)errnum};
	int fd _cleanup_fd_ = os.openat(directory, NAME, O_WRONLY | O_NOFOLLOW | flags, 0600);

	memcpy(stopped.magic, TRACE_STOPPED_MAGIC, sizeof(stopped.magic));
	return fd < 0 ? errno : os_write_all(fd, &stopped, sizeof(stopped));
}

struct error *trace_stopped_reserve(int directory, const char *name)
{
	int errnum = put(directory, O_CREAT | O_EXCL, 0);

	return errnum ? error_hint(error_os(errnum, "cannot write %s/" NAME, name),
				   "is the directory yours, and empty?")
		      : NULL;
}

void trace_stopped_write(int directory, int errnum)
{
	if (!errnum || put(directory, 0, errnum))
		os.unlinkat(directory, NAME, 0);
}

int trace_stopped_read(int directory)
{
	struct trace_stopped stopped;
	int fd _cleanup_fd_ =
		os.openat(directory, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0);
	size_t got = 0;

	if (fd < 0 || os_pread_all(fd, &stopped, sizeof(stopped), 0, &got) ||
	    got != sizeof(stopped) ||
	    memcmp(stopped.magic, TRACE_STOPPED_MAGIC, sizeof(stopped.magic)) ||
	    stopped.version != TRACE_VERSION || stopped.error > ERRNO_MAX)
		return 0;
	return (int)stopped.error;
}
