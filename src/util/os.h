/* The system calls that src/trace makes on files, behind a table, so that a test can make the Nth
 * of them fail. Everything else calls libc directly.
 *
 * The functions take, return and set errno as their namesakes of section 2 of the manual; openat
 * always sets O_CLOEXEC. A test replaces members before it creates the object under test. */
#ifndef WARP_UTIL_OS_H
#define WARP_UTIL_OS_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

struct os {
	int (*openat)(int directory, const char *path, int flags, mode_t mode);
	ssize_t (*pread)(int fd, void *buffer, size_t length, off_t offset);
	ssize_t (*write)(int fd, const void *bytes, size_t length);
	int (*ftruncate)(int fd, off_t length);
	int (*mkdirat)(int directory, const char *path, mode_t mode);
	int (*renameat)(int old_directory, const char *old_path, int directory, const char *path);
	int (*linkat)(int old_directory, const char *old_path, int directory, const char *path,
		      int flags);
	int (*symlinkat)(const char *target, int directory, const char *path);
	int (*unlinkat)(int directory, const char *path, int flags);
	/* ioctl(to, FICLONE, from), ioctl_ficlone(2) */
	int (*clone_file)(int to, int from);
};

extern struct os os;

/* The real calls. */
extern const struct os os_real;

/* Writes all of it, going on after short writes and EINTR. Returns 0 or an errno value; then an
 * unknown part has been written. */
int os_write_all(int fd, const void *bytes, size_t length);
/* Reads until `length` bytes or the end of the file, going on after short reads and EINTR. Returns
 * 0 or an errno value, and the bytes read in *got. */
int os_pread_all(int fd, void *buffer, size_t length, off_t offset, size_t *got);

#endif
