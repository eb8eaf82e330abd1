/* Scope guards for local resources, after the GCC/clang attribute of the same name. */
#ifndef WARP_UTIL_CLEANUP_H
#define WARP_UTIL_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free_(void *pointer)
{
	free(*(void **)pointer);
}

static inline void cleanup_fd_(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* char *text _cleanup_free_ = NULL; */
#define _cleanup_free_ __attribute__((cleanup(cleanup_free_)))
/* int fd _cleanup_fd_ = -1; */
#define _cleanup_fd_	    __attribute__((cleanup(cleanup_fd_)))
#define _cleanup_(function) __attribute__((cleanup(function)))

/* Hands a guarded pointer on: the guard then has nothing to free. */
#define take_ptr(pointer)                       \
	({                                      \
		__auto_type taken_ = (pointer); \
		(pointer) = NULL;               \
		taken_;                         \
	})

/* The same for a descriptor guarded by _cleanup_fd_. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#endif
