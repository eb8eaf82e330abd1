/* Mach on Linux: memory of tasks, in the older form. */
#ifndef _MACH_VM_MAP_H_
#define _MACH_VM_MAP_H_

#include <mach/mach_types.h>

__BEGIN_DECLS

/* The same as mach_vm_*, with addresses of the size of our own. */
kern_return_t vm_allocate(vm_map_t target_task, vm_address_t *address, vm_size_t size, int flags);
kern_return_t vm_deallocate(vm_map_t target_task, vm_address_t address, vm_size_t size);
kern_return_t vm_protect(vm_map_t target_task, vm_address_t address, vm_size_t size,
			 boolean_t set_maximum, vm_prot_t new_protection);
kern_return_t vm_read(vm_map_t target_task, vm_address_t address, vm_size_t size, vm_offset_t *data,
		      mach_msg_type_number_t *dataCnt);
kern_return_t vm_read_overwrite(vm_map_t target_task, vm_address_t address, vm_size_t size,
				vm_address_t data, vm_size_t *outsize);
kern_return_t vm_write(vm_map_t target_task, vm_address_t address, vm_offset_t data,
		       mach_msg_type_number_t dataCnt);
kern_return_t vm_region_64(vm_map_t target_task, vm_address_t *address, vm_size_t *size,
			   vm_region_flavor_t flavor, vm_region_info_t info,
			   mach_msg_type_number_t *infoCnt, mach_port_t *object_name);

__END_DECLS

#endif
