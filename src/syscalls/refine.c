/* Rows that depend on an argument: which row describes one particular ioctl, fcntl, prctl, ...
 *
 * A refined row has the number, the name and the arguments of the row of the table; only what
 * recorder and replayer do with it differs. */
#include "syscalls/ioctl.h"
#include "syscalls/rows.h"

enum refined {
	R_OPEN_TRUNC,
	R_OPENAT_TRUNC,
	R_MMAP_FIXED,
	R_IOCTL_SLOW,
	R_IOCTL_FDS,
	R_IOCTL_FILE,
	R_IOCTL_REFUSED,
	R_IOCTL_UNKNOWN,
	R_FCNTL_WAIT,
	R_FCNTL_DUP,
	R_PRCTL_TSC,
	R_PRCTL_SECCOMP,
	R_PRCTL_NO_NEW_PRIVS,
	R_PRCTL_USER_DISPATCH,
	R_PRCTL_DUMPABLE,
	R_PRCTL_NAME,
	R_ARCH_PRCTL_CPUID,
	R_ARCH_PRCTL_XCOMP,
	R_ARCH_PRCTL_REFUSED,
};

static const struct sc_row rows[] = {
#include "syscalls/refined.def"
};

#define TRUNC 01000 /* O_TRUNC */
#define FIXED 0x10  /* MAP_FIXED */

static const struct sc_row *refine_ioctl(const struct sc_row *row, uint32_t command)
{
	switch (ioctl_row(command)) {
	case IOCTL_PLAIN:
		return row;
	case IOCTL_SLOW:
		return &rows[R_IOCTL_SLOW];
	case IOCTL_FDS:
		return &rows[R_IOCTL_FDS];
	case IOCTL_FILE:
		return &rows[R_IOCTL_FILE];
	case IOCTL_REFUSED:
		return &rows[R_IOCTL_REFUSED];
	case IOCTL_UNKNOWN:
		break;
	}
	return &rows[R_IOCTL_UNKNOWN];
}

static const struct sc_row *refine_fcntl(const struct sc_row *row, uint32_t command)
{
	switch (command) {
	case 7:	 /* F_SETLKW */
	case 38: /* F_OFD_SETLKW */
		return &rows[R_FCNTL_WAIT];
	case 0:	   /* F_DUPFD */
	case 1030: /* F_DUPFD_CLOEXEC */
		return &rows[R_FCNTL_DUP];
	default:
		return row;
	}
}

static const struct sc_row *refine_prctl(const struct sc_row *row, uint32_t option)
{
	switch (option) {
	case 3: /* PR_GET_DUMPABLE */
	case 4: /* PR_SET_DUMPABLE */
		return &rows[R_PRCTL_DUMPABLE];
	case 15: /* PR_SET_NAME */
		return &rows[R_PRCTL_NAME];
	case 21: /* PR_GET_SECCOMP */
	case 22: /* PR_SET_SECCOMP */
		return &rows[R_PRCTL_SECCOMP];
	case 25: /* PR_GET_TSC */
	case 26: /* PR_SET_TSC */
		return &rows[R_PRCTL_TSC];
	case 38: /* PR_SET_NO_NEW_PRIVS */
	case 39: /* PR_GET_NO_NEW_PRIVS */
		return &rows[R_PRCTL_NO_NEW_PRIVS];
	case 59: /* PR_SET_SYSCALL_USER_DISPATCH */
		return &rows[R_PRCTL_USER_DISPATCH];
	default:
		return row;
	}
}

static const struct sc_row *refine_arch_prctl(const struct sc_row *row, uint32_t option)
{
	switch (option) {
	case 0x1011: /* ARCH_GET_CPUID */
	case 0x1012: /* ARCH_SET_CPUID */
		return &rows[R_ARCH_PRCTL_CPUID];
	case 0x1023: /* ARCH_REQ_XCOMP_PERM */
		return &rows[R_ARCH_PRCTL_XCOMP];
	case 0x2001: /* ARCH_MAP_VDSO_X32, _32, _64: an unpatched vDSO */
	case 0x2002:
	case 0x2003:
	case 0x4002: /* ARCH_ENABLE_TAGGED_ADDR: pointers that a replay could not follow */
	case 0x5001: /* ARCH_SHSTK_ENABLE: memory that the processor writes */
		return &rows[R_ARCH_PRCTL_REFUSED];
	default:
		return row;
	}
}

static const struct sc_row *refine_open(const struct sc_row *row, uint32_t flags)
{
	return flags & TRUNC ? &rows[R_OPEN_TRUNC] : row;
}

static const struct sc_row *refine_openat(const struct sc_row *row, uint32_t flags)
{
	return flags & TRUNC ? &rows[R_OPENAT_TRUNC] : row;
}

static const struct sc_row *refine_mmap(const struct sc_row *row, uint32_t flags)
{
	return flags & FIXED ? &rows[R_MMAP_FIXED] : row;
}

/* By the argument that decides. */
static const struct {
	const struct sc_row *(*choose)(const struct sc_row *row, uint32_t value);
	unsigned arg;
} refines[SC_REFINES] = {
	[SC_R_OPEN] = {refine_open, 1},
	[SC_R_OPENAT] = {refine_openat, 2},
	[SC_R_MMAP] = {refine_mmap, 3},
	[SC_R_IOCTL] = {refine_ioctl, 1},
	[SC_R_FCNTL] = {refine_fcntl, 1},
	[SC_R_PRCTL] = {refine_prctl, 0},
	[SC_R_ARCH_PRCTL] = {refine_arch_prctl, 0},
};

const struct sc_row *sc_row_refine(const struct sc_row *row, const struct sc_call *call)
{
	if (!row || !refines[row->refine].choose)
		return row;
	return refines[row->refine].choose(row, (uint32_t)call->args[refines[row->refine].arg]);
}
