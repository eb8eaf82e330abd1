/* The result of a call that did not fail: by the type of its row's result. */
#include "syscalls/printer.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/prctl.h>

/* ---- results with a meaning of their own ---- */

static void result_fd(struct printer *p)
{
	put_fd(p, p->call->result);
}

static void result_hex(struct printer *p)
{
	put_hex(p, p->call->result);
}

static void result_mode(struct printer *p)
{
	put(p, "%#03" PRIo64, (uint64_t)p->call->result);
}

/* The result's name behind it, if it has one. */
static void put_named(struct printer *p, const struct names *names)
{
	const char *text = names_find(names, p->call->result);

	put_decimal(p, p->call->result);
	if (text)
		put(p, " (%s)", text);
}

static void result_signal(struct printer *p)
{
	put_decimal(p, p->call->result);
	put_plain(p, " (");
	put_signal(p, p->call->result);
	put_plain(p, ")");
}

static void result_time(struct printer *p)
{
	put_decimal(p, p->call->result);
	put_date(p, " (", p->call->result, 0, ")");
}

static void result_personality(struct printer *p)
{
	put(p, "%#" PRIx64 " (", (uint64_t)p->call->result);
	print_personality(p, p->call->result, NULL);
	put_plain(p, ")");
}

static void result_ioprio(struct printer *p)
{
	put_decimal(p, p->call->result);
	put_plain(p, " (");
	print_ioprio(p, p->call->result, NULL);
	put_plain(p, ")");
}

static void result_sched_policy(struct printer *p)
{
	put_named(p, &names_sched);
}

static void result_timex_state(struct printer *p)
{
	put_named(p, &names_timex_state);
}

static void result_prctl(struct printer *p)
{
	if (p->call->args[0] == PR_GET_DUMPABLE)
		put_named(p, &names_dumpable);
	else
		put_decimal(p, p->call->result);
}

static void result_membarrier(struct printer *p)
{
	if (p->call->args[0]) {
		put_decimal(p, p->call->result);
		return;
	}
	put(p, "%#" PRIx64 " (", (uint64_t)p->call->result);
	put_flags(p, &names_membarrier, p->call->result);
	put_plain(p, ")");
}

/* ---- fcntl ---- */

/* `label`: what the names are of, with a blank behind it. */
static void put_named_flags(struct printer *p, int64_t flags, const char *label,
			    const struct names *names)
{
	put_hex(p, flags);
	if (!flags)
		return;
	put(p, " (%s", label);
	put_flags(p, names, flags);
	put_plain(p, ")");
}

static void put_file_flags(struct printer *p, int64_t flags)
{
	put(p, "%#" PRIx64 " (flags ", (uint64_t)flags);
	put_open_flags(p, flags);
	put_plain(p, ")");
}

static void put_lease(struct printer *p, int64_t lease)
{
	put_hex(p, lease);
	put_plain(p, " (");
	put_name(p, &names_flock_type, lease);
	put_plain(p, ")");
}

static void put_fd_signal(struct printer *p, int64_t signal)
{
	put_decimal(p, signal);
	if (!signal)
		return;
	put_plain(p, " (");
	put_signal(p, signal);
	put_plain(p, ")");
}

static void result_fcntl(struct printer *p)
{
	int64_t result = p->call->result;

	switch ((int)p->call->args[1]) {
	case F_GETFD:
		put_named_flags(p, result, "flags ", &names_fdflags);
		break;
	case F_GETFL:
		put_file_flags(p, result);
		break;
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		put_fd(p, result);
		break;
	case F_GETLEASE:
		put_lease(p, result);
		break;
	case F_GET_SEALS:
		put_named_flags(p, result, "seals ", &names_seals);
		break;
	case F_GETSIG:
		put_fd_signal(p, result);
		break;
	default:
		put_decimal(p, result);
	}
}

/* ---- what is ready ---- */

/* What the kernel left of the timeout, if the call has one that it changes. */
static void put_left(struct printer *p, const char *comma)
{
	for (unsigned i = 0; i < p->row->nargs; i++) {
		const struct sc_arg *arg = &p->row->args[i];
		bool fine = arg->type == SC_T_TIMESPEC;

		if (arg->dir != SC_INOUT || !p->call->args[i] ||
		    (!fine && arg->type != SC_T_TIMEVAL))
			continue;
		put(p, "%sleft ", comma);
		if (fine)
			put_timespec(p, p->call->args[i]);
		else
			put_timeval(p, p->call->args[i]);
	}
}

static void result_ready_sets(struct printer *p)
{
	static const char *const names[] = {"in", "out", "except"};
	struct printer numbers = *p; /* paths are shown with the arguments only */
	const char *comma = "";

	put_decimal(p, p->call->result);
	if (!p->call->result) {
		put_plain(p, " (Timeout)");
		return;
	}
	numbers.style = &sc_style_default;
	put_plain(p, " (");
	for (unsigned i = 0; i < 3; i++)
		if (p->call->args[i + 1]) {
			size_t before = p->out->count, text;

			put(p, "%s%s ", comma, names[i]);
			text = p->out->count;
			put_fd_set(&numbers, p->call->args[i + 1], p->call->args[0]);
			if (p->out->count - text == 2) /* [] */
				p->out->count = before;
			else
				comma = ", ";
		}
	put_left(p, comma);
	put_plain(p, ")");
}

static void result_ready_fds(struct printer *p)
{
	put_decimal(p, p->call->result);
	if (!p->call->result) {
		put_plain(p, " (Timeout)");
		return;
	}
	put_plain(p, " (");
	put_pollfds(p, p->call->args[0], p->call->args[1], true);
	put_left(p, ", ");
	put_plain(p, ")");
}

/* ---- the table ---- */

/* A type that is not here is a decimal number. */
static const struct {
	void (*print)(struct printer *p);
	bool reads_memory;
} results[SC_TYPES] = {
	[SC_T_FD] = {result_fd},
	[SC_T_ADDR] = {result_hex},
	[SC_T_MODE] = {result_mode},
	[SC_T_SIGNAL] = {result_signal},
	[SC_T_TIME] = {result_time},
	[SC_T_PERSONALITY] = {result_personality},
	[SC_T_IOPRIO] = {result_ioprio},
	[SC_T_SCHED_POLICY] = {result_sched_policy},
	[SC_T_TIMEX_STATE] = {result_timex_state},
	[SC_T_PRCTL_RESULT] = {result_prctl},
	[SC_T_MEMBARRIER_RESULT] = {result_membarrier},
	[SC_T_FCNTL_RESULT] = {result_fcntl},
	[SC_T_READY_SETS] = {result_ready_sets, .reads_memory = true},
	[SC_T_READY_FDS] = {result_ready_fds, .reads_memory = true},
};

void put_result(struct printer *p)
{
	if (results[p->row->ret_type].print)
		results[p->row->ret_type].print(p);
	else
		put_decimal(p, p->call->result);
}

bool result_reads_memory(const struct printer *p)
{
	return results[p->row->ret_type].reads_memory;
}
