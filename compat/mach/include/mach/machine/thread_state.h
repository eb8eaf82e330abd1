/* Mach on Linux: the size of thread states. */
#ifndef _MACH_MACHINE_THREAD_STATE_H_
#define _MACH_MACHINE_THREAD_STATE_H_

/* The largest state, in words of four bytes. */
#define THREAD_STATE_MAX 614

#endif
