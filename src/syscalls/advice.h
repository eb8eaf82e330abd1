/* Advice that changes what memory holds, or what becomes of it: madvise(2). */
#ifndef WARP_SYSCALLS_ADVICE_H
#define WARP_SYSCALLS_ADVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

/* Newer than the headers of the C library (include/uapi/asm-generic/mman-common.h). */
#define SC_ADVICE_DONTNEED_LOCKED 24
#define SC_ADVICE_GUARD_INSTALL	  102
#define SC_ADVICE_GUARD_REMOVE	  103

/* Page faults of others or of the disk do not matter in a replay, contents and inheritance do; and
 * the page faults at guards, which the program wants. */
static inline bool sc_advice_lasts(uint64_t advice)
{
	switch ((int)advice) {
	case MADV_DONTNEED:
	case SC_ADVICE_DONTNEED_LOCKED:
	case MADV_FREE:
	case MADV_REMOVE:
	case MADV_DONTFORK:
	case MADV_DOFORK:
	case MADV_WIPEONFORK:
	case MADV_KEEPONFORK:
	case SC_ADVICE_GUARD_INSTALL:
	case SC_ADVICE_GUARD_REMOVE:
		return true;
	default:
		return false;
	}
}

#endif
