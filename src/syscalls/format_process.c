/* Printers: processes, memory, scheduling, capabilities, futexes and System V IPC. */
#include "syscalls/printer.h"

#include <asm/prctl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define COMM_LENGTH    16 /* TASK_COMM_LEN of the kernel */
#define PID_NAMESPACES 32 /* MAX_PID_NS_LEVEL of the kernel */
#define STRINGS_LIMIT  (1u << 20)

/* ---- exec ---- */

PRINTER(argv)
{
	uint64_t string;

	if (!value || !fetch(p, value, &string, sizeof(string))) {
		put_addr(p, value);
		return;
	}
	put_plain(p, "[");
	for (unsigned i = 0;; i++) {
		if (!fetch(p, value + 8 * i, &string, sizeof(string))) {
			put(p, ", ... /* %#" PRIx64 " */", value + 8 * i);
			break;
		}
		if (!string)
			break;
		put_plain(p, i ? ", " : "");
		if (i == p->style->string_max) {
			put_plain(p, "...");
			break;
		}
		put_string(p, string, p->style->string_max);
	}
	put_plain(p, "]");
}

PRINTER(envp)
{
	uint64_t string;
	unsigned count = 0;
	bool complete = false;

	while (value && count < STRINGS_LIMIT && fetch(p, value + 8 * count, &string, 8)) {
		complete = !string;
		if (complete)
			break;
		count++;
	}
	put_addr(p, value);
	if (value && (count || complete))
		put(p, " /* %u var%s%s */", count, count == 1 ? "" : "s",
		    complete ? "" : ", unterminated");
}

/* ---- clone and wait ---- */

static void put_clone_flags(struct printer *p, uint64_t flags)
{
	int signal = flags & CSIGNAL;

	flags &= ~(uint64_t)CSIGNAL;
	if (flags)
		put_flags(p, &names_clone, flags);
	if (flags && signal)
		put_plain(p, "|");
	if (signal || !flags)
		put_signal(p, signal);
}

PRINTER(clone_flags)
{
	put_clone_flags(p, value);
}

void put_int_at(struct printer *p, taddr addr)
{
	int number;

	if (fetch_or_addr(p, addr, &number, sizeof(number)))
		put(p, "[%d]", number);
}

static void put_fd_at(struct printer *p, taddr addr)
{
	int fd;

	if (!fetch_or_addr(p, addr, &fd, sizeof(fd)))
		return;
	put_plain(p, "[");
	put_fd(p, fd);
	put_plain(p, "]");
}

#define CLONE_SHOWN                                                              \
	(CLONE_PARENT_SETTID | CLONE_PIDFD | CLONE_SETTLS | CLONE_CHILD_SETTID | \
	 CLONE_CHILD_CLEARTID)

/* clone(2) on x86-64, named and in the order in which strace shows it. */
void format_clone(struct printer *p, struct sc_half *half)
{
	uint64_t flags = p->call->args[0];

	put_plain(p, "child_stack=");
	put_addr(p, p->call->args[1]);
	put_plain(p, ", flags=");
	put_clone_flags(p, flags);
	half->complete = !(flags & CLONE_SHOWN);
	if (p->call->ended)
		format_clone_end(p);
}

void format_clone_end(struct printer *p)
{
	uint64_t flags = p->call->args[0];

	p->memory = p->after;
	if (flags & (CLONE_PARENT_SETTID | CLONE_PIDFD)) {
		put_plain(p, ", parent_tid=");
		if (p->failed)
			put_addr(p, p->call->args[2]);
		else if (flags & CLONE_PIDFD)
			put_fd_at(p, p->call->args[2]);
		else
			put_int_at(p, p->call->args[2]);
	}
	if (flags & CLONE_SETTLS) {
		put_plain(p, ", tls=");
		put_addr(p, p->call->args[4]);
	}
	if (flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)) {
		put_plain(p, ", child_tidptr=");
		put_addr(p, p->call->args[3]);
	}
}

static void put_field_addr(struct printer *p, const char *name, uint64_t addr)
{
	put(p, ", %s=", name);
	put_addr(p, addr);
}

static bool fetch_clone_args(const struct printer *p, struct clone_args *args)
{
	struct printer reader = *p;
	uint64_t size = arg_value(p, 1);

	reader.memory = p->entry;
	memset(args, 0, sizeof(*args));
	return size >= CLONE_ARGS_SIZE_VER0 &&
	       fetch(&reader, arg_value(p, 0), args, size < sizeof(*args) ? size : sizeof(*args));
}

bool clone3_writes(const struct printer *p)
{
	struct clone_args args;

	return fetch_clone_args(p, &args) && (args.flags & (CLONE_PIDFD | CLONE_PARENT_SETTID));
}

void format_clone3_end(struct printer *p)
{
	struct clone_args args;
	const char *open = " => {";

	if (!p->call->ended || p->failed || !fetch_clone_args(p, &args))
		return;
	if (args.flags & CLONE_PIDFD) {
		put(p, "%spidfd=", open);
		put_fd_at(p, args.pidfd);
		open = ", ";
	}
	if (args.flags & CLONE_PARENT_SETTID) {
		put(p, "%sparent_tid=", open);
		put_int_at(p, args.parent_tid);
	}
	put_plain(p, "}");
}

static void put_tid(struct printer *p, const void *element)
{
	put_decimal(p, *(const int *)element);
}

PRINTER(clone_args)
{
	struct clone_args args;

	if (!fetch_clone_args(p, &args)) {
		put_addr(p, value);
		return;
	}
	put_plain(p, "{flags=");
	put_flags(p, &names_clone, args.flags);
	if (args.flags & CLONE_PIDFD)
		put_field_addr(p, "pidfd", args.pidfd);
	if (args.flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))
		put_field_addr(p, "child_tid", args.child_tid);
	if (args.flags & CLONE_PARENT_SETTID)
		put_field_addr(p, "parent_tid", args.parent_tid);
	put_plain(p, ", exit_signal=");
	put_signal(p, args.exit_signal);
	put_field_addr(p, "stack", args.stack);
	put(p, ", stack_size=%#" PRIx64, (uint64_t)args.stack_size);
	if (args.flags & CLONE_SETTLS)
		put_field_addr(p, "tls", args.tls);
	if (args.set_tid || args.set_tid_size) {
		put_plain(p, ", set_tid=");
		if (args.set_tid_size > PID_NAMESPACES)
			put_addr(p, args.set_tid);
		else
			put_array(p, args.set_tid, args.set_tid_size, sizeof(int), put_tid);
		put(p, ", set_tid_size=%" PRIu64, (uint64_t)args.set_tid_size);
	}
	if (args.cgroup || (args.flags & CLONE_INTO_CGROUP))
		put(p, ", cgroup=%" PRIu64, (uint64_t)args.cgroup);
	put_plain(p, "}");
}

static void put_stop(struct printer *p, int status)
{
	put_plain(p, "WIFSTOPPED(s) && WSTOPSIG(s) == ");
	put_signal(p, WSTOPSIG(status) & 0x7f);
	if (WSTOPSIG(status) & 0x80)
		put_plain(p, " | 0x80");
	put_plain(p, "}");
	if (status >> 16)
		put(p, " | %#x << 16", status >> 16);
}

PRINTER(wait_status)
{
	int status;

	if (p->call->result == 0 || !fetch(p, value, &status, sizeof(status))) {
		put_addr(p, value);
		return;
	}
	put_plain(p, "[{");
	if (WIFEXITED(status)) {
		put(p, "WIFEXITED(s) && WEXITSTATUS(s) == %d}", WEXITSTATUS(status));
	} else if (WIFSIGNALED(status)) {
		put_plain(p, "WIFSIGNALED(s) && WTERMSIG(s) == ");
		put_signal(p, WTERMSIG(status));
		put(p, "%s}", WCOREDUMP(status) ? " && WCOREDUMP(s)" : "");
	} else if (WIFCONTINUED(status)) {
		put_plain(p, "WIFCONTINUED(s)}");
	} else {
		put_stop(p, status);
	}
	put_plain(p, "]");
}

PRINTER(rusage)
{
	struct rusage usage;

	if (p->failed) {
		put_addr(p, value);
		return;
	}
	if (!fetch_or_addr(p, value, &usage, sizeof(usage)))
		return;
	put(p, "{ru_utime={tv_sec=%ld, tv_usec=%ld}, ru_stime={tv_sec=%ld, tv_usec=%ld}, ...}",
	    usage.ru_utime.tv_sec, usage.ru_utime.tv_usec, usage.ru_stime.tv_sec,
	    usage.ru_stime.tv_usec);
}

PRINTER(wait_rusage)
{
	if (p->call->result == 0)
		put_addr(p, value);
	else
		print_rusage(p, value, names);
}

static void put_limit(struct printer *p, const char *name, uint64_t limit)
{
	if (limit == UINT64_MAX)
		put(p, "%s=%s", name, "RLIM64_INFINITY");
	else if (limit > 1024 && limit % 1024 == 0)
		put(p, "%s=%" PRIu64 "*1024", name, limit / 1024);
	else
		put(p, "%s=%" PRIu64, name, limit);
}

PRINTER(rlimit)
{
	uint64_t limit[2];

	if (!fetch_or_addr(p, value, limit, sizeof(limit)))
		return;
	put_plain(p, "{");
	put_limit(p, "rlim_cur", limit[0]);
	put_limit(p, ", rlim_max", limit[1]);
	put_plain(p, "}");
}

PRINTER(sched_param)
{
	put_int_at(p, value);
}

PRINTER(cpu_set)
{
	uint8_t bits[128];
	uint64_t length = arg_value(p, 1);
	const char *space = "";

	if (p->row->args[p->arg].dir == SC_OUT && p->call->ended)
		length = p->call->result;
	if (length > sizeof(bits))
		length = sizeof(bits);
	if (!fetch(p, value, bits, length)) {
		put_addr(p, value);
		return;
	}
	put_plain(p, "[");
	for (unsigned cpu = 0; cpu < length * 8; cpu++)
		if (bits[cpu / 8] & (1 << cpu % 8)) {
			put(p, "%s%u", space, cpu);
			space = " ";
		}
	put_plain(p, "]");
}

PRINTER(personality)
{
	uint32_t type = value & 0xff, flags = (uint32_t)value & ~0xffu;

	if ((uint32_t)value == UINT32_MAX) {
		put_plain(p, "0xffffffff");
		return;
	}
	put_name(p, &names_personality, type);
	if (flags) {
		put_plain(p, "|");
		put_flags(p, &names_personality_flags, flags);
	}
}

PRINTER(mmap_flags)
{
	uint32_t flags = value, huge = flags >> 26 & 0x3f;

	if (!(flags & MAP_TYPE)) {
		put_plain(p, flags ? "MAP_FILE|" : "MAP_FILE");
		if (!flags)
			return;
	}
	if (!(flags & MAP_HUGETLB) || !huge) {
		put_flags(p, &names_mmap, flags);
		return;
	}
	put_flags(p, &names_mmap, flags & ((1u << 26) - 1));
	put(p, "|%u<<MAP_HUGE_SHIFT", huge);
}

/* ---- capabilities ---- */

struct cap_header {
	uint32_t version;
	int pid;
};

PRINTER(cap_header)
{
	struct cap_header header;

	if (!fetch_or_addr(p, value, &header, sizeof(header)))
		return;
	put_plain(p, "{version=");
	put_name(p, &names_cap_version, header.version);
	put(p, ", pid=%d}", header.pid);
}

static void put_caps(struct printer *p, uint64_t set)
{
	const char *bar = "";

	if (!set)
		put_plain(p, "0");
	for (unsigned bit = 0; bit < 64; bit++) {
		const char *text = names_find(&names_cap, bit);

		if (!(set >> bit & 1) || !text)
			continue;
		put(p, "%s1<<%s", bar, text);
		bar = "|";
		set &= ~(UINT64_C(1) << bit);
	}
	if (set)
		put(p, "%s%#" PRIx64, bar, set);
}

PRINTER(cap_data)
{
	struct cap_header header = {0};
	uint32_t data[6] = {0}; /* effective, permitted, inheritable; then their upper halves */
	size_t size = sizeof(data) / 2;

	if (fetch(p, arg_value(p, 0), &header, sizeof(header)) &&
	    header.version != _LINUX_CAPABILITY_VERSION_1)
		size = sizeof(data);
	if (p->failed || !fetch(p, value, data, size)) {
		put_addr(p, value);
		return;
	}
	put_plain(p, "{effective=");
	put_caps(p, data[0] | (uint64_t)data[3] << 32);
	put_plain(p, ", permitted=");
	put_caps(p, data[1] | (uint64_t)data[4] << 32);
	put_plain(p, ", inheritable=");
	put_caps(p, data[2] | (uint64_t)data[5] << 32);
	put_plain(p, "}");
}

/* ---- prctl ---- */

static void put_filter(struct printer *p, taddr addr)
{
	struct sock_fprog program;

	if (!fetch_or_addr(p, addr, &program, sizeof(program)))
		return;
	put(p, "{len=%u, filter=", program.len);
	put_addr(p, (uintptr_t)program.filter);
	put_plain(p, "}");
}

PRINTER(seccomp_arg)
{
	uint64_t operation = arg_value(p, 0);
	uint32_t action;

	p->memory = p->entry;
	if (operation == SECCOMP_SET_MODE_FILTER)
		put_filter(p, value);
	else if (operation == SECCOMP_GET_ACTION_AVAIL && fetch(p, value, &action, sizeof(action)))
		put(p, "[%#x]", action);
	else
		put_addr(p, value);
}

static void put_indirect(struct printer *p, taddr addr, const struct names *names)
{
	uint32_t number;

	p->memory = p->after;
	if (p->failed || !fetch(p, addr, &number, sizeof(number))) {
		put_addr(p, addr);
		return;
	}
	put_plain(p, "[");
	if (names)
		put_name(p, names, number);
	else
		put(p, "%u", number);
	put_plain(p, "]");
}

static void put_signal_at(struct printer *p, taddr addr)
{
	int number;

	p->memory = p->after;
	if (p->failed || !fetch(p, addr, &number, sizeof(number))) {
		put_addr(p, addr);
		return;
	}
	put_plain(p, "[");
	put_signal(p, number);
	put_plain(p, "]");
}

static void put_thread_name(struct printer *p, taddr addr)
{
	p->memory = p->after;
	if (p->failed)
		put_addr(p, addr);
	else
		put_string(p, addr, COMM_LENGTH);
}

/* The first argument behind the option where it is all there is; false: not one of those. */
static bool put_prctl_only(struct printer *p, unsigned option, uint64_t value)
{
	switch (option) {
	case PR_SET_NAME:
		put_string(p, value, COMM_LENGTH - 1);
		return true;
	case PR_GET_NAME:
		put_thread_name(p, value);
		return true;
	case PR_SET_PDEATHSIG:
		put_signal(p, value);
		return true;
	case PR_GET_PDEATHSIG:
		put_signal_at(p, value);
		return true;
	case PR_SET_DUMPABLE:
		put_name(p, &names_dumpable, value);
		return true;
	case PR_SET_TSC:
		put_name(p, &names_tsc, value);
		return true;
	case PR_GET_TSC:
		put_indirect(p, value, &names_tsc);
		return true;
	case PR_GET_CHILD_SUBREAPER:
		put_indirect(p, value, NULL);
		return true;
	case PR_SET_PTRACER:
		put(p, value == UINT64_MAX ? "PR_SET_PTRACER_ANY" : "%" PRIu64, value);
		return true;
	case PR_CAPBSET_DROP:
	case PR_CAPBSET_READ:
		put_name(p, &names_cap, value);
		return true;
	case PR_SET_CHILD_SUBREAPER:
	case PR_SET_KEEPCAPS:
	case PR_SET_TIMING:
		put(p, "%" PRIu64, value);
		return true;
	case PR_SET_TIMERSLACK:
		put(p, "%" PRId64, (int64_t)value);
		return true;
	default:
		return false;
	}
}

/* The first argument behind the option, and whether strace shows none behind it. */
static bool put_prctl_first(struct printer *p, unsigned option, uint64_t value)
{
	if (put_prctl_only(p, option, value))
		return true;
	switch (option) {
	case PR_SET_NO_NEW_PRIVS:
	case PR_SET_THP_DISABLE:
	case PR_SET_IO_FLUSHER:
		put(p, "%" PRIu64, value);
		return false;
	case PR_SET_SECCOMP:
		put_name(p, &names_seccomp_mode, value);
		return value != SECCOMP_MODE_FILTER;
	case PR_SET_VMA:
		put(p, value ? "%#" PRIx64 : "PR_SET_VMA_ANON_NAME", value);
		return false;
	default:
		put(p, "%#" PRIx64, value);
		return false;
	}
}

static void put_prctl_filter(struct printer *p, taddr addr)
{
	put_filter(p, addr);
	p->last = true;
}

bool prctl_arg_by_end(const struct printer *p)
{
	switch ((int)arg_value(p, 0)) {
	case PR_GET_NAME:
	case PR_GET_TSC:
	case PR_GET_PDEATHSIG:
	case PR_GET_CHILD_SUBREAPER:
		return true;
	default:
		return false;
	}
}

PRINTER(prctl_arg)
{
	unsigned option = arg_value(p, 0);

	p->memory = p->entry;
	if (p->arg == 1)
		p->last = put_prctl_first(p, option, value);
	else if (option == PR_SET_SECCOMP && p->arg == 2 && arg_value(p, 1) == SECCOMP_MODE_FILTER)
		put_prctl_filter(p, value);
	else if (option == PR_SET_VMA && p->arg == 2)
		put_addr(p, value);
	else if (option == PR_SET_VMA && p->arg == 3)
		put(p, "%" PRIu64, value);
	else if (option == PR_SET_VMA && p->arg == 4)
		put_string(p, value, p->style->string_max);
	else
		put(p, "%#" PRIx64, value);
}

bool arch_prctl_arg_by_end(const struct printer *p)
{
	unsigned option = arg_value(p, 0);

	return option == ARCH_GET_FS || option == ARCH_GET_GS;
}

PRINTER(arch_prctl_arg)
{
	unsigned option = arg_value(p, 0);
	uint64_t base;

	if (option == ARCH_GET_FS || option == ARCH_GET_GS) {
		p->memory = p->after;
		if (p->failed || !fetch(p, value, &base, sizeof(base)))
			put_addr(p, value);
		else
			put(p, base ? "[%#" PRIx64 "]" : "[NULL]", base);
	} else if (option == ARCH_SET_FS || option == ARCH_SET_GS) {
		put_addr(p, value);
	} else {
		put(p, "%#" PRIx64, value);
	}
}

/* ---- futex ---- */

static unsigned futex_command(const struct printer *p)
{
	return arg_value(p, 1) & FUTEX_CMD_MASK;
}

unsigned futex_arguments(const struct printer *p)
{
	enum {
		ADDR = 1,
		OP = 2,
		VAL = 4,
		TIME = 8,
		ADDR2 = 16,
		VAL3 = 32
	};

	switch (futex_command(p)) {
	case FUTEX_WAIT:
		return ADDR | OP | VAL | TIME;
	case FUTEX_WAKE:
	case FUTEX_FD:
		return ADDR | OP | VAL;
	case FUTEX_LOCK_PI:
	case 13: /* FUTEX_LOCK_PI2, since Linux 5.14 */
		return ADDR | OP | TIME;
	case FUTEX_UNLOCK_PI:
	case FUTEX_TRYLOCK_PI:
		return ADDR | OP;
	case FUTEX_WAIT_BITSET:
		return ADDR | OP | VAL | TIME | VAL3;
	case FUTEX_WAKE_BITSET:
		return ADDR | OP | VAL | VAL3;
	case FUTEX_REQUEUE:
	case FUTEX_WAIT_REQUEUE_PI:
		return ADDR | OP | VAL | TIME | ADDR2;
	default:
		return ADDR | OP | VAL | TIME | ADDR2 | VAL3;
	}
}

PRINTER(futex_op)
{
	uint32_t op = value;
	const char *text = names_find(&names_futex, op & FUTEX_CMD_MASK);

	if (text && !(op & ~(FUTEX_CMD_MASK | FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME)))
		put(p, "%s%s%s", text, op & FUTEX_PRIVATE_FLAG ? "_PRIVATE" : "",
		    op & FUTEX_CLOCK_REALTIME ? "|FUTEX_CLOCK_REALTIME" : "");
	else
		put(p, "%#x /* FUTEX_??? */", op);
}

PRINTER(futex_val)
{
	put(p, "%u", (uint32_t)value);
}

PRINTER(futex_timeout)
{
	switch (futex_command(p)) {
	case FUTEX_WAIT:
	case FUTEX_LOCK_PI:
	case 13: /* FUTEX_LOCK_PI2, since Linux 5.14 */
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
		put_timespec(p, value);
		break;
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_CMP_REQUEUE_PI:
	case FUTEX_WAKE_OP:
		put(p, "%u", (uint32_t)value);
		break;
	default:
		put_addr(p, value);
	}
}

static void put_wake_op(struct printer *p, uint32_t op)
{
	if (op >> 28 & FUTEX_OP_OPARG_SHIFT)
		put_plain(p, "FUTEX_OP_OPARG_SHIFT<<28|");
	put_name(p, &names_futex_wake_op, op >> 28 & 7);
	put(p, "<<28|%#x<<12|", op >> 12 & 0xfff);
	put_name(p, &names_futex_wake_cmp, op >> 24 & 0xf);
	put(p, "<<24|%#x", op & 0xfff);
}

PRINTER(futex_val3)
{
	uint32_t val3 = value;

	switch (futex_command(p)) {
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAKE_BITSET:
		put_name(p, &names_futex_bitset, val3);
		break;
	case FUTEX_WAKE_OP:
		put_wake_op(p, val3);
		break;
	case FUTEX_CMP_REQUEUE:
	case FUTEX_CMP_REQUEUE_PI:
		put(p, "%u", val3);
		break;
	default:
		put(p, "%#x", val3);
	}
}

/* ---- scheduling ---- */

#define IOPRIO_CLASS_SHIFT 13 /* include/uapi/linux/ioprio.h */

PRINTER(ioprio)
{
	unsigned priority = value, class = priority >> IOPRIO_CLASS_SHIFT;

	put_plain(p, "IOPRIO_PRIO_VALUE(");
	put_name(p, &names_ioprio_class, class);
	put(p, ", %u)", priority & ((1u << IOPRIO_CLASS_SHIFT) - 1));
}

PRINTER(ptrace_data)
{
	unsigned request = arg_value(p, 0);

	if (request == PTRACE_SETOPTIONS || request == PTRACE_SEIZE)
		put_flags(p, &names_ptrace_options, value);
	else
		put_hex(p, value);
}

PRINTER(syslog_op)
{
	const char *text = names_find(&names_syslog, (uint32_t)value);

	put(p, "%u /* %s */", (uint32_t)value, text ? text : "SYSLOG_ACTION_???");
}
