/* Mach on Linux. */
#ifndef _MACH_MACHINE__STRUCTS_H_
#define _MACH_MACHINE__STRUCTS_H_

#include <mach/i386/_structs.h>

#endif
