/* A call as a line of strace. The work is divided by type: one printer for each enum sc_type, in the
 * table below; here is only what joins them, and the results.
 * Invariants: an argument is read from memory as it was at entry if the call does not write it; what
 * an ended call wrote is read from memory as it is now; nothing is decoded that an error left unset. */
#include "syscalls/format.h"

#include <asm/prctl.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/prctl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "syscalls/printer.h"
#include "util/alloc.h"
#include "util/cleanup.h"

/* strace puts the result into this column: its default -a 40. */
#define RESULT_COLUMN 40
#define MAX_ERRNO     4095

/* ---- names of errors and signals ---- */

static const struct name errno_names[] = {
#define ERRNO(number, name) {number, #name},
#include "syscalls/errno.def"
#undef ERRNO
};

const char *sc_errno_name(int errnum)
{
	for (size_t i = 0; i < sizeof(errno_names) / sizeof(errno_names[0]); i++)
		if (errno_names[i].value == (uint64_t)(unsigned)errnum)
			return errno_names[i].text;
	return NULL;
}

const char *sc_signal_name(int signal)
{
	static const char *const names[] = {
		[1] = "SIGHUP", "SIGINT",    "SIGQUIT",	 "SIGILL",    "SIGTRAP",  "SIGABRT",
		"SIGBUS",	"SIGFPE",    "SIGKILL",	 "SIGUSR1",   "SIGSEGV",  "SIGUSR2",
		"SIGPIPE",	"SIGALRM",   "SIGTERM",	 "SIGSTKFLT", "SIGCHLD",  "SIGCONT",
		"SIGSTOP",	"SIGTSTP",   "SIGTTIN",	 "SIGTTOU",   "SIGURG",	  "SIGXCPU",
		"SIGXFSZ",	"SIGVTALRM", "SIGPROF",	 "SIGWINCH",  "SIGIO",	  "SIGPWR",
		"SIGSYS",	"SIGRTMIN",  "SIGRT_1",	 "SIGRT_2",   "SIGRT_3",  "SIGRT_4",
		"SIGRT_5",	"SIGRT_6",   "SIGRT_7",	 "SIGRT_8",   "SIGRT_9",  "SIGRT_10",
		"SIGRT_11",	"SIGRT_12",  "SIGRT_13", "SIGRT_14",  "SIGRT_15", "SIGRT_16",
		"SIGRT_17",	"SIGRT_18",  "SIGRT_19", "SIGRT_20",  "SIGRT_21", "SIGRT_22",
		"SIGRT_23",	"SIGRT_24",  "SIGRT_25", "SIGRT_26",  "SIGRT_27", "SIGRT_28",
		"SIGRT_29",	"SIGRT_30",  "SIGRT_31", "SIGRT_32",
	};

	if (signal < 1 || (size_t)signal >= sizeof(names) / sizeof(names[0]))
		return NULL;
	return names[signal];
}

/* ---- printers of plain values ---- */

static PRINTER(int)
{
	put(p, "%d", (int)value);
}

static PRINTER(uint)
{
	put(p, "%u", (uint32_t)value);
}

static PRINTER(long)
{
	put(p, "%" PRId64, (int64_t)value);
}

static PRINTER(ulong)
{
	put(p, "%" PRIu64, value);
}

static PRINTER(hex)
{
	put(p, "%#x", (uint32_t)value);
}

static PRINTER(lhex)
{
	put(p, "%#" PRIx64, value);
}

static PRINTER(addr)
{
	put_addr(p, value);
}

static PRINTER(name)
{
	put_name(p, names, (uint32_t)value);
}

static PRINTER(name_decimal)
{
	const char *text = names_find(names, (uint32_t)value);

	if (text)
		put(p, "%s", text);
	else
		put(p, "%d", (int)value);
}

static PRINTER(flags)
{
	put_flags(p, names, (uint32_t)value);
}

static PRINTER(lflags)
{
	put_flags(p, names, value);
}

/* ---- printers of plain memory ---- */

static PRINTER(buf)
{
	if (p->row->nr == SYS_getrandom)
		put_bytes_hex(p, value, arg_length(p));
	else if (p->row->nr == SYS_getcwd)
		put_path(p, value);
	else
		put_bytes(p, value, arg_length(p));
}

static PRINTER(str)
{
	put_string(p, value, PRINT_MAX);
}

static PRINTER(path)
{
	put_path(p, value);
}

#define INDIRECT(name, type, format)                                  \
	static PRINTER(name)                                          \
	{                                                             \
		type number;                                          \
		if (fetch_or_addr(p, value, &number, sizeof(number))) \
			put(p, "[" format "]", number);               \
	}
INDIRECT(int_ptr, int32_t, "%d")
INDIRECT(uint_ptr, uint32_t, "%u")
INDIRECT(hex_ptr, uint32_t, "%#x")
INDIRECT(long_ptr, int64_t, "%" PRId64)
INDIRECT(ulong_ptr, uint64_t, "%" PRIu64)
INDIRECT(lhex_ptr, uint64_t, "%#" PRIx64)

#define ELEMENT(name, type, format)                                    \
	static void put_##name(struct printer *p, const void *element) \
	{                                                              \
		put(p, format, *(const type *)element);                \
	}
ELEMENT(int, int32_t, "%d")
ELEMENT(ulong, uint64_t, "%" PRIu64)
ELEMENT(lhex, uint64_t, "%#" PRIx64)
ELEMENT(byte, uint8_t, "%u")

static PRINTER(int_array)
{
	put_array(p, value, arg_length(p) / sizeof(int), sizeof(int), put_int);
}

static PRINTER(fd_pair)
{
	put_array(p, value, 2, sizeof(int), put_int);
}

static PRINTER(ulong_array)
{
	put_array(p, value, arg_length(p) / 8, 8, put_ulong);
}

static PRINTER(addr_array)
{
	put_array(p, value, arg_length(p) / 8, 8, put_lhex);
}

static PRINTER(mincore)
{
	put_array(p, value, (arg_value(p, 1) + 4095) / 4096, 1, put_byte);
}

static PRINTER(mq_attr)
{
	int64_t attr[4];

	if (fetch_or_addr(p, value, attr, sizeof(attr)))
		put(p,
		    "{mq_flags=%#" PRIx64 ", mq_maxmsg=%" PRId64 ", mq_msgsize=%" PRId64
		    ", mq_curmsgs=%" PRId64 "}",
		    (uint64_t)attr[0], attr[1], attr[2], attr[3]);
}

/* ---- the table of types ---- */

static const struct type_printer printers[SC_TYPES] = {
#define TYPE(type, function, ...) [SC_T_##type] = {print_##function, ##__VA_ARGS__},
#define NAME_TYPE(type, id)	  TYPE(type, name, &names_##id)
#define FLAG_TYPE(type, id)	  TYPE(type, flags, &names_##id)
#include "syscalls/format_types.def"
#undef FLAG_TYPE
#undef NAME_TYPE
#undef TYPE
};

static void print_value(struct printer *p, unsigned type, uint64_t value)
{
	const struct type_printer *printer = &printers[type < SC_TYPES ? type : SC_T_NONE];

	if (printer->print)
		printer->print(p, value, printer->names);
	else
		print_lhex(p, value, NULL);
}

/* ---- arguments ---- */

/* Bit i: argument i has a meaning in this call, as far as the values of others decide that. */
static unsigned visible_arguments(const struct printer *p)
{
	const uint64_t *args = p->call->args;
	unsigned all = (1u << p->row->nargs) - 1;

	switch (p->row->nr) {
	case SYS_futex:
		return futex_arguments(p) & all;
	case SYS_ioctl:
		return ioctl_has_argument(args[1]) ? all : 3;
	case SYS_mremap:
		return args[3] & MREMAP_FIXED ? all : 15;
	case SYS_preadv:
	case SYS_pwritev:
	case SYS_preadv2:
	case SYS_pwritev2:
		return all & ~16u; /* the upper half of the offset is for 32-bit machines */
	case SYS_membarrier:
		return args[1] & 1 ? all : 3; /* MEMBARRIER_CMD_FLAG_CPU */
	case SYS_arch_prctl:
		return args[0] == ARCH_GET_CPUID ? 1 : all;
	case SYS_fcntl:
		switch ((int)args[1]) {
		case F_GETFD:
		case F_GETFL:
		case F_GETOWN:
		case F_GETSIG:
		case F_GETLEASE:
		case F_GETPIPE_SZ:
		case F_GET_SEALS:
			return 3;
		}
		return all;
	case SYS_prctl:
		switch ((int)args[0]) {
		case PR_GET_DUMPABLE:
		case PR_GET_KEEPCAPS:
		case PR_GET_SECCOMP:
		case PR_GET_SECUREBITS:
		case PR_GET_TIMERSLACK:
		case PR_GET_TIMING:
			return 1;
		}
		return all;
	default:
		return all;
	}
}

/* Types of arguments that are INOUT because the kernel may write a part, and print as output. */
static bool unset_by_failure(unsigned type)
{
	return type == SC_T_SIGINFO || type == SC_T_MINCORE_VEC || type == SC_T_TIMEX;
}

static void print_argument(struct printer *p, unsigned i)
{
	const struct sc_arg *arg = &p->row->args[i];
	bool writes = arg->dir == SC_OUT || arg->dir == SC_INOUT;
	/* nanosleep's remainder is there only after a failure: its printer knows */
	bool unset = arg->dir == SC_OUT && p->failed && arg->type != SC_T_TIMESPEC_REM &&
		     arg->type != SC_T_MMSGHDR && arg->type != SC_T_MSGHDR &&
		     arg->type != SC_T_IOVEC;

	p->arg = i;
	p->memory = writes ? p->after : p->entry;
	if (unset || (p->failed && writes && unset_by_failure(arg->type)))
		put_addr(p, p->call->args[i]);
	else
		print_value(p, arg->type, p->call->args[i]);
}

static void print_arguments(struct printer *p)
{
	unsigned visible = visible_arguments(p);
	bool ended = p->call->ended || (p->row->flags & SC_NEVER_RETURNS);

	for (unsigned i = 0; i < p->row->nargs && !p->last; i++) {
		if (!(visible & (1u << i)))
			continue;
		if (i)
			put(p, ", ");
		if (!ended && p->row->args[i].dir == SC_OUT)
			break;
		print_argument(p, i);
	}
}

/* ---- results ---- */

static void print_error(struct printer *p, int errnum)
{
	static const struct name restarts[] = {{512, "To be restarted if SA_RESTART is set"},
					       {513, "To be restarted"},
					       {514, "To be restarted if no handler"},
					       {516, "Interrupted by signal"}};
	const char *name = sc_errno_name(errnum);

	for (size_t i = 0; i < sizeof(restarts) / sizeof(restarts[0]); i++)
		if (restarts[i].value == (uint64_t)errnum) {
			put(p, "? %s (%s)", name, restarts[i].text);
			return;
		}
	if (!name)
		put(p, "-1 (errno %d)", errnum);
	else if (errnum >= 512)
		put(p, "-1 %s (errno %d)", name, errnum);
	else
		put(p, "-1 %s (%s)", name, strerrordesc_np(errnum));
}

/* The result's name behind it, if it has one. */
static void print_comment_names(struct printer *p, const struct names *names)
{
	const char *text = names_find(names, p->call->result);

	if (text)
		put(p, " (%s)", text);
}

static void print_left(struct printer *p, const char *comma)
{
	uint64_t timeout = p->call->args[4];

	if (p->row->nr == SYS_ppoll)
		timeout = p->call->args[2];
	if (!timeout)
		return;
	put(p, "%sleft ", comma);
	if (p->row->nr == SYS_select)
		put_timeval(p, timeout);
	else
		put_timespec(p, timeout);
}

static void print_ready_sets(struct printer *p)
{
	static const char *const names[] = {"in", "out", "except"};
	const char *comma = "";

	if (!p->call->result) {
		put(p, " (Timeout)");
		return;
	}
	put(p, " (");
	for (unsigned i = 0; i < 3; i++)
		if (p->call->args[i + 1]) {
			char *text _cleanup_free_ = NULL;
			size_t size = 0;
			struct printer inner = *p;

			inner.out = open_memstream(&text, &size);
			if (!inner.out)
				alloc_failed(0);
			put_fd_set(&inner, p->call->args[i + 1], p->call->args[0]);
			fclose(inner.out);
			if (!strcmp(text, "[]"))
				continue;
			put(p, "%s%s %s", comma, names[i], text);
			comma = ", ";
		}
	print_left(p, comma);
	put(p, ")");
}

static void print_ready_fds(struct printer *p)
{
	if (!p->call->result) {
		put(p, " (Timeout)");
		return;
	}
	put(p, " (");
	put_pollfds(p, p->call->args[0], p->call->args[1], true);
	if (p->row->nr == SYS_ppoll)
		print_left(p, ", ");
	put(p, ")");
}

static void print_fcntl_result(struct printer *p)
{
	int64_t result = p->call->result;

	switch ((int)p->call->args[1]) {
	case F_GETFD:
		if (result) {
			put(p, "%#" PRIx64 " (flags ", (uint64_t)result);
			put_flags(p, &names_fdflags, result);
			put(p, ")");
			return;
		}
		break;
	case F_GETFL:
		put(p, "%#" PRIx64 " (flags ", (uint64_t)result);
		put_open_flags(p, result);
		put(p, ")");
		return;
	}
	put(p, "%" PRId64, result);
}

static void print_success(struct printer *p)
{
	int64_t result = p->call->result;

	switch (p->row->nr) {
	case SYS_mmap:
	case SYS_mremap:
	case SYS_brk:
	case SYS_shmat:
		put(p, "%#" PRIx64, (uint64_t)result);
		break;
	case SYS_umask:
		put(p, "%#03" PRIo64, (uint64_t)result);
		break;
	case SYS_fcntl:
		print_fcntl_result(p);
		break;
	case SYS_membarrier:
		put(p, p->call->args[0] ? "%" PRId64 : "%#" PRIx64, result);
		break;
	case SYS_personality:
		put(p, "%#" PRIx64 " (", (uint64_t)result);
		print_personality(p, result, NULL);
		put(p, ")");
		break;
	default:
		put(p, "%" PRId64, result);
	}
}

static void print_result_comment(struct printer *p)
{
	switch (p->row->nr) {
	case SYS_poll:
	case SYS_ppoll:
		print_ready_fds(p);
		break;
	case SYS_select:
	case SYS_pselect6:
		print_ready_sets(p);
		break;
	case SYS_rt_sigtimedwait:
		put(p, " (");
		put_signal(p, p->call->result);
		put(p, ")");
		break;
	case SYS_time:
		put_date(p, " (", p->call->result, 0, ")");
		break;
	case SYS_membarrier:
		if (!p->call->args[0]) {
			put(p, " (");
			put_flags(p, &names_membarrier, p->call->result);
			put(p, ")");
		}
		break;
	case SYS_sched_getscheduler:
		print_comment_names(p, &names_sched);
		break;
	case SYS_adjtimex:
	case SYS_clock_adjtime:
		print_comment_names(p, &names_timex_state);
		break;
	case SYS_prctl:
		if (p->call->args[0] == PR_GET_DUMPABLE)
			print_comment_names(p, &names_dumpable);
		break;
	}
}

static void print_result(struct printer *p)
{
	if (!p->call->ended) {
		put(p, "?");
	} else if (p->failed) {
		print_error(p, -p->call->result);
	} else {
		p->memory = p->after;
		print_success(p);
		print_result_comment(p);
	}
}

/* ---- the line ---- */

static void print_call(struct printer *p)
{
	put(p, "%s(", p->row->name);
	if (p->row->nr == SYS_clone)
		format_clone(p);
	else
		print_arguments(p);
}

void sc_format_from(FILE *out, const struct sc_row *row, const struct sc_call *call,
		    const struct sc_memory *entry, const struct sc_memory *memory)
{
	char *line _cleanup_free_ = NULL;
	size_t length = 0;
	struct printer p = {
		.row = row,
		.call = call,
		.entry = entry ? entry : memory,
		.after = memory,
		.memory = memory,
		.failed = call->ended && call->result < 0 && call->result >= -MAX_ERRNO,
	};

	p.out = open_memstream(&line, &length);
	if (!p.out)
		alloc_failed(0);
	print_call(&p);
	if (call->ended || (row->flags & SC_NEVER_RETURNS)) {
		put(&p, ") ");
		fflush(p.out);
		put(&p, "%*s= ", length < RESULT_COLUMN ? (int)(RESULT_COLUMN - length) : 0, "");
		print_result(&p);
	}
	fclose(p.out);
	fwrite(line, 1, length, out);
}

void sc_format(FILE *out, const struct sc_row *row, const struct sc_call *call,
	       const struct sc_memory *memory)
{
	sc_format_from(out, row, call, NULL, memory);
}
