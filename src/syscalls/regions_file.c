/* Memory of irregular arguments: files, descriptors, polling, mounts.
 *
 * Numbers come from the kernel's stable interface (include/uapi), so that a build on old headers
 * knows the newer calls too. */
#include "syscalls/regions.h"

/* ---- struct iovec[] ---- */

#define IOV_SIZE 16

struct iov {
	uint64_t base, length;
};

int walk_add_iov(struct walk *walk, int parent, uint32_t offset, taddr iov, uint64_t count, int dir)
{
	struct iov one;
	int array;

	if (count > WALK_MAX_IOV)
		return -1;
	array = walk_add(walk, parent, offset, iov, count * IOV_SIZE, SC_IN);
	if (array < 0)
		return -1;
	for (uint64_t i = 0; i < count; i++) {
		if (!walk_read(walk, iov + i * IOV_SIZE, &one, sizeof(one)))
			break;
		/* Negative lengths make the whole call fail with EINVAL. */
		if (one.length <= INT64_MAX)
			walk_add(walk, array, i * IOV_SIZE, one.base, one.length, dir);
	}
	return array;
}

static bool iovec_begin(struct walk *walk)
{
	walk_add_iov(walk, -1, 0, walk_value(walk), walk_selector(walk), walk_dir(walk));
	return true;
}

/* The index of the first region of the argument at hand, or -1. */
static int first_region(struct walk *walk)
{
	for (size_t i = 0; i < walk->regions->count; i++)
		if (walk->regions->items[i].arg == walk->arg)
			return i;
	return -1;
}

static void iovec_end(struct walk *walk)
{
	int array = first_region(walk);

	if (array >= 0 && walk_dir(walk) != SC_IN)
		walk_distribute(walk, array, walk_failed(walk) ? 0 : walk->call->result);
}

const struct region_fn region_iovec = {iovec_begin, iovec_end};

/* ---- select ---- */

/* The kernel copies whole longs in both directions (fs/select.c: FDS_BYTES). */
static bool fd_set_begin(struct walk *walk)
{
	int32_t count = walk_selector(walk);

	if (count > 0)
		walk_add_arg(walk, ((uint64_t)count + 63) / 64 * 8, SC_INOUT);
	return true;
}

const struct region_fn region_fd_set = {fd_set_begin, NULL};

static bool pselect_sig_begin(struct walk *walk)
{
	taddr at = walk_value(walk);
	int pair = walk_add_arg(walk, 16, SC_IN);

	if (pair >= 0)
		walk_add(walk, pair, 0, walk_read_u64(walk, at), walk_read_u64(walk, at + 8),
			 SC_IN);
	return true;
}

const struct region_fn region_pselect_sig = {pselect_sig_begin, NULL};

/* ---- file handles ---- */

#define HANDLE_HEADER 8
#define HANDLE_MAX    128 /* MAX_HANDLE_SZ */

/* name_to_handle_at() writes the header also when it fails with EOVERFLOW. */
static bool file_handle_begin(struct walk *walk)
{
	uint32_t bytes = walk_read_u32(walk, walk_value(walk));

	if (bytes > HANDLE_MAX)
		bytes = 0;
	walk_add_arg(walk, HANDLE_HEADER + bytes, walk_dir(walk));
	return true;
}

const struct region_fn region_file_handle = {file_handle_begin, NULL};

#define AT_HANDLE_MNT_ID_UNIQUE_ 1 /* Linux 6.12 */

static bool mount_id_begin(struct walk *walk)
{
	walk_add_arg(walk, walk_selector(walk) & AT_HANDLE_MNT_ID_UNIQUE_ ? 8 : 4, SC_INOUT);
	return true;
}

const struct region_fn region_mount_id = {mount_id_begin, NULL};

/* ---- struct xattr_args: u64 value, u32 size, u32 flags ---- */

#define XATTR_ARGS_SIZE 16

static bool xattr_args_begin(struct walk *walk)
{
	taddr at = walk_value(walk);
	int args = walk_add_arg(walk, walk_selector(walk), SC_IN);

	if (args >= 0 && walk_selector(walk) >= XATTR_ARGS_SIZE)
		walk_add(walk, args, 0, walk_read_u64(walk, at), walk_read_u32(walk, at + 8),
			 walk_dir(walk));
	return true;
}

static void xattr_args_end(struct walk *walk)
{
	int args = first_region(walk);

	if (args >= 0 && walk_dir(walk) == SC_OUT)
		walk_distribute(walk, args, walk_failed(walk) ? 0 : walk->call->result);
}

const struct region_fn region_xattr_args = {xattr_args_begin, xattr_args_end};

/* ---- mounts ---- */

static bool fsconfig_value_begin(struct walk *walk)
{
	switch ((uint32_t)walk_selector(walk)) {
	case 1: /* FSCONFIG_SET_STRING */
	case 3: /* FSCONFIG_SET_PATH */
	case 4: /* FSCONFIG_SET_PATH_EMPTY */
		walk_add_string(walk, -1, 0, walk_value(walk));
		return true;
	case 2: /* FSCONFIG_SET_BINARY: the next argument counts */
		walk_add_arg(walk, (uint32_t)walk->call->args[walk->arg + 1], SC_IN);
		return true;
	default:
		return true;
	}
}

const struct region_fn region_fsconfig_value = {fsconfig_value_begin, NULL};

static bool mnt_id_req_begin(struct walk *walk)
{
	walk_add_arg(walk, walk_read_u32(walk, walk_value(walk)), SC_IN);
	return true;
}

const struct region_fn region_mnt_id_req = {mnt_id_req_begin, NULL};

/* ---- quotactl: linux/quota.h and linux/dqblk_xfs.h ---- */

struct command {
	uint32_t command;
	uint8_t dir;
	uint16_t size;
};

static bool add_by_command(struct walk *walk, const struct command *commands, size_t count,
			   uint32_t command)
{
	for (size_t i = 0; i < count; i++) {
		if (commands[i].command != command)
			continue;
		if (commands[i].dir != SC_VALUE)
			walk_add_arg(walk, commands[i].size, commands[i].dir);
		return true;
	}
	return false;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define XQM(n)	     (('X' << 8) + (n))
#define Q_QUOTAON_   0x800002

static const struct command quota_commands[] = {
	{0x800001, SC_VALUE, 0},  /* Q_SYNC */
	{0x800003, SC_VALUE, 0},  /* Q_QUOTAOFF */
	{0x800004, SC_INOUT, 4},  /* Q_GETFMT */
	{0x800005, SC_INOUT, 24}, /* Q_GETINFO */
	{0x800006, SC_IN, 24},	  /* Q_SETINFO */
	{0x800007, SC_INOUT, 72}, /* Q_GETQUOTA */
	{0x800008, SC_IN, 72},	  /* Q_SETQUOTA */
	{0x800009, SC_INOUT, 72}, /* Q_GETNEXTQUOTA */
	{XQM(1), SC_IN, 4},	  /* Q_XQUOTAON */
	{XQM(2), SC_IN, 4},	  /* Q_XQUOTAOFF */
	{XQM(3), SC_INOUT, 112},  /* Q_XGETQUOTA */
	{XQM(4), SC_IN, 112},	  /* Q_XSETQLIM */
	{XQM(5), SC_INOUT, 80},	  /* Q_XGETQSTAT */
	{XQM(6), SC_IN, 4},	  /* Q_XQUOTARM */
	{XQM(7), SC_VALUE, 0},	  /* Q_XQUOTASYNC */
	{XQM(8), SC_INOUT, 160},  /* Q_XGETQSTATV */
	{XQM(9), SC_INOUT, 112},  /* Q_XGETNEXTQUOTA */
};

static bool quota_addr_begin(struct walk *walk)
{
	uint32_t command = (uint32_t)walk_selector(walk) >> 8;

	if (command == Q_QUOTAON_) {
		walk_add_string(walk, -1, 0, walk_value(walk));
		return true;
	}
	return add_by_command(walk, quota_commands, COUNT(quota_commands), command);
}

const struct region_fn region_quota_addr = {quota_addr_begin, NULL};

static bool landlock_rule_attr_begin(struct walk *walk)
{
	switch ((uint32_t)walk_selector(walk)) {
	case 1: /* LANDLOCK_RULE_PATH_BENEATH, packed */
		walk_add_arg(walk, 12, SC_IN);
		break;
	case 2: /* LANDLOCK_RULE_NET_PORT */
		walk_add_arg(walk, 16, SC_IN);
		break;
	}
	return true; /* it writes nothing, whatever the type */
}

const struct region_fn region_landlock_rule_attr = {landlock_rule_attr_begin, NULL};

/* ---- fcntl: linux/fcntl.h ---- */

static const struct command fcntl_commands[] = {
	{0, SC_VALUE, 0},    /* F_DUPFD */
	{1, SC_VALUE, 0},    /* F_GETFD */
	{2, SC_VALUE, 0},    /* F_SETFD */
	{3, SC_VALUE, 0},    /* F_GETFL */
	{4, SC_VALUE, 0},    /* F_SETFL */
	{5, SC_INOUT, 32},   /* F_GETLK */
	{6, SC_IN, 32},	     /* F_SETLK */
	{7, SC_IN, 32},	     /* F_SETLKW */
	{8, SC_VALUE, 0},    /* F_SETOWN */
	{9, SC_VALUE, 0},    /* F_GETOWN */
	{10, SC_VALUE, 0},   /* F_SETSIG */
	{11, SC_VALUE, 0},   /* F_GETSIG */
	{15, SC_IN, 8},	     /* F_SETOWN_EX */
	{16, SC_OUT, 8},     /* F_GETOWN_EX */
	{17, SC_INOUT, 8},   /* F_GETOWNER_UIDS */
	{36, SC_INOUT, 32},  /* F_OFD_GETLK */
	{37, SC_IN, 32},     /* F_OFD_SETLK */
	{38, SC_IN, 32},     /* F_OFD_SETLKW */
	{1024, SC_VALUE, 0}, /* F_SETLEASE */
	{1025, SC_VALUE, 0}, /* F_GETLEASE */
	{1026, SC_VALUE, 0}, /* F_NOTIFY */
	{1027, SC_VALUE, 0}, /* F_DUPFD_QUERY */
	{1028, SC_VALUE, 0}, /* F_CREATED_QUERY */
	{1029, SC_VALUE, 0}, /* F_CANCELLK */
	{1030, SC_VALUE, 0}, /* F_DUPFD_CLOEXEC */
	{1031, SC_VALUE, 0}, /* F_SETPIPE_SZ */
	{1032, SC_VALUE, 0}, /* F_GETPIPE_SZ */
	{1033, SC_VALUE, 0}, /* F_ADD_SEALS */
	{1034, SC_VALUE, 0}, /* F_GET_SEALS */
	{1035, SC_OUT, 8},   /* F_GET_RW_HINT */
	{1036, SC_IN, 8},    /* F_SET_RW_HINT */
	{1037, SC_OUT, 8},   /* F_GET_FILE_RW_HINT */
	{1038, SC_IN, 8},    /* F_SET_FILE_RW_HINT */
};

static bool fcntl_arg_begin(struct walk *walk)
{
	return add_by_command(walk, fcntl_commands, COUNT(fcntl_commands), walk_selector(walk));
}

const struct region_fn region_fcntl_arg = {fcntl_arg_begin, NULL};

/* ---- sysfs(2) ---- */

/* The kernel bounds no name of a file system; none comes near this. */
#define FS_NAME_MAX 256

static bool sysfs_arg_begin(struct walk *walk)
{
	int32_t option = walk_selector(walk);

	if (option == 1 && walk->arg == 1)
		walk_add_string(walk, -1, 0, walk_value(walk));
	else if (option == 2 && walk->arg == 2)
		walk_add_arg(walk, FS_NAME_MAX, SC_INOUT);
	return true;
}

const struct region_fn region_sysfs_arg = {sysfs_arg_begin, NULL};
