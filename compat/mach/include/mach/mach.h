/* Mach on Linux: tasks, threads, registers and memory of other processes, for programs written
 * against <mach/mach.h>. docs/mach.md says what is there and what is different. */
#ifndef _MACH_H_
#define _MACH_H_

#include <mach/mach_error.h>
#include <mach/mach_init.h>
#include <mach/mach_interface.h>
#include <mach/mach_port.h>
#include <mach/mach_types.h>
#include <mach/std_types.h>

#endif
