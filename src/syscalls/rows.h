/* The notation of table.def: macros that turn one line into one struct sc_row. Private to the files
 * that hold rows (table.c, refine.c). */
#ifndef WARP_SYSCALLS_ROWS_H
#define WARP_SYSCALLS_ROWS_H

#include <errno.h>

#include "syscalls/syscalls.h"

/* Short names of the flags, so that a row fits on a line. */
enum {
	BLOCK = SC_MAY_BLOCK,
	CH_MM = SC_CHANGES_MM,
	CH_FDS = SC_CHANGES_FDS,
	CH_SIG = SC_CHANGES_SIG,
	CH_TASKS = SC_CHANGES_TASKS,
	WR_FD = SC_WRITES_FD,
	MV_FD = SC_MOVES_FD,
	WR_FILE = SC_WRITES_FILE,
	BUFFER = SC_BUFFERABLE,
	YIELDS = SC_YIELDS,
	QUIET = SC_QUIET,
	RANGE = SC_RANGE,
	STRICT = SC_STRICT,
	CONTINUED = SC_CONTINUED,
	NO_RETURN = SC_NEVER_RETURNS,
	FALLBACK = SC_FALLBACK,
	FILES = SC_CLASS_FILE,
	NET = SC_CLASS_NETWORK,
	MEM = SC_CLASS_MEMORY,
	PROC = SC_CLASS_PROCESS,
	SIGNALS = SC_CLASS_SIGNAL,
	DESC = SC_CLASS_DESC,
	IPC = SC_CLASS_IPC,
	CREDS = SC_CLASS_CREDS,
	CLOCK = SC_CLASS_CLOCK,
	PURE = SC_CLASS_PURE,
	PARTIAL = SC_PARTIAL,
};

#define NOFD (-1)

/* Before an action. */
#define REFINE(r) .refine = SC_R_##r,

#define INJECT	       .action = SC_INJECT
#define INJECT_WITH(h) .action = SC_INJECT, .handler = SC_H_##h
#define PERFORM(h)     .action = SC_PERFORM, .handler = SC_H_##h
#define EMULATE(h)     .action = SC_EMULATE, .handler = SC_H_##h
#define REFUSE(e)      .action = SC_REFUSE, .refuse_errno = (e)

#define ARG_(n, t, d, k, a, s)                                                                   \
	{                                                                                        \
		.name = #n, .type = SC_T_##t, .dir = d, .size_kind = k, .size_arg = a, .size = s \
	}
#define V(n, t)		       ARG_(n, t, SC_VALUE, SC_S_NONE, 0, 0)
#define CSTR(n, t)	       ARG_(n, t, SC_IN, SC_S_CSTR, 0, 0)
#define P(n)		       CSTR(n, PATH)
#define S(n)		       CSTR(n, STR)
#define IN(n, t, bytes)	       ARG_(n, t, SC_IN, SC_S_CONST, 0, bytes)
#define OUT(n, t, bytes)       ARG_(n, t, SC_OUT, SC_S_CONST, 0, bytes)
#define INOUT(n, t, bytes)     ARG_(n, t, SC_INOUT, SC_S_CONST, 0, bytes)
#define IN_N(n, t, each, a)    ARG_(n, t, SC_IN, SC_S_ARG, a, each)
#define OUT_N(n, t, each, a)   ARG_(n, t, SC_OUT, SC_S_ARG, a, each)
#define INOUT_N(n, t, each, a) ARG_(n, t, SC_INOUT, SC_S_ARG, a, each)
#define OUT_RET(n, t, each, a) ARG_(n, t, SC_OUT, SC_S_ARG_RET, a, each)
#define OUT_LEN(n, t, a)       ARG_(n, t, SC_OUT, SC_S_ARG_DEREF, a, 1)
#define INOUT_LEN(n, t, a)     ARG_(n, t, SC_INOUT, SC_S_ARG_DEREF, a, 1)
#define IN_C(n, t, a)	       ARG_(n, t, SC_IN, SC_S_CUSTOM, a, 0)
#define OUT_C(n, t, a)	       ARG_(n, t, SC_OUT, SC_S_CUSTOM, a, 0)
#define INOUT_C(n, t, a)       ARG_(n, t, SC_INOUT, SC_S_CUSTOM, a, 0)

/* Arguments of calls that have more than one row (refine.c). */
#define OPEN_ARGS   P(filename), V(flags, OPEN_FLAGS), V(mode, MODE)
#define OPENAT_ARGS V(dfd, DIRFD), OPEN_ARGS
#define IOCTL_ARGS  V(fd, FD), V(cmd, IOCTL_CMD), INOUT_C(arg, IOCTL_ARG, 1)
#define FCNTL_ARGS  V(fd, FD), V(cmd, FCNTL_CMD), INOUT_C(arg, FCNTL_ARG, 1)
#define PRCTL_ARGS                                                                     \
	V(option, PRCTL_OP), INOUT_C(arg2, PRCTL_ARG, 0), INOUT_C(arg3, PRCTL_ARG, 0), \
		INOUT_C(arg4, PRCTL_ARG, 0), INOUT_C(arg5, PRCTL_ARG, 0)

#define MMAP_ARGS \
	V(addr, ADDR), V(len, SIZE), V(prot, PROT), V(flags, MMAP_FLAGS), V(fd, FD), V(off, LHEX)
#define ARCH_PRCTL_ARGS V(option, ARCH_PRCTL_OP), OUT_C(arg2, ARCH_PRCTL_ARG, 0)

#define ROW(number, call, ret, fd, flag, act, ...)                                \
	{.nr = (number),                                                          \
	 .name = #call,                                                           \
	 .flags = (flag),                                                         \
	 .nargs = sizeof((struct sc_arg[]){__VA_ARGS__}) / sizeof(struct sc_arg), \
	 act,                                                                     \
	 .fd_arg = (fd),                                                          \
	 .ret_type = SC_T_##ret,                                                  \
	 .args = {__VA_ARGS__}},

#endif
