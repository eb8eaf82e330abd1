/* Mach on Linux: memory of tasks. */
#ifndef _MACH_VM_TYPES_H_
#define _MACH_VM_TYPES_H_

#include <mach/machine/vm_types.h>
#include <mach/port.h>

typedef vm_offset_t pointer_t;
typedef vm_offset_t vm_address_t;
typedef mach_port_t vm_map_t;
typedef mach_port_t vm_map_read_t;
typedef mach_port_t vm_map_inspect_t;
typedef vm_offset_t memory_object_offset_32_t;
typedef unsigned long long memory_object_offset_t;
typedef unsigned long long memory_object_size_t;
typedef unsigned int vm_object_id_32_t;
typedef unsigned long long vm_object_id_t;

#define VM_MAP_NULL ((vm_map_t)0)

#endif
