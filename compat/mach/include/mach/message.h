/* Mach on Linux: what calls have inherited from the messages that they are elsewhere. */
#ifndef _MACH_MESSAGE_H_
#define _MACH_MESSAGE_H_

#include <mach/kern_return.h>
#include <mach/machine/vm_types.h>
#include <mach/port.h>

typedef natural_t mach_msg_type_number_t;
typedef natural_t mach_msg_size_t;
typedef kern_return_t mach_msg_return_t;

#define MACH_MSG_SUCCESS 0x00000000
/* What a call on a name that is none, or whose task or thread has ended, returns. */
#define MACH_SEND_INVALID_DEST 0x10000003

#endif
