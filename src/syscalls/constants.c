/* Names and their values, over all tables of the formatter; the widths of arguments.
 * Invariant: what the kernel declares as int or unsigned int is 32 bits here, since it ignores the
 * upper half of the register (SYSCALL_DEFINE casts; include/linux/syscalls.h). */
#include "syscalls/constants.h"

#include <string.h>

#include "syscalls/names.h"

#define SIGNALS 64
#define ERRORS	530

static const struct names *const tables[] = {
#define TABLE(id) &names_##id,
	NAMES_LIST(TABLE)
#undef TABLE
};

/* Names that the formatter writes by itself. */
static const struct {
	const char *name;
	int64_t value;
} others[] = {
	{"AT_FDCWD", -100},
	{"NULL", 0},
	{"S_IFMT", 0170000},
	{"FUTEX_PRIVATE_FLAG", 128},
	{"FUTEX_CLOCK_REALTIME", 256},
	{"IPC_PRIVATE", 0},
};

static bool find_in(const struct names *names, const char *name, int64_t *value)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->items[i].text, name)) {
			*value = (int64_t)names->items[i].value;
			return true;
		}
	return false;
}

static bool find_number(const char *(*name_of)(int), int last, const char *name, int64_t *value)
{
	for (int i = 1; i <= last; i++) {
		const char *text = name_of(i);

		if (text && !strcmp(text, name)) {
			*value = i;
			return true;
		}
	}
	return false;
}

bool sc_constant(const char *name, int64_t *value)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (!strcmp(others[i].name, name)) {
			*value = others[i].value;
			return true;
		}
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		if (find_in(tables[i], name, value))
			return true;
	return find_number(sc_errno_name, ERRORS, name, value) ||
	       find_number(sc_signal_name, SIGNALS, name, value);
}

void sc_constant_names(void (*see)(void *context, const char *name), void *context)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		see(context, others[i].name);
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		for (size_t j = 0; j < tables[i]->count; j++)
			see(context, tables[i]->items[j].text);
	for (int i = 1; i <= ERRORS; i++)
		if (sc_errno_name(i))
			see(context, sc_errno_name(i));
	for (int i = 1; i <= SIGNALS; i++)
		if (sc_signal_name(i))
			see(context, sc_signal_name(i));
}

bool sc_arg_is_bytes(const struct sc_arg *arg)
{
	return arg->type == SC_T_BUF || arg->type == SC_T_RANDOM || arg->type == SC_T_HOSTNAME;
}

struct sc_number sc_arg_number(const struct sc_arg *arg)
{
	if (arg->dir != SC_VALUE)
		return (struct sc_number){64, false};
	switch (arg->type) {
	case SC_T_LONG:
	case SC_T_SSIZE:
	case SC_T_OFFSET:
	case SC_T_CLOCK_T:
		return (struct sc_number){64, true};
	case SC_T_ULONG:
	case SC_T_OFFSET_HIGH:
	case SC_T_SIZE:
	case SC_T_LHEX:
	case SC_T_ADDR:
	case SC_T_ARGV:
	case SC_T_ENVP:
	case SC_T_PROT:
	case SC_T_MMAP_FLAGS:
	case SC_T_MREMAP_FLAGS:
	case SC_T_CLONE_FLAGS:
	case SC_T_UNSHARE_FLAGS:
	case SC_T_MOUNT_FLAGS:
	case SC_T_KEXEC_FLAGS:
	case SC_T_PTRACE_REQ:
	case SC_T_UNKNOWN:
		return (struct sc_number){64, false};
	case SC_T_INT:
	case SC_T_FD:
	case SC_T_DIRFD:
	case SC_T_PID:
	case SC_T_SIGNAL:
	case SC_T_TIMER_ID:
	case SC_T_TIMEOUT_MS:
	case SC_T_SOCKLEN:
	case SC_T_EXIT_STATUS:
	case SC_T_CLOCKID:
	case SC_T_IPC_KEY:
	case SC_T_KEY_SERIAL:
		return (struct sc_number){32, true};
	default:
		return (struct sc_number){32, false};
	}
}
