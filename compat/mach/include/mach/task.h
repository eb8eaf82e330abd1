/* Mach on Linux: control of tasks. */
#ifndef _MACH_TASK_H_
#define _MACH_TASK_H_

#include <mach/mach_types.h>

__BEGIN_DECLS

/* Stops all threads of the task; each suspension wants one task_resume. */
kern_return_t task_suspend(task_t target_task);
/* KERN_FAILURE if it is not suspended. */
kern_return_t task_resume(task_t target_task);
/* Names of all threads, in memory that vm_deallocate frees. */
kern_return_t task_threads(task_t target_task, thread_act_array_t *act_list,
			   mach_msg_type_number_t *act_listCnt);
kern_return_t task_terminate(task_t target_task);

__END_DECLS

#endif
