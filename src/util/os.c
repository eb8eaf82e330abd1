/* The table of system calls. Invariant: outside tests it holds the real ones. */
#include "util/os.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int real_openat(int directory, const char *path, int flags, mode_t mode)
{
	return openat(directory, path, flags | O_CLOEXEC, mode);
}

static int real_clone_file(int to, int from)
{
	return ioctl(to, FICLONE, from);
}

#define REAL_CALLS                                                                             \
	{                                                                                      \
		.openat = real_openat, .pread = pread, .write = write, .ftruncate = ftruncate, \
		.mkdirat = mkdirat, .renameat = renameat, .linkat = linkat,                    \
		.symlinkat = symlinkat, .unlinkat = unlinkat, .clone_file = real_clone_file    \
	}

struct os os = REAL_CALLS;
const struct os os_real = REAL_CALLS;

int os_write_all(int fd, const void *bytes, size_t length)
{
	const unsigned char *from = bytes;

	while (length) {
		ssize_t n = os.write(fd, from, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : EIO;
		from += n;
		length -= n;
	}
	return 0;
}

int os_pread_all(int fd, void *buffer, size_t length, off_t offset, size_t *got)
{
	*got = 0;
	while (*got < length) {
		ssize_t n = os.pread(fd, (char *)buffer + *got, length - *got, offset + *got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			break;
		*got += n;
	}
	return 0;
}
