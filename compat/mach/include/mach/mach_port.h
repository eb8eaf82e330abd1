/* Mach on Linux: references to names. */
#ifndef _MACH_MACH_PORT_H_
#define _MACH_MACH_PORT_H_

#include <mach/mach_types.h>

__BEGIN_DECLS

/* Gives one reference to a name up. A task that was suspended stays so until it is resumed through
 * another name, or we end. */
kern_return_t mach_port_deallocate(ipc_space_t task, mach_port_name_t name);
kern_return_t mach_port_mod_refs(ipc_space_t task, mach_port_name_t name, mach_port_right_t right,
				 mach_port_delta_t delta);

__END_DECLS

#endif
