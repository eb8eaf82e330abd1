/* Which memory a call reads and writes: the engine over the rows.
 *
 * A regular argument is described by its row alone; an irregular one (SC_S_CUSTOM) by the pair of
 * functions chosen by its type in `functions` below.
 *
 * Invariants: a region never wraps around the end of the address space; parents come before their
 * children; every region bears the argument it hangs at, children too; nothing that comes from the
 * caller's memory is trusted: counts are bounded and sizes saturate. */
#include "syscalls/regions.h"

#include <string.h>

#define MAX_STRING  4096 /* PATH_MAX, the longest string any call takes */
#define MAX_REGIONS INT16_MAX
#define EFAULT_	    (-14)
/* The kernel writes from buffers of its own that are not larger (KMALLOC_MAX_SIZE). */
#define MAX_PARTIAL (4u << 20)

static const struct region_fn *const functions[SC_TYPES] = {
	[SC_T_IOVEC] = &region_iovec,
	[SC_T_FD_SET] = &region_fd_set,
	[SC_T_PSELECT_SIG] = &region_pselect_sig,
	[SC_T_FILE_HANDLE] = &region_file_handle,
	[SC_T_MOUNT_ID] = &region_mount_id,
	[SC_T_XATTR_ARGS] = &region_xattr_args,
	[SC_T_FSCONFIG_VALUE] = &region_fsconfig_value,
	[SC_T_MNT_ID_REQ] = &region_mnt_id_req,
	[SC_T_QUOTA_ADDR] = &region_quota_addr,
	[SC_T_LANDLOCK_RULE_ATTR] = &region_landlock_rule_attr,
	[SC_T_FCNTL_ARG] = &region_fcntl_arg,
	[SC_T_SYSFS_ARG] = &region_sysfs_arg,
	[SC_T_MSGHDR] = &region_msghdr,
	[SC_T_MMSGHDR] = &region_mmsghdr,
	[SC_T_SOCKOPT_VAL] = &region_sockopt_val,
	[SC_T_TID_PTR] = &region_tid_ptr,
	[SC_T_CLONE_ARGS] = &region_clone_args,
	[SC_T_WAIT_STATUS] = &region_when_positive,
	[SC_T_WAIT_RUSAGE] = &region_when_positive,
	[SC_T_PRCTL_ARG] = &region_prctl_arg,
	[SC_T_ARCH_PRCTL_ARG] = &region_arch_prctl_arg,
	[SC_T_USER_DESC] = &region_user_desc,
	[SC_T_SECCOMP_ARG] = &region_seccomp_arg,
	[SC_T_CAP_DATA] = &region_cap_data,
	[SC_T_SCHED_ATTR] = &region_sched_attr,
	[SC_T_FUTEX_PTR] = &region_futex_ptr,
	[SC_T_FUTEX_TIMEOUT] = &region_futex_timeout,
	[SC_T_TIMESPEC_REM] = &region_timespec_rem,
	[SC_T_CLOCK_REM] = &region_clock_rem,
	[SC_T_MINCORE_VEC] = &region_mincore_vec,
	[SC_T_NODEMASK] = &region_nodemask,
	[SC_T_SYSLOG_BUF] = &region_syslog_buf,
	[SC_T_SEMCTL_ARG] = &region_semctl_arg,
	[SC_T_SHMCTL_BUF] = &region_shmctl_buf,
	[SC_T_MSGCTL_BUF] = &region_msgctl_buf,
	[SC_T_MSGBUF] = &region_msgbuf,
	[SC_T_KEYCTL_ARG] = &region_keyctl_arg,
	[SC_T_IOCTL_ARG] = &region_ioctl_arg,
};

/* ---- for the functions of irregular arguments ---- */

int walk_add(struct walk *walk, int parent, uint32_t offset, taddr addr, uint64_t size, int dir)
{
	struct sc_regions *regions = walk->regions;

	if (size > UINT64_MAX - addr)
		size = UINT64_MAX - addr;
	if (!addr || !size)
		return -1;
	vec_push(regions, (struct sc_region){
				  .addr = addr,
				  .capacity = size,
				  .dir = dir,
				  .arg = walk->arg,
				  .parent = parent,
				  .parent_offset = parent < 0 ? 0 : offset,
			  });
	return regions->count - 1;
}

int walk_add_arg(struct walk *walk, uint64_t size, int dir)
{
	return walk_add(walk, -1, 0, walk_value(walk), size, dir);
}

/* Bytes of the string with its NUL, or up to where memory ends or MAX_STRING. */
static uint64_t string_size(struct walk *walk, taddr addr)
{
	uint64_t size = 0;

	while (addr && size < MAX_STRING) {
		char chunk[256];
		size_t got = walk->memory->read(walk->memory->context, addr + size, chunk,
						sizeof(chunk));
		char *end = memchr(chunk, 0, got);

		if (end)
			return size + (end - chunk) + 1;
		size += got;
		if (got < sizeof(chunk))
			break;
	}
	return size;
}

int walk_add_string(struct walk *walk, int parent, uint32_t offset, taddr addr)
{
	return walk_add(walk, parent, offset, addr, string_size(walk, addr), SC_IN);
}

bool walk_read(struct walk *walk, taddr addr, void *to, size_t size)
{
	if (addr && walk->memory->read(walk->memory->context, addr, to, size) == size)
		return true;
	memset(to, 0, size);
	return false;
}

uint32_t walk_read_u32(struct walk *walk, taddr addr)
{
	uint32_t value;

	walk_read(walk, addr, &value, sizeof(value));
	return value;
}

uint64_t walk_read_u64(struct walk *walk, taddr addr)
{
	uint64_t value;

	walk_read(walk, addr, &value, sizeof(value));
	return value;
}

uint64_t walk_count(const struct sc_row *row, const struct sc_call *call, unsigned index)
{
	uint64_t value = call->args[index];

	switch (row->args[index].type) {
	case SC_T_INT:
	case SC_T_SOCKLEN:
		return (int32_t)value < 0 ? 0 : (uint32_t)value;
	case SC_T_UINT:
		return (uint32_t)value;
	default:
		return value;
	}
}

uint64_t walk_multiply(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

uint64_t walk_value(const struct walk *walk)
{
	return walk->call->args[walk->arg];
}

uint64_t walk_selector(const struct walk *walk)
{
	return walk->call->args[walk->row->args[walk->arg].size_arg];
}

int walk_dir(const struct walk *walk)
{
	return walk->row->args[walk->arg].dir;
}

bool walk_failed(const struct walk *walk)
{
	return walk->call->result < 0 && walk->call->result >= -4095;
}

void walk_distribute(struct walk *walk, int parent, uint64_t total)
{
	vec_foreach (walk->regions, region) {
		if (region->parent != parent)
			continue;
		region->length = total < region->capacity ? total : region->capacity;
		total -= region->length;
	}
}

void walk_set_lengths(struct walk *walk, uint64_t length)
{
	vec_foreach (walk->regions, region)
		if (region->arg == walk->arg)
			region->length = length < region->capacity ? length : region->capacity;
}

/* ---- regular arguments ---- */

/* The 32-bit length that another argument points at. The kernel takes it as an int. */
static uint64_t pointed_length(struct walk *walk, const struct sc_arg *arg)
{
	uint32_t length = walk_read_u32(walk, walk->call->args[arg->size_arg]);

	return length > INT32_MAX ? 0 : length;
}

static bool begin_arg(struct walk *walk)
{
	const struct sc_arg *arg = &walk->row->args[walk->arg];
	uint64_t count;

	switch ((enum sc_size)arg->size_kind) {
	case SC_S_NONE:
		return true;
	case SC_S_CONST:
		walk_add_arg(walk, arg->size, arg->dir);
		return true;
	case SC_S_ARG:
	case SC_S_ARG_RET:
		count = walk_count(walk->row, walk->call, arg->size_arg);
		walk_add_arg(walk, walk_multiply(count, arg->size), arg->dir);
		return true;
	case SC_S_ARG_DEREF:
		walk_add_arg(walk, pointed_length(walk, arg), arg->dir);
		return true;
	case SC_S_CSTR:
		walk_add_string(walk, -1, 0, walk_value(walk));
		return true;
	case SC_S_CUSTOM:
		return functions[arg->type]->begin(walk);
	}
	return false;
}

bool sc_regions_begin(const struct sc_row *row, const struct sc_call *call,
		      const struct sc_memory *memory, struct sc_regions *regions)
{
	struct walk walk = {row, call, memory, regions, 0};
	size_t before = regions->count;
	bool known = row && !(row->flags & SC_FALLBACK);

	for (int i = 0; known && i < row->nargs; i++) {
		walk.arg = i;
		/* A parent's index must fit into sc_region.parent. */
		known = begin_arg(&walk) && regions->count <= MAX_REGIONS;
	}
	if (!known)
		regions->count = before;
	return known;
}

/* What each region has when nothing more is known about its argument. */
static uint64_t default_length(struct walk *walk, const struct sc_region *region)
{
	if (region->dir != SC_OUT || !walk_failed(walk))
		return region->capacity;
	if (walk->call->result == EFAULT_)
		return region->capacity < MAX_PARTIAL ? region->capacity : MAX_PARTIAL;
	return 0;
}

static void end_arg(struct walk *walk)
{
	const struct sc_arg *arg = &walk->row->args[walk->arg];
	bool out = arg->dir == SC_OUT && !walk_failed(walk);

	if (out && arg->size_kind == SC_S_ARG_RET)
		walk_set_lengths(walk, walk_multiply(walk->call->result, arg->size));
	else if (out && arg->size_kind == SC_S_ARG_DEREF)
		walk_set_lengths(walk, pointed_length(walk, arg));
	else if (arg->size_kind == SC_S_CUSTOM && functions[arg->type]->end)
		functions[arg->type]->end(walk);
}

void sc_regions_end(const struct sc_row *row, const struct sc_call *call,
		    const struct sc_memory *memory, struct sc_regions *regions)
{
	struct walk walk = {row, call, memory, regions, 0};

	vec_foreach (regions, region)
		region->length = default_length(&walk, region);
	/* A fault can come after some of the outputs, or in the middle of one. */
	if (call->result == EFAULT_)
		return;
	for (int i = 0; i < row->nargs; i++) {
		walk.arg = i;
		end_arg(&walk);
	}
}
