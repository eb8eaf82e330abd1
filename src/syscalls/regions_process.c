/* Memory of irregular arguments: processes, futexes, credentials, scheduling, memory policy.
 *
 * Numbers come from the kernel's stable interface (include/uapi). Where a call may write before it
 * fails, or only in part, the region is in and out, and so is saved whatever the result. */
#include "syscalls/regions.h"

/* ---- clone, wait ---- */

#define CLONE_PARENT_SETTID_ 0x00100000u
#define CLONE_CHILD_SETTID_  0x01000000u
#define CLONE_PIDFD_	     0x00001000u

/* clone() puts the pidfd where the parent's tid would go. The child's tid is written by the child,
 * before it runs: into this memory too if they share it. */
static bool tid_ptr_begin(struct walk *walk)
{
	uint32_t flags = walk->call->args[0];
	uint32_t wanted =
		walk->arg == 2 ? CLONE_PARENT_SETTID_ | CLONE_PIDFD_ : CLONE_CHILD_SETTID_;

	if (flags & wanted)
		walk_add_arg(walk, 4, SC_INOUT);
	return true;
}

const struct region_fn region_tid_ptr = {tid_ptr_begin, NULL};

/* The fields of struct clone_args up to its second version, in words. */
enum {
	ARGS_FLAGS,
	ARGS_PIDFD,
	ARGS_CHILD_TID,
	ARGS_PARENT_TID,
	ARGS_SET_TID = 8,
	ARGS_SET_TID_SIZE,
	ARGS_WORDS
};

static uint64_t clone_word(struct walk *walk, int word)
{
	if ((word + 1) * 8u > walk_selector(walk))
		return 0;
	return walk_read_u64(walk, walk_value(walk) + word * 8);
}

static bool clone_args_begin(struct walk *walk)
{
	int args = walk_add_arg(walk, walk_selector(walk), SC_IN);
	uint64_t flags = clone_word(walk, ARGS_FLAGS);
	uint64_t tids = clone_word(walk, ARGS_SET_TID_SIZE);

	if (args < 0)
		return true;
	if (flags & CLONE_PIDFD_)
		walk_add(walk, args, ARGS_PIDFD * 8, clone_word(walk, ARGS_PIDFD), 4, SC_INOUT);
	if (flags & CLONE_CHILD_SETTID_)
		walk_add(walk, args, ARGS_CHILD_TID * 8, clone_word(walk, ARGS_CHILD_TID), 4,
			 SC_INOUT);
	if (flags & CLONE_PARENT_SETTID_)
		walk_add(walk, args, ARGS_PARENT_TID * 8, clone_word(walk, ARGS_PARENT_TID), 4,
			 SC_INOUT);
	if (tids <= 32) /* MAX_PID_NS_LEVEL */
		walk_add(walk, args, ARGS_SET_TID * 8, clone_word(walk, ARGS_SET_TID), tids * 4,
			 SC_IN);
	return true;
}

const struct region_fn region_clone_args = {clone_args_begin, NULL};

/* wait4() writes the status and the usage only when it found a child: not with result 0. */
static bool when_positive_begin(struct walk *walk)
{
	walk_add_arg(walk, walk->row->args[walk->arg].type == SC_T_WAIT_RUSAGE ? 144 : 4, SC_OUT);
	return true;
}

static void when_positive_end(struct walk *walk)
{
	if (walk->call->result <= 0)
		walk_set_lengths(walk, 0);
}

const struct region_fn region_when_positive = {when_positive_begin, when_positive_end};

/* ---- prctl, arch_prctl: linux/prctl.h ---- */

/* One pointer argument of one option. `size` 0: a string. */
struct pointer {
	uint32_t option;
	uint8_t arg;
	uint8_t dir;
	uint16_t size;
};

#define PRCTL_LAST_KNOWN 66 /* PR_GET_MDWE */
#define PR_SET_NAME_	 15
#define PR_SET_SECCOMP_	 22
#define PR_SET_MM_	 35
#define PR_SCHED_CORE_	 62
#define PR_SET_VMA_	 0x53564d41u
#define PR_GET_AUXV_	 0x41555856u
#define PR_SET_PTRACER_	 0x59616d61u

static const struct pointer prctl_pointers[] = {
	{2, 1, SC_OUT, 4},  /* PR_GET_PDEATHSIG */
	{5, 1, SC_OUT, 4},  /* PR_GET_UNALIGN */
	{9, 1, SC_OUT, 4},  /* PR_GET_FPEMU */
	{11, 1, SC_OUT, 4}, /* PR_GET_FPEXC */
	{PR_SET_NAME_, 1, SC_IN, 0},
	{16, 1, SC_OUT, 16}, /* PR_GET_NAME */
	{19, 1, SC_OUT, 4},  /* PR_GET_ENDIAN */
	{25, 1, SC_OUT, 4},  /* PR_GET_TSC */
	{37, 1, SC_OUT, 4},  /* PR_GET_CHILD_SUBREAPER */
	{40, 1, SC_OUT, 8},  /* PR_GET_TID_ADDRESS */
	{PR_SCHED_CORE_, 4, SC_INOUT, 8},
	{74, 1, SC_OUT, 8}, /* PR_GET_SHADOW_STACK_STATUS */
	{PR_SET_VMA_, 4, SC_IN, 0},
};

static bool prctl_is_known(uint32_t option)
{
	return (option >= 1 && option <= PRCTL_LAST_KNOWN && option != 17 && option != 18) ||
	       (option >= 67 && option <= 78) || option == PR_SET_VMA_ || option == PR_GET_AUXV_ ||
	       option == PR_SET_PTRACER_;
}

/* PR_SET_MM: PR_SET_MM_AUXV and PR_SET_MM_MAP take memory, PR_SET_MM_MAP_SIZE writes it. */
static void prctl_mm_begin(struct walk *walk)
{
	uint32_t what = walk->call->args[1];

	if (walk->arg != 2)
		return;
	if (what == 12 || what == 14)
		walk_add_arg(walk, walk->call->args[3], SC_IN);
	else if (what == 15)
		walk_add_arg(walk, 4, SC_OUT);
}

static bool prctl_arg_begin(struct walk *walk)
{
	uint32_t option = walk->call->args[0];

	if (!prctl_is_known(option))
		return false;
	if (option == PR_SET_MM_)
		prctl_mm_begin(walk);
	else if (option == PR_SET_SECCOMP_ && walk->arg == 2 && walk->call->args[1] == 2)
		walk_add_filter(walk);
	else if (option == PR_GET_AUXV_ && walk->arg == 1)
		walk_add_arg(walk, walk->call->args[2], SC_INOUT);
	for (size_t i = 0; i < sizeof(prctl_pointers) / sizeof(prctl_pointers[0]); i++) {
		const struct pointer *pointer = &prctl_pointers[i];

		if (pointer->option != option || pointer->arg != walk->arg)
			continue;
		if (pointer->size)
			walk_add_arg(walk, pointer->size, pointer->dir);
		else
			walk_add_string(walk, -1, 0, walk_value(walk));
	}
	return true;
}

const struct region_fn region_prctl_arg = {prctl_arg_begin, NULL};

static bool arch_prctl_arg_begin(struct walk *walk)
{
	switch ((uint32_t)walk_selector(walk)) {
	case 0x1003: /* ARCH_GET_FS */
	case 0x1004: /* ARCH_GET_GS */
	case 0x1021: /* ARCH_GET_XCOMP_SUPP */
	case 0x1022: /* ARCH_GET_XCOMP_PERM */
	case 0x1024: /* ARCH_GET_XCOMP_GUEST_PERM */
	case 0x4001: /* ARCH_GET_UNTAG_MASK */
	case 0x4003: /* ARCH_GET_MAX_TAG_BITS */
	case 0x5005: /* ARCH_SHSTK_STATUS */
		walk_add_arg(walk, 8, SC_OUT);
	}
	return true; /* no other operation of arch/x86/kernel/process_64.c writes memory */
}

const struct region_fn region_arch_prctl_arg = {arch_prctl_arg_begin, NULL};

static bool user_desc_begin(struct walk *walk)
{
	switch ((int32_t)walk->call->args[0]) {
	case 0: /* read_ldt */
	case 2: /* read_default_ldt */
		walk_add_arg(walk, walk_selector(walk), SC_OUT);
		break;
	case 1:
	case 0x11: /* write_ldt */
		walk_add_arg(walk, 16, SC_IN);
	}
	return true;
}

/* modify_ldt() returns an int in a 64-bit register: its errors look positive
 * (arch/x86/kernel/ldt.c). */
static void user_desc_end(struct walk *walk)
{
	int32_t result = walk->call->result;

	if (walk->call->args[0] != 1 && walk->call->args[0] != 0x11)
		walk_set_lengths(walk, result < 0 ? 0 : result);
}

const struct region_fn region_user_desc = {user_desc_begin, user_desc_end};

/* ---- seccomp ---- */

void walk_add_filter(struct walk *walk)
{
	taddr at = walk_value(walk);
	int program = walk_add_arg(walk, 16, SC_IN);

	if (program >= 0) /* u16 len, and struct sock_filter *filter at 8 */
		walk_add(walk, program, 8, walk_read_u64(walk, at + 8),
			 (walk_read_u32(walk, at) & 0xffff) * 8, SC_IN);
}

static bool seccomp_arg_begin(struct walk *walk)
{
	switch ((uint32_t)walk_selector(walk)) {
	case 1: /* SECCOMP_SET_MODE_FILTER */
		walk_add_filter(walk);
		break;
	case 2: /* SECCOMP_GET_ACTION_AVAIL */
		walk_add_arg(walk, 4, SC_IN);
		break;
	case 3: /* SECCOMP_GET_NOTIF_SIZES */
		walk_add_arg(walk, 6, SC_OUT);
	}
	return true;
}

const struct region_fn region_seccomp_arg = {seccomp_arg_begin, NULL};

/* ---- capabilities, scheduling ---- */

#define CAPABILITY_VERSION_1 0x19980330u
#define CAPABILITY_VERSION_2 0x20071026u
#define CAPABILITY_VERSION_3 0x20080522u

static bool cap_data_begin(struct walk *walk)
{
	switch (walk_read_u32(walk, walk_selector(walk))) {
	case CAPABILITY_VERSION_1:
		walk_add_arg(walk, 12, walk_dir(walk));
		break;
	case CAPABILITY_VERSION_2:
	case CAPABILITY_VERSION_3:
		walk_add_arg(walk, 24, walk_dir(walk));
	}
	return true; /* with any other version the call fails and writes only the header */
}

const struct region_fn region_cap_data = {cap_data_begin, NULL};

/* The structure says its own size, 0 standing for that of its first version; the kernel corrects
 * it there when it fails with E2BIG (kernel/sched/syscalls.c: sched_copy_attr). */
static bool sched_attr_begin(struct walk *walk)
{
	uint32_t size = walk_read_u32(walk, walk_value(walk));

	if (size < 4 || size > 4096)
		size = 48;
	walk_add_arg(walk, size, SC_INOUT);
	return true;
}

const struct region_fn region_sched_attr = {sched_attr_begin, NULL};

/* ---- futex: linux/futex.h ---- */

enum {
	FUTEX_WAIT_ = 0,
	FUTEX_WAKE_OP_ = 5,
	FUTEX_LOCK_PI_ = 6,
	FUTEX_UNLOCK_PI_ = 7,
	FUTEX_TRYLOCK_PI_ = 8,
	FUTEX_WAIT_BITSET_ = 9,
	FUTEX_WAIT_REQUEUE_PI_ = 11,
	FUTEX_CMP_REQUEUE_PI_ = 12,
	FUTEX_LOCK_PI2_ = 13,
};

static int futex_operation(const struct walk *walk)
{
	return walk->call->args[1] & 127;
}

/* The address of the word is what the threads meet at. */
static void add_futex_word(struct walk *walk)
{
	int word = walk_add_arg(walk, 4, SC_INOUT);

	if (word >= 0)
		walk->regions->items[word].fixed = true;
}

/* Only what the kernel changes is listed. */
static bool futex_ptr_begin(struct walk *walk)
{
	bool first = walk->arg == 0;

	switch (futex_operation(walk)) {
	case FUTEX_LOCK_PI_:
	case FUTEX_UNLOCK_PI_:
	case FUTEX_TRYLOCK_PI_:
	case FUTEX_LOCK_PI2_:
		if (first)
			add_futex_word(walk);
		break;
	case FUTEX_WAKE_OP_:
	case FUTEX_WAIT_REQUEUE_PI_:
	case FUTEX_CMP_REQUEUE_PI_:
		if (!first)
			add_futex_word(walk);
	}
	return true;
}

const struct region_fn region_futex_ptr = {futex_ptr_begin, NULL};

static bool futex_timeout_begin(struct walk *walk)
{
	switch (futex_operation(walk)) {
	case FUTEX_WAIT_:
	case FUTEX_LOCK_PI_:
	case FUTEX_LOCK_PI2_:
	case FUTEX_WAIT_BITSET_:
	case FUTEX_WAIT_REQUEUE_PI_:
		walk_add_arg(walk, 16, SC_IN);
	}
	return true;
}

const struct region_fn region_futex_timeout = {futex_timeout_begin, NULL};

/* ---- sleeping ---- */

#define RESTART_BLOCK  (-516) /* ERESTART_RESTARTBLOCK, what the tracer sees in place of EINTR */
#define INTERRUPTED    (-4)
#define TIMER_ABSTIME_ 1

static bool timespec_rem_begin(struct walk *walk)
{
	walk_add_arg(walk, 16, SC_OUT);
	return true;
}

static bool clock_rem_begin(struct walk *walk)
{
	if (!(walk->call->args[1] & TIMER_ABSTIME_))
		walk_add_arg(walk, 16, SC_OUT);
	return true;
}

/* The remainder is written only when a signal ended the sleep (kernel/time/hrtimer.c:
 * nanosleep_copyout). */
static void timespec_rem_end(struct walk *walk)
{
	int64_t result = walk->call->result;

	walk_set_lengths(walk, result == INTERRUPTED || result == RESTART_BLOCK ? 16 : 0);
}

const struct region_fn region_timespec_rem = {timespec_rem_begin, timespec_rem_end};
const struct region_fn region_clock_rem = {clock_rem_begin, timespec_rem_end};

/* ---- memory ---- */

#define PAGE 4096

/* A byte a page; written piece by piece, also before an ENOMEM (mm/mincore.c). */
static bool mincore_vec_begin(struct walk *walk)
{
	uint64_t length = walk_selector(walk);

	walk_add_arg(walk, length / PAGE + (length % PAGE != 0), SC_INOUT);
	return true;
}

const struct region_fn region_mincore_vec = {mincore_vec_begin, NULL};

/* maxnode is one more than the number of bits, which the kernel rounds up to whole longs
 * (mm/mempolicy.c: copy_nodes_to_user). */
static bool nodemask_begin(struct walk *walk)
{
	uint64_t bits = walk_selector(walk);

	if (bits > 0 && bits - 1 <= PAGE * 8)
		walk_add_arg(walk, (bits + 62) / 64 * 8, walk_dir(walk));
	return true;
}

const struct region_fn region_nodemask = {nodemask_begin, NULL};

/* ---- syslog ---- */

static bool syslog_buf_begin(struct walk *walk)
{
	int32_t type = walk->call->args[0], length = walk_selector(walk);

	/* SYSLOG_ACTION_READ, _READ_ALL, _READ_CLEAR */
	if (type >= 2 && type <= 4 && length > 0)
		walk_add_arg(walk, length, SC_OUT);
	return true;
}

static void syslog_buf_end(struct walk *walk)
{
	walk_set_lengths(walk, walk_failed(walk) ? 0 : walk->call->result);
}

const struct region_fn region_syslog_buf = {syslog_buf_begin, syslog_buf_end};
