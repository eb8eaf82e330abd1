/* A tracee's memory, through /proc/TID/mem: one descriptor, no limit of length, writes go through
 * read-only protections (FOLL_FORCE; mm/gup.c), which PROT_NONE guard pages also obey. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "tracee/tracee.h"

static bool open_memory(struct tracee *tracee)
{
	char path[48];

	if (tracee->mem >= 0)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/mem", tracee->tid);
	tracee->mem = open(path, O_RDWR | O_CLOEXEC);
	return tracee->mem >= 0;
}

void tracee_forget_memory(struct tracee *tracee)
{
	if (tracee->mem >= 0)
		close(tracee->mem);
	tracee->mem = -1;
}

size_t tracee_read(struct tracee *tracee, taddr addr, void *to, size_t length)
{
	size_t done = 0;

	if (!open_memory(tracee))
		return 0;
	while (done < length) {
		ssize_t got =
			pread(tracee->mem, (char *)to + done, length - done, (off_t)(addr + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		done += (size_t)got;
	}
	return done;
}

size_t tracee_write(struct tracee *tracee, taddr addr, const void *from, size_t length)
{
	size_t done = 0;

	if (!open_memory(tracee))
		return 0;
	while (done < length) {
		ssize_t put = pwrite(tracee->mem, (const char *)from + done, length - done,
				     (off_t)(addr + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			break;
		done += (size_t)put;
	}
	return done;
}

static size_t read_for_syscalls(void *context, taddr addr, void *to, size_t length)
{
	return tracee_read(context, addr, to, length);
}

struct sc_memory tracee_memory(struct tracee *tracee)
{
	return (struct sc_memory){.read = read_for_syscalls, .context = tracee};
}
