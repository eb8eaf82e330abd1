/* Mach on Linux: memory of tasks.
 *
 * Memory is reached through /proc/PID/mem, which passes protections; Mach does not, so that ranges
 * are first compared with the process's mappings. Linux has no maximal protection: any is possible.
 *
 * Invariant: nothing is read or written of a range of which a part is not mapped or not
 * permitted. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "private.h"

#define PAGE 4096ull

/* ---- mappings ---- */

struct mapping {
	unsigned long long start, end, offset;
	vm_prot_t protection;
	bool shared;
};

static bool parse_mapping(const char *line, struct mapping *mapping)
{
	char rights[8];

	if (sscanf(line, "%llx-%llx %7s %llx", &mapping->start, &mapping->end, rights,
		   &mapping->offset) != 4)
		return false;
	mapping->protection = (rights[0] == 'r' ? VM_PROT_READ : 0) |
			      (rights[1] == 'w' ? VM_PROT_WRITE : 0) |
			      (rights[2] == 'x' ? VM_PROT_EXECUTE : 0);
	mapping->shared = rights[3] == 's';
	return true;
}

static FILE *open_mappings(pid_t pid)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	return fopen(path, "re");
}

/* The mapping that holds `address`, or the next one; false if there is none. */
static bool find_mapping(pid_t pid, unsigned long long address, struct mapping *mapping)
{
	FILE *file = open_mappings(pid);
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	while (file && !found && getline(&line, &room, file) > 0)
		found = parse_mapping(line, mapping) && mapping->end > address;
	free(line);
	if (file)
		fclose(file);
	return found;
}

/* Is all of the range mapped with these rights? */
static kern_return_t check_range(pid_t pid, unsigned long long address, unsigned long long size,
				 vm_prot_t rights)
{
	unsigned long long at = address, end = address + size;
	struct mapping mapping;

	if (end < address)
		return mw_explain(KERN_INVALID_ADDRESS, "%#llx + %#llx wraps around", address,
				  size);
	while (at < end) {
		if (!find_mapping(pid, at, &mapping) || mapping.start > at)
			return mw_explain(KERN_INVALID_ADDRESS,
					  "nothing is mapped at %#llx of process %d", at, pid);
		if ((mapping.protection & rights) != rights)
			return mw_explain(KERN_PROTECTION_FAILURE,
					  "the memory at %#llx of process %d cannot be %s", at, pid,
					  rights & VM_PROT_WRITE ? "written" : "read");
		at = mapping.end;
	}
	return KERN_SUCCESS;
}

/* ---- reading and writing ---- */

static kern_return_t transfer(pid_t pid, unsigned long long address, char *memory, size_t size,
			      bool write)
{
	char path[48];
	size_t done = 0;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	int fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);

	if (fd < 0)
		return mw_explain(KERN_FAILURE, "the memory of process %d cannot be opened: %s",
				  pid, strerror(errno));
	while (done < size) {
		off_t at = (off_t)(address + done);
		ssize_t count = write ? pwrite(fd, memory + done, size - done, at)
				      : pread(fd, memory + done, size - done, at);

		if (count <= 0 && errno != EINTR)
			break;
		done += count > 0 ? (size_t)count : 0;
	}
	close(fd);
	return done == size ? KERN_SUCCESS
			    : mw_explain(KERN_INVALID_ADDRESS,
					 "the memory at %#llx of process %d cannot be reached",
					 address + done, pid);
}

static kern_return_t read_into(vm_map_t name, unsigned long long address, void *to, size_t size)
{
	struct task *task;
	kern_return_t result = mw_names_task(name, &task);

	if (result == KERN_SUCCESS)
		result = check_range(task->pid, address, size, VM_PROT_READ);
	return result == KERN_SUCCESS ? transfer(task->pid, address, to, size, false) : result;
}

static kern_return_t read_copy(vm_map_t name, unsigned long long address, size_t size,
			       vm_offset_t *data)
{
	size_t room = size ? size : 1;
	void *copy = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED)
		return mw_explain(KERN_RESOURCE_SHORTAGE, "no memory for a copy of %zu bytes",
				  size);
	kern_return_t result = read_into(name, address, copy, size);

	if (result == KERN_SUCCESS)
		*data = (vm_offset_t)copy;
	else
		munmap(copy, room);
	return result;
}

kern_return_t mach_vm_read(vm_map_t target_task, mach_vm_address_t address, mach_vm_size_t size,
			   vm_offset_t *data, mach_msg_type_number_t *dataCnt)
{
	kern_return_t result;

	mw_names_lock();
	if (size > ~(mach_msg_type_number_t)0)
		result = mw_explain(KERN_INVALID_ARGUMENT, "%#llx bytes are more than fit a count",
				    size);
	else
		result = read_copy(target_task, address, size, data);
	if (result == KERN_SUCCESS)
		*dataCnt = (mach_msg_type_number_t)size;
	mw_names_unlock();
	return result;
}

kern_return_t mach_vm_read_overwrite(vm_map_t target_task, mach_vm_address_t address,
				     mach_vm_size_t size, mach_vm_address_t data,
				     mach_vm_size_t *outsize)
{
	mw_names_lock();
	kern_return_t result = read_into(target_task, address, (void *)(uintptr_t)data, size);

	if (result == KERN_SUCCESS)
		*outsize = size;
	mw_names_unlock();
	return result;
}

kern_return_t mach_vm_write(vm_map_t target_task, mach_vm_address_t address, vm_offset_t data,
			    mach_msg_type_number_t dataCnt)
{
	struct task *task;

	mw_names_lock();
	kern_return_t result = mw_names_task(target_task, &task);

	if (result == KERN_SUCCESS)
		result = check_range(task->pid, address, dataCnt, VM_PROT_WRITE);
	if (result == KERN_SUCCESS)
		result = transfer(task->pid, address, (char *)data, dataCnt, true);
	mw_names_unlock();
	return result;
}

/* ---- mapping ---- */

struct remote {
	long nr;
	unsigned long args[6];
	long result;
};

static kern_return_t call_there(struct target *target, void *context)
{
	struct remote *remote = context;

	return mw_target_call(target, remote->nr, remote->args, &remote->result);
}

/* Made by the process itself, which may be ours. */
static kern_return_t make_call(struct task *task, struct remote *remote)
{
	unsigned long *a = remote->args;

	if (!mw_task_is_self(task))
		return mw_task_while_suspended(task, call_there, remote);
	remote->result = syscall(remote->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (remote->result == -1)
		remote->result = -errno;
	return KERN_SUCCESS;
}

static kern_return_t result_of(const struct remote *remote, const char *what,
			       unsigned long long address, unsigned long long size)
{
	static const struct {
		int errnum;
		kern_return_t result;
	} meanings[] = {
		{EEXIST, KERN_NO_SPACE},	   {ENOMEM, KERN_NO_SPACE},
		{EACCES, KERN_PROTECTION_FAILURE}, {EPERM, KERN_PROTECTION_FAILURE},
		{EINVAL, KERN_INVALID_ARGUMENT},
	};
	kern_return_t result = KERN_FAILURE;

	if (remote->result >= 0 || remote->result < -4095)
		return KERN_SUCCESS;
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (meanings[i].errnum == -remote->result)
			result = meanings[i].result;
	return mw_explain(result, "cannot %s %#llx bytes at %#llx: %s", what, size, address,
			  strerror((int)-remote->result));
}

static kern_return_t run_call(vm_map_t name, struct remote *remote, const char *what,
			      unsigned long long address, unsigned long long size)
{
	struct task *task;
	kern_return_t result = mw_names_task(name, &task);

	if (result == KERN_SUCCESS)
		result = make_call(task, remote);
	return result == KERN_SUCCESS ? result_of(remote, what, address, size) : result;
}

/* Whole pages: the first one's beginning, and the bytes to the last one's end. */
static void whole_pages(unsigned long long *address, unsigned long long *size)
{
	unsigned long long start = *address & ~(PAGE - 1);

	*size = ((*address + *size + PAGE - 1) & ~(PAGE - 1)) - start;
	*address = start;
}

kern_return_t mach_vm_allocate(vm_map_t target, mach_vm_address_t *address, mach_vm_size_t size,
			       int flags)
{
	bool anywhere = flags & VM_FLAGS_ANYWHERE;
	unsigned long long start = anywhere ? 0 : *address, length = size;

	if (!size) {
		*address = 0;
		return KERN_SUCCESS;
	}
	whole_pages(&start, &length);
	struct remote map = {
		.nr = SYS_mmap,
		.args = {start, length, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS |
				 (anywhere		       ? 0
				  : flags & VM_FLAGS_OVERWRITE ? MAP_FIXED
							       : MAP_FIXED_NOREPLACE),
			 (unsigned long)-1, 0},
	};

	mw_names_lock();
	kern_return_t result = run_call(target, &map, "allocate", start, length);

	if (result == KERN_SUCCESS)
		*address = (mach_vm_address_t)map.result;
	mw_names_unlock();
	return result;
}

kern_return_t mach_vm_deallocate(vm_map_t target, mach_vm_address_t address, mach_vm_size_t size)
{
	if (!size)
		return KERN_SUCCESS;
	whole_pages(&address, &size);
	struct remote unmap = {.nr = SYS_munmap, .args = {address, size}};

	mw_names_lock();
	kern_return_t result = run_call(target, &unmap, "deallocate", address, size);

	mw_names_unlock();
	return result;
}

static kern_return_t protect(vm_map_t name, unsigned long long address, unsigned long long size,
			     vm_prot_t protection)
{
	struct remote change = {
		.nr = SYS_mprotect,
		.args = {address, size,
			 (protection & VM_PROT_READ ? PROT_READ : 0) |
				 (protection & VM_PROT_WRITE ? PROT_WRITE : 0) |
				 (protection & VM_PROT_EXECUTE ? PROT_EXEC : 0)},
	};
	struct task *task;
	kern_return_t result = mw_names_task(name, &task);

	if (result == KERN_SUCCESS)
		result = check_range(task->pid, address, size, VM_PROT_NONE);
	return result == KERN_SUCCESS ? run_call(name, &change, "protect", address, size) : result;
}

/* VM_PROT_COPY asks for what Linux does anyway: a private mapping is copied when it is written. */
kern_return_t mach_vm_protect(vm_map_t target_task, mach_vm_address_t address, mach_vm_size_t size,
			      boolean_t set_maximum, vm_prot_t new_protection)
{
	kern_return_t result;

	whole_pages(&address, &size);
	mw_names_lock();
	if (set_maximum)
		result =
			mw_explain(KERN_NOT_SUPPORTED, "Linux has no maximal protection of memory");
	else if (new_protection & ~(VM_PROT_ALL | VM_PROT_COPY))
		result = mw_explain(KERN_INVALID_ARGUMENT, "%#x is no protection", new_protection);
	else
		result = size ? protect(target_task, address, size, new_protection) : KERN_SUCCESS;
	mw_names_unlock();
	return result;
}

/* ---- looking ---- */

static kern_return_t describe(pid_t pid, mach_vm_address_t *address, mach_vm_size_t *size,
			      vm_region_basic_info_64_t info)
{
	struct mapping mapping;

	if (!find_mapping(pid, *address, &mapping))
		return mw_explain(KERN_INVALID_ADDRESS,
				  "nothing is mapped at %#llx of process %d or above", *address,
				  pid);
	*address = mapping.start;
	*size = mapping.end - mapping.start;
	memset(info, 0, sizeof(*info));
	info->protection = mapping.protection;
	info->max_protection = VM_PROT_ALL;
	info->inheritance = mapping.shared ? VM_INHERIT_SHARE : VM_INHERIT_COPY;
	info->shared = mapping.shared;
	info->offset = mapping.offset;
	return KERN_SUCCESS;
}

kern_return_t mach_vm_region(vm_map_t target_task, mach_vm_address_t *address, mach_vm_size_t *size,
			     vm_region_flavor_t flavor, vm_region_info_t info,
			     mach_msg_type_number_t *infoCnt, mach_port_t *object_name)
{
	struct task *task;

	mw_names_lock();
	kern_return_t result = mw_names_task(target_task, &task);

	if (result == KERN_SUCCESS && flavor != VM_REGION_BASIC_INFO_64 &&
	    flavor != VM_REGION_BASIC_INFO)
		result = mw_explain(KERN_INVALID_ARGUMENT, "there is no region flavor %d here",
				    flavor);
	if (result == KERN_SUCCESS && *infoCnt < VM_REGION_BASIC_INFO_COUNT_64)
		result = mw_explain(KERN_INVALID_ARGUMENT, "region flavor %d has %u words, not %u",
				    flavor, VM_REGION_BASIC_INFO_COUNT_64, *infoCnt);
	if (result == KERN_SUCCESS)
		result = describe(task->pid, address, size, (vm_region_basic_info_64_t)info);
	if (result == KERN_SUCCESS) {
		*infoCnt = VM_REGION_BASIC_INFO_COUNT_64;
		if (object_name)
			*object_name = MACH_PORT_NULL;
	}
	mw_names_unlock();
	return result;
}

/* ---- the older forms ---- */

kern_return_t vm_allocate(vm_map_t target_task, vm_address_t *address, vm_size_t size, int flags)
{
	mach_vm_address_t place = *address;
	kern_return_t result = mach_vm_allocate(target_task, &place, size, flags);

	if (result == KERN_SUCCESS)
		*address = place;
	return result;
}

kern_return_t vm_deallocate(vm_map_t target_task, vm_address_t address, vm_size_t size)
{
	return mach_vm_deallocate(target_task, address, size);
}

kern_return_t vm_protect(vm_map_t target_task, vm_address_t address, vm_size_t size,
			 boolean_t set_maximum, vm_prot_t new_protection)
{
	return mach_vm_protect(target_task, address, size, set_maximum, new_protection);
}

kern_return_t vm_read(vm_map_t target_task, vm_address_t address, vm_size_t size, vm_offset_t *data,
		      mach_msg_type_number_t *dataCnt)
{
	return mach_vm_read(target_task, address, size, data, dataCnt);
}

kern_return_t vm_read_overwrite(vm_map_t target_task, vm_address_t address, vm_size_t size,
				vm_address_t data, vm_size_t *outsize)
{
	mach_vm_size_t length = 0;
	kern_return_t result = mach_vm_read_overwrite(target_task, address, size, data, &length);

	if (result == KERN_SUCCESS)
		*outsize = length;
	return result;
}

kern_return_t vm_write(vm_map_t target_task, vm_address_t address, vm_offset_t data,
		       mach_msg_type_number_t dataCnt)
{
	return mach_vm_write(target_task, address, data, dataCnt);
}

kern_return_t vm_region_64(vm_map_t target_task, vm_address_t *address, vm_size_t *size,
			   vm_region_flavor_t flavor, vm_region_info_t info,
			   mach_msg_type_number_t *infoCnt, mach_port_t *object_name)
{
	mach_vm_address_t place = *address;
	mach_vm_size_t length = 0;
	kern_return_t result =
		mach_vm_region(target_task, &place, &length, flavor, info, infoCnt, object_name);

	if (result == KERN_SUCCESS) {
		*address = place;
		*size = length;
	}
	return result;
}
