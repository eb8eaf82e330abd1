/* A call as a line of strace. The work is divided by type: one printer for each enum sc_type, in
 * the table below; here is only what joins them, and the results. Invariants: an argument is read
 * from memory as it was at entry if the call does not write it; what an ended call wrote is read
 * from memory as it is now; nothing is decoded that an error left unset. */
#include "syscalls/format.h"

#include <asm/prctl.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/prctl.h>
#include <linux/reboot.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

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
	put_decimal(p, (int)value);
}

static PRINTER(fd)
{
	put_fd(p, (int)value);
}

static PRINTER(uint)
{
	put_decimal(p, (uint32_t)value);
}

static PRINTER(long)
{
	put_decimal(p, (int64_t)value);
}

static PRINTER(ulong)
{
	put(p, "%" PRIu64, value);
}

static PRINTER(hex)
{
	put_hex(p, (uint32_t)value);
}

static PRINTER(lhex)
{
	put_hex(p, value);
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
	put_bytes(p, value, arg_length(p));
}

static PRINTER(random)
{
	put_bytes_hex(p, value, arg_length(p));
}

static PRINTER(hostname)
{
	if (arg_length(p) > HOST_NAME_MAX)
		put_addr(p, value);
	else
		put_bytes(p, value, arg_length(p));
}

static PRINTER(str)
{
	put_string(p, value, p->style->string_max);
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

static void put_fd_element(struct printer *p, const void *element)
{
	put_fd(p, *(const int *)element);
}

static PRINTER(int_array)
{
	put_array(p, value, arg_length(p) / sizeof(int), sizeof(int), put_int);
}

static PRINTER(fd_pair)
{
	put_array(p, value, 2, sizeof(int), put_fd_element);
}

static PRINTER(fd_ptr)
{
	put_array(p, value, 1, sizeof(int), put_fd_element);
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

/* ---- which arguments have a meaning, by the value of one of them: bit i for argument i ---- */

#define ALL 0x3fu

static unsigned by_ioctl_command(const struct printer *p)
{
	return ioctl_has_argument(p->call->args[1]) ? ALL : 3;
}

static unsigned by_mremap_flags(const struct printer *p)
{
	uint64_t moves = MREMAP_FIXED | MREMAP_MAYMOVE;

	return (p->call->args[3] & moves) == moves ? ALL : 15;
}

/* Actions that read have a buffer, one that sets the level only its length: syslog(2). */
static unsigned by_syslog_action(const struct printer *p)
{
	uint32_t action = p->call->args[0];

	return (action >= 2 && action <= 4) || action == 8 ? 7 : 1;
}

static unsigned by_reboot_command(const struct printer *p)
{
	return (uint32_t)p->call->args[2] == LINUX_REBOOT_CMD_RESTART2 ? ALL : 7;
}

static unsigned by_membarrier_flags(const struct printer *p)
{
	return p->call->args[1] & 1 ? ALL : 3; /* MEMBARRIER_CMD_FLAG_CPU */
}

static unsigned by_arch_prctl_option(const struct printer *p)
{
	return p->call->args[0] == ARCH_GET_CPUID ? 1 : ALL;
}

static unsigned by_fcntl_command(const struct printer *p)
{
	switch ((int)p->call->args[1]) {
	case F_GETFD:
	case F_GETFL:
	case F_GETOWN:
	case F_GETSIG:
	case F_GETLEASE:
	case F_GETPIPE_SZ:
	case F_GET_SEALS:
		return 3;
	default:
		return ALL;
	}
}

static unsigned by_prctl_option(const struct printer *p)
{
	switch ((int)p->call->args[0]) {
	case PR_GET_DUMPABLE:
	case PR_GET_KEEPCAPS:
	case PR_GET_SECCOMP:
	case PR_GET_SECUREBITS:
	case PR_GET_TIMERSLACK:
	case PR_GET_TIMING:
		return 1;
	default:
		return ALL;
	}
}

/* By the type of the argument that decides. */
static unsigned (*const meaningful[SC_TYPES])(const struct printer *p) = {
	[SC_T_FUTEX_OP] = futex_arguments,	     [SC_T_IOCTL_CMD] = by_ioctl_command,
	[SC_T_MREMAP_FLAGS] = by_mremap_flags,	     [SC_T_SYSLOG_OP] = by_syslog_action,
	[SC_T_REBOOT_CMD] = by_reboot_command,	     [SC_T_MEMBARRIER_CMD] = by_membarrier_flags,
	[SC_T_ARCH_PRCTL_OP] = by_arch_prctl_option, [SC_T_FCNTL_CMD] = by_fcntl_command,
	[SC_T_PRCTL_OP] = by_prctl_option,
};

static unsigned visible_arguments(const struct printer *p)
{
	unsigned visible = (1u << p->row->nargs) - 1;

	for (unsigned i = 0; i < p->row->nargs; i++) {
		unsigned type = p->row->args[i].type;

		if (type == SC_T_OFFSET_HIGH)
			visible &= ~(1u << i);
		else if (meaningful[type])
			visible &= meaningful[type](p);
	}
	return visible;
}

/* Types of arguments that are INOUT because the kernel may write a part, and print as output. */
static bool unset_by_failure(unsigned type)
{
	return type == SC_T_SIGINFO || type == SC_T_MINCORE_VEC || type == SC_T_TIMEX ||
	       type == SC_T_FD_PAIR || type == SC_T_TIMER_ID_PTR;
}

/* Arguments that the kernel may write but that are printed when the call is made. */
static bool known_at_entry(const struct printer *p, const struct sc_arg *arg)
{
	switch (arg->type) {
	case SC_T_POLLFDS:
	case SC_T_FD_SET:
	case SC_T_TIMEVAL:
	case SC_T_TIMESPEC:
	case SC_T_FUTEX_PTR:
	case SC_T_CAP_HEADER:
	case SC_T_OFFSET_PTR:
	case SC_T_SENDFILE_OFFSET:
	case SC_T_USER_DESC:
	case SC_T_SECCOMP_ARG:
	case SC_T_KEYCTL_ARG:
	case SC_T_QUOTA_ADDR:
	case SC_T_IOVEC:
		return true;
	case SC_T_SHMCTL_BUF:
	case SC_T_SEMCTL_ARG:
	case SC_T_MSGCTL_BUF:
		return !ipc_arg_by_end(p, arg);
	case SC_T_IOCTL_ARG:
		return !ioctl_arg_by_end(p);
	case SC_T_FCNTL_ARG:
		return !fcntl_arg_by_end(p);
	case SC_T_PRCTL_ARG:
		return !prctl_arg_by_end(p);
	case SC_T_ARCH_PRCTL_ARG:
		return !arch_prctl_arg_by_end(p);
	default:
		return false;
	}
}

/* Only the end of the call decides what is printed for the argument. */
static bool decided_by_end(const struct printer *p, unsigned i)
{
	const struct sc_arg *arg = &p->row->args[i];

	return arg->dir == SC_OUT || arg->type == SC_T_MMSGHDR ||
	       (arg->dir == SC_INOUT && !known_at_entry(p, arg));
}

/* Types of arguments that the call's end continues: " => {parent_tid=[5]}". */
static const struct {
	bool (*applies)(const struct printer *p);
	void (*print)(struct printer *p);
} continuations[SC_TYPES] = {
	[SC_T_CLONE_ARGS] = {clone3_writes, format_clone3_end},
	[SC_T_SENDFILE_OFFSET] = {sendfile_writes, format_sendfile_end},
};

static bool continued_by_end(const struct printer *p, unsigned i)
{
	unsigned type = p->row->args[i].type;

	return continuations[type].applies && continuations[type].applies(p);
}

static void continue_argument(struct printer *p, unsigned i)
{
	p->memory = p->after;
	continuations[p->row->args[i].type].print(p);
}

static void print_argument(struct printer *p, unsigned i)
{
	const struct sc_arg *arg = &p->row->args[i];
	bool writes = arg->dir == SC_OUT || arg->dir == SC_INOUT;
	/* nanosleep's remainder is there only after a failure: its printer knows */
	bool unset = arg->dir == SC_OUT && p->failed && arg->type != SC_T_TIMESPEC_REM &&
		     arg->type != SC_T_CLOCK_REM && arg->type != SC_T_MMSGHDR &&
		     arg->type != SC_T_MSGHDR && arg->type != SC_T_IOVEC;

	p->arg = i;
	p->memory = writes ? p->after : p->entry;
	if (unset || (p->failed && writes && unset_by_failure(arg->type)))
		put_addr(p, p->call->args[i]);
	else
		print_value(p, arg->type, p->call->args[i]);
}

/* The arguments from `first` on, or as far as the call has come: then `half` notes where. */
static void print_arguments(struct printer *p, unsigned first, struct sc_half *half)
{
	unsigned visible = visible_arguments(p);
	bool ended = p->call->ended || (p->row->flags & SC_NEVER_RETURNS);

	for (unsigned i = first; i < p->row->nargs && !p->last; i++) {
		if (!(visible & (1u << i)))
			continue;
		if (i > first)
			put_plain(p, ", ");
		half->next = i;
		if (!ended && decided_by_end(p, i))
			return;
		print_argument(p, i);
		half->begun = continued_by_end(p, i);
		if (half->begun && !ended)
			return;
		if (half->begun)
			continue_argument(p, i);
	}
	half->next = p->row->nargs;
	half->begun = false;
	half->complete = !result_reads_memory(p);
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

static void print_result(struct printer *p)
{
	if (!p->call->ended) {
		put_plain(p, "?");
	} else if (p->failed) {
		print_error(p, -p->call->result);
	} else {
		p->memory = p->after;
		put_result(p);
	}
}

/* ---- the line ---- */

const struct sc_style sc_style_default = {.string_max = 32};

static bool has_failed(const struct sc_call *call)
{
	return call->ended && call->result < 0 && call->result >= -MAX_ERRNO;
}

/* `column`: of the line, where the text from out->items[from] on stands. */
static void close_arguments(struct printer *p, size_t column, size_t from)
{
	put_plain(p, ") ");
	column += p->out->count - from;
	while (column++ < RESULT_COLUMN)
		put_plain(p, " ");
}

/* Calls whose arguments strace shows in a form of its own, by the row's handler: when the call is
 * made, and what its end adds. */
static const struct {
	void (*begin)(struct printer *p, struct sc_half *half);
	void (*end)(struct printer *p);
} forms[SC_HANDLERS] = {
	[SC_H_CLONE] = {format_clone, format_clone_end},
	[SC_H_SIGRETURN] = {format_sigreturn, format_sigreturn_end},
};

static void print_call(struct printer *p, struct sc_half *half)
{
	put_plain(p, p->row->name);
	put_plain(p, "(");
	if (forms[p->row->handler].begin)
		forms[p->row->handler].begin(p, half);
	else
		print_arguments(p, 0, half);
}

/* The rest of the arguments, where `half` left off. */
static void end_call(struct printer *p, const struct sc_half *half)
{
	struct sc_half rest = *half;

	if (forms[p->row->handler].begin) {
		forms[p->row->handler].end(p);
		return;
	}
	if (half->begun) {
		continue_argument(p, rest.next);
		rest.next++;
		if (rest.next < p->row->nargs)
			put_plain(p, ", ");
	}
	print_arguments(p, rest.next, &rest);
}

static void print_end(struct printer *p, size_t column, size_t from)
{
	close_arguments(p, column, from);
	put_plain(p, "= ");
	print_result(p);
}

void sc_format_from(FILE *out, const struct sc_row *row, const struct sc_call *call,
		    const struct sc_memory *entry, const struct sc_memory *memory)
{
	struct bytes line = {0};
	struct sc_half half = {0};
	struct printer p = {
		.out = &line,
		.style = &sc_style_default,
		.row = row,
		.call = call,
		.entry = entry ? entry : memory,
		.after = memory,
		.memory = memory,
		.failed = has_failed(call),
	};

	print_call(&p, &half);
	if (call->ended || (row->flags & SC_NEVER_RETURNS))
		print_end(&p, 0, 0);
	fwrite(line.items, 1, line.count, out);
	vec_deinit(&line);
}

void sc_format(FILE *out, const struct sc_row *row, const struct sc_call *call,
	       const struct sc_memory *memory)
{
	sc_format_from(out, row, call, NULL, memory);
}

/* ---- the line in two halves ---- */

/* A call without a row, as strace prints it. */
static const struct sc_row unknown_row = {
	.nr = -1,
	.nargs = SC_ARGS,
	.fd_arg = -1,
	.args = {{.type = SC_T_LHEX},
		 {.type = SC_T_LHEX},
		 {.type = SC_T_LHEX},
		 {.type = SC_T_LHEX},
		 {.type = SC_T_LHEX},
		 {.type = SC_T_LHEX}},
};

/* What the call will overwrite and its end shows as it was: a length of an address, the sizes of a
 * struct msghdr. */
static void keep_input(struct printer *p, struct sc_half *half)
{
	for (unsigned i = half->next; i < p->row->nargs; i++) {
		const struct sc_arg *arg = &p->row->args[i];
		size_t size = arg->type == SC_T_MSGHDR ? sizeof(struct msghdr) : arg->size;

		if (arg->type != SC_T_SOCKADDR_LEN && arg->type != SC_T_MSGHDR &&
		    arg->type != SC_T_OFFSET_PTR && arg->type != SC_T_SENDFILE_OFFSET)
			continue;
		half->kept_addr = p->call->args[i];
		if (size <= sizeof(half->kept) && fetch(p, half->kept_addr, half->kept, size))
			half->kept_length = size;
	}
}

void sc_format_entry(struct bytes *out, const struct sc_row *row, const struct sc_call *call,
		     const struct sc_memory *memory, const struct sc_style *style,
		     struct sc_half *half)
{
	struct printer p = {
		.out = out,
		.style = style,
		.row = row ? row : &unknown_row,
		.call = call,
		.entry = memory,
		.after = memory,
		.memory = memory,
	};

	half->next = 0;
	half->begun = half->complete = false;
	half->kept_length = 0;
	if (row) {
		print_call(&p, half);
		keep_input(&p, half);
	} else {
		put(&p, "syscall_%#x(", (unsigned)call->nr);
		print_arguments(&p, 0, half);
	}
}

struct kept_memory {
	const struct sc_half *half;
	const struct sc_memory *now;
};

static size_t read_kept(void *context, taddr addr, void *to, size_t length)
{
	const struct kept_memory *kept = context;
	const struct sc_half *half = kept->half;
	uint64_t offset = addr - half->kept_addr;

	if (addr < half->kept_addr || offset >= half->kept_length ||
	    half->kept_length - offset < length)
		return kept->now->read(kept->now->context, addr, to, length);
	memcpy(to, half->kept + offset, length);
	return length;
}

void sc_format_exit(struct bytes *out, size_t column, const struct sc_row *row,
		    const struct sc_call *call, const struct sc_memory *memory,
		    const struct sc_style *style, const struct sc_half *half)
{
	struct kept_memory kept = {half, memory};
	struct sc_memory entry = {read_kept, &kept};
	struct printer p = {
		.out = out,
		.style = style,
		.row = row ? row : &unknown_row,
		.call = call,
		.entry = &entry,
		.after = memory,
		.memory = memory,
		.failed = has_failed(call),
	};

	size_t from = out->count;

	end_call(&p, half);
	print_end(&p, column, from);
}

void sc_format_close(struct bytes *out, size_t column)
{
	struct printer p = {.out = out, .style = &sc_style_default};

	close_arguments(&p, column, out->count);
}

static size_t read_own(void *context, taddr addr, void *to, size_t length)
{
	memcpy(to, (const char *)context + addr - 1, length);
	return length;
}

void sc_format_siginfo(struct bytes *out, const void *siginfo, const struct sc_style *style)
{
	/* at address 1: 0 would be NULL */
	struct sc_memory memory = {read_own, (void *)siginfo};
	struct printer p = {.out = out, .style = style, .memory = &memory};

	put_siginfo(&p, 1);
}
