/* What the engine (regions.c) and the functions of irregular arguments (regions_*.c) share.
 * Private to src/syscalls. */
#ifndef WARP_SYSCALLS_REGIONS_H
#define WARP_SYSCALLS_REGIONS_H

#include "syscalls/syscalls.h"

/* One walk over the memory of a call; `arg` is the argument at hand. */
struct walk {
	const struct sc_row *row;
	const struct sc_call *call;
	const struct sc_memory *memory;
	struct sc_regions *regions;
	int arg;
};

/* The two halves of an irregular argument type. `begin` lists the regions that hang at the argument
 * and returns false if it cannot tell. `end`, which may be NULL, corrects the lengths of those
 * regions; it finds them set as for regular ones: OUT in full if the call succeeded, else 0, the
 * others in full. */
struct region_fn {
	bool (*begin)(struct walk *walk);
	void (*end)(struct walk *walk);
};

/* The kernel's limit on the elements of an I/O vector; with more it fails with EINVAL or EMSGSIZE
 * (include/uapi/linux/uio.h: UIO_MAXIOV). */
#define WALK_MAX_IOV 1024

/* Lists `size` bytes at `addr`: at the argument itself (parent -1) or pointed at from `offset` of
 * region `parent`. Returns its index; -1 if it is nothing (NULL, no bytes) and was left out. */
int walk_add(struct walk *walk, int parent, uint32_t offset, taddr addr, uint64_t size, int dir);
/* The same for the argument itself. */
int walk_add_arg(struct walk *walk, uint64_t size, int dir);
/* The same for a C string. */
int walk_add_string(struct walk *walk, int parent, uint32_t offset, taddr addr);

/* Reads exactly `size` bytes; false, and zeros, if they cannot all be read. */
bool walk_read(struct walk *walk, taddr addr, void *to, size_t size);
uint32_t walk_read_u32(struct walk *walk, taddr addr);
uint64_t walk_read_u64(struct walk *walk, taddr addr);

/* The value of argument `index` as a count, as wide as its type: int and unsigned int lose their
 * upper half as in the kernel, and a negative int counts nothing. */
uint64_t walk_count(const struct sc_row *row, const struct sc_call *call, unsigned index);
/* a * b, or UINT64_MAX if that is too much. */
uint64_t walk_multiply(uint64_t a, uint64_t b);
/* The argument at hand, and the one its row names as the one that decides (size_arg). */
uint64_t walk_value(const struct walk *walk);
uint64_t walk_selector(const struct walk *walk);
int walk_dir(const struct walk *walk);
bool walk_failed(const struct walk *walk);

/* Spreads `total` bytes over the children of region `parent`, in their order. */
void walk_distribute(struct walk *walk, int parent, uint64_t total);
/* Sets the length of every region of the argument at hand to `length`, at most their capacities. */
void walk_set_lengths(struct walk *walk, uint64_t length);

/* Lists an iovec array and its buffers, which have direction `dir`. Returns the array's index. */
int walk_add_iov(struct walk *walk, int parent, uint32_t offset, taddr iov, uint64_t count,
		 int dir);
/* Lists what a struct sock_fprog points at. */
void walk_add_filter(struct walk *walk);

extern const struct region_fn region_iovec, region_fd_set, region_pselect_sig, region_file_handle,
	region_mount_id, region_xattr_args, region_fsconfig_value, region_mnt_id_req,
	region_quota_addr, region_landlock_rule_attr, region_fcntl_arg,
	region_sysfs_arg;							 /* _file */
extern const struct region_fn region_msghdr, region_mmsghdr, region_sockopt_val; /* _net */
extern const struct region_fn region_tid_ptr, region_clone_args, region_when_positive,
	region_prctl_arg, region_arch_prctl_arg, region_user_desc, region_seccomp_arg,
	region_cap_data, region_sched_attr, region_futex_ptr, region_futex_timeout,
	region_timespec_rem, region_clock_rem, region_mincore_vec, region_nodemask,
	region_syslog_buf; /* _process */
extern const struct region_fn region_semctl_arg, region_shmctl_buf, region_msgctl_buf,
	region_msgbuf, region_keyctl_arg;	/* _ipc */
extern const struct region_fn region_ioctl_arg; /* ioctl.c */

#endif
