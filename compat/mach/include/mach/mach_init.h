/* Mach on Linux: who we are. */
#ifndef _MACH_MACH_INIT_H_
#define _MACH_MACH_INIT_H_

#include <mach/mach_types.h>

__BEGIN_DECLS

extern mach_port_t mach_task_self_;
#define mach_task_self() mach_task_self_
#define current_task()	 mach_task_self()

mach_port_t mach_thread_self(void);

extern vm_size_t vm_page_size;
extern vm_size_t vm_page_mask;
extern int vm_page_shift;

__END_DECLS

#include <mach/mach_traps.h>

#endif
