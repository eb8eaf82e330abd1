/* ioctl: the commands of ioctl.def and the few whose memory is a tree.
 *
 * A command whose number encodes a direction and a size is not believed: drivers differ from what
 * they declare. What ioctl.def does not name is left to the fallback. */
#include "syscalls/ioctl.h"

#include "syscalls/regions.h"

#define DIR_NONE  SC_VALUE
#define DIR_IN	  SC_IN
#define DIR_OUT	  SC_OUT
#define DIR_INOUT SC_INOUT
#define DIR_TREE  IOCTL_TREE

static const struct ioctl commands[] = {
#define SC_IOCTL(text, nr, d, bytes, r) {#text, nr, DIR_##d, IOCTL_##r, bytes},
#include "syscalls/ioctl.def"
#undef SC_IOCTL
};

/* Types of whole families of devices that are answered as if the file were no such device: their
 * drivers share memory with the program, or make it wait, in ways that are not recorded. */
static const uint8_t refused_types[] = {
	'd',  /* DRM: linux/drm.h */
	'$',  /* perf: linux/perf_event.h */
	0xae, /* KVM: linux/kvm.h */
	0xaa, /* userfaultfd: linux/userfaultfd.h */
};

const struct ioctl *ioctl_find(uint32_t number)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].number == number)
			return &commands[i];
	return NULL;
}

enum ioctl_row ioctl_row(uint32_t number)
{
	const struct ioctl *command = ioctl_find(number);
	uint8_t type = number >> 8; /* _IOC_TYPE */

	if (command)
		return command->row;
	for (size_t i = 0; i < sizeof(refused_types); i++)
		if (type == refused_types[i])
			return IOCTL_REFUSED;
	return IOCTL_UNKNOWN;
}

/* ---- commands whose memory is a tree ---- */

#define SIOCGIFCONF_   0x8912
#define FS_IOC_FIEMAP_ 0xc020660bu
#define FIDEDUPERANGE_ 0xc0189436u

/* struct ifconf: int ifc_len; char *ifc_buf at 8. Without a buffer it only tells the length. */
static void ifconf_begin(struct walk *walk)
{
	taddr at = walk_value(walk);
	uint32_t length = walk_read_u32(walk, at);
	int conf = walk_add_arg(walk, 16, SC_INOUT);

	if (conf >= 0 && length <= INT32_MAX)
		walk_add(walk, conf, 8, walk_read_u64(walk, at + 8), length, SC_INOUT);
}

static void tree_begin(struct walk *walk, uint32_t number)
{
	taddr at = walk_value(walk);

	switch (number) {
	case SIOCGIFCONF_:
		ifconf_begin(walk);
		break;
	case FS_IOC_FIEMAP_: /* struct fiemap: fm_extent_count at 24; the extents follow it */
		walk_add_arg(walk, 32 + walk_read_u32(walk, at + 24) * UINT64_C(56), SC_INOUT);
		break;
	case FIDEDUPERANGE_: /* struct file_dedupe_range: u16 dest_count at 16; they follow it */
		walk_add_arg(walk, 24 + (walk_read_u32(walk, at + 16) & 0xffff) * UINT64_C(32),
			     SC_INOUT);
	}
}

static bool ioctl_arg_begin(struct walk *walk)
{
	uint32_t number = walk_selector(walk);
	const struct ioctl *command = ioctl_find(number);

	if (!command)
		return ioctl_row(number) == IOCTL_REFUSED;
	if (command->dir == IOCTL_TREE)
		tree_begin(walk, number);
	else if (command->dir != SC_VALUE)
		walk_add_arg(walk, command->size, command->dir);
	return true;
}

/* The row says SC_INOUT for every command; lengths follow the regions' own directions. */
const struct region_fn region_ioctl_arg = {ioctl_arg_begin, NULL};
