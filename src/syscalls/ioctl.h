/* What ioctl.def says about one command. Private to src/syscalls. */
#ifndef WARP_SYSCALLS_IOCTL_H
#define WARP_SYSCALLS_IOCTL_H

#include <stdint.h>

/* Which row of refine.c a command has. */
enum ioctl_row {
	IOCTL_PLAIN,   /* the row of the table */
	IOCTL_SLOW,    /* may block */
	IOCTL_FDS,     /* makes a descriptor */
	IOCTL_FILE,    /* changes the contents of the file */
	IOCTL_REFUSED, /* answered with ENOTTY, as a file does that is no such device */
	IOCTL_UNKNOWN, /* only the fallback can tell */
};

struct ioctl {
	const char *name;
	uint32_t number;
	uint8_t dir; /* enum sc_dir, or IOCTL_TREE */
	uint8_t row; /* enum ioctl_row */
	uint16_t size;
};

/* The command's structure points at, or is followed by, more memory. */
#define IOCTL_TREE 255

/* The line of a command, or NULL. */
const struct ioctl *ioctl_find(uint32_t number);
enum ioctl_row ioctl_row(uint32_t number);

#endif
