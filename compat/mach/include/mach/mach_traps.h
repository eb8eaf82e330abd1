/* Mach on Linux: tasks and processes. */
#ifndef _MACH_MACH_TRAPS_H_
#define _MACH_MACH_TRAPS_H_

#include <mach/mach_types.h>

__BEGIN_DECLS

/* Refers to the process `pid`. KERN_FAILURE: there is no such process, or it may not be controlled
 * (which is the kernel's decision; mach_warp_explanation() tells why). */
kern_return_t task_for_pid(mach_port_name_t target_tport, int pid, mach_port_name_t *t);
kern_return_t pid_for_task(mach_port_name_t t, int *x);

__END_DECLS

#endif
