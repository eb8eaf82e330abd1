/* An address in a tracee: never to be followed in our own process. */
#ifndef WARP_UTIL_TADDR_H
#define WARP_UTIL_TADDR_H

#include <stdint.h>

typedef uint64_t taddr;

#endif
