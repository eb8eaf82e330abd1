/* Mach on Linux: integers and addresses. */
#ifndef _MACH_MACHINE_VM_TYPES_H_
#define _MACH_MACHINE_VM_TYPES_H_

#include <stdint.h>

/* 64-bit types are unsigned long long, as they are where programs for <mach/mach.h> come from, so
 * that they can be printed with %llx. */
typedef int integer_t;
typedef unsigned int natural_t;
typedef uintptr_t vm_offset_t;
typedef uintptr_t vm_size_t;
typedef unsigned long long mach_vm_address_t;
typedef unsigned long long mach_vm_offset_t;
typedef unsigned long long mach_vm_size_t;
typedef unsigned long long vm_map_offset_t;
typedef unsigned long long vm_map_address_t;
typedef unsigned long long vm_map_size_t;

#endif
