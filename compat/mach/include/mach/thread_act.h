/* Mach on Linux: control of threads. */
#ifndef _MACH_THREAD_ACT_H_
#define _MACH_THREAD_ACT_H_

#include <mach/mach_types.h>

__BEGIN_DECLS

/* `count` is the room in words of four bytes, and then what was written. Works on running threads
 * as well: they are stopped for the moment. */
kern_return_t thread_get_state(thread_act_t target_act, thread_state_flavor_t flavor,
			       thread_state_t old_state, mach_msg_type_number_t *old_stateCnt);
kern_return_t thread_set_state(thread_act_t target_act, thread_state_flavor_t flavor,
			       thread_state_t new_state, mach_msg_type_number_t new_stateCnt);
/* Stops one thread; each suspension wants one thread_resume. */
kern_return_t thread_suspend(thread_act_t target_act);
kern_return_t thread_resume(thread_act_t target_act);
/* The call that the thread blocks in ends, with EINTR. */
kern_return_t thread_abort(thread_act_t target_act);
kern_return_t thread_abort_safely(thread_act_t target_act);

__END_DECLS

#endif
