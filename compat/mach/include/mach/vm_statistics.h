/* Mach on Linux: flags of allocation. Tags are accepted and forgotten. */
#ifndef _MACH_VM_STATISTICS_H_
#define _MACH_VM_STATISTICS_H_

/* Flags of mach_vm_allocate. */
#define VM_FLAGS_FIXED			 0x00000000
#define VM_FLAGS_ANYWHERE		 0x00000001
#define VM_FLAGS_OVERWRITE		 0x00004000
#define VM_FLAGS_ALIAS_MASK		 0xFF000000
#define VM_MAKE_TAG(tag)		 ((tag) << 24)
#define VM_MEMORY_MALLOC		 1
#define VM_MEMORY_STACK			 30
#define VM_MEMORY_APPLICATION_SPECIFIC_1 240

#endif
