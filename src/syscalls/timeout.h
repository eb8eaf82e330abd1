/* Calls that begin their timeout anew when they are interrupted. */
#ifndef WARP_SYSCALLS_TIMEOUT_H
#define WARP_SYSCALLS_TIMEOUT_H

#include "syscalls/syscalls.h"

/* How the timeout is given, and what the call returns then. */
struct sc_timeout {
	int nr;
	int arg;
	bool milliseconds; /* an int, negative for ever; else the address of a timespec */
	int result;
};

/* NULL if the call has no such timeout. */
const struct sc_timeout *sc_timeout(int nr);
/* In nanoseconds; UINT64_MAX: none. */
uint64_t sc_timeout_ns(const struct sc_timeout *timeout, const struct sc_call *call,
		       const struct sc_memory *memory);

#endif
