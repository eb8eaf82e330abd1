/* The program's own seccomp rules. The kernel must not apply them: an action of theirs precedes our
 * stop, so the call would not be seen, and our own remote calls would be judged. They are kept and
 * their classic BPF programs are run here, at each call (seccomp(2), net/core/filter.c).
 *
 * Invariant: a program in the list has been checked: jumps go forward and stay inside, loads are
 * aligned words of struct seccomp_data, it ends with a return. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "record/session.h"
#include "tracee/procfs.h"

/* asm-generic/siginfo.h; libc has none. */
#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif
#ifndef SYS_USER_DISPATCH
#define SYS_USER_DISPATCH 2
#endif

struct rec_filter {
	unsigned users; /* tasks and later filters that have it */
	struct rec_filter *older;
	bool strict;
	unsigned short length;
	struct sock_filter code[];
};

void rec_filter_hold(struct rec_filter *filter)
{
	if (filter)
		filter->users++;
}

void rec_filter_release(struct rec_filter *filter)
{
	while (filter && --filter->users == 0) {
		struct rec_filter *older = filter->older;

		free(filter);
		filter = older;
	}
}

/* ---- checking ---- */

static bool jump_is_inside(const struct rec_filter *filter, unsigned at)
{
	const struct sock_filter *f = &filter->code[at];
	unsigned left = filter->length - at - 1u;

	if (BPF_OP(f->code) == BPF_JA)
		return f->k < left;
	return f->jt < left && f->jf < left;
}

static bool step_is_valid(const struct rec_filter *filter, unsigned at)
{
	const struct sock_filter *f = &filter->code[at];

	switch (BPF_CLASS(f->code)) {
	case BPF_LD:
		if (BPF_MODE(f->code) == BPF_ABS)
			return !(f->k & 3) && f->k < sizeof(struct seccomp_data);
		return BPF_MODE(f->code) != BPF_MEM || f->k < BPF_MEMWORDS;
	case BPF_LDX:
		return BPF_MODE(f->code) != BPF_MEM || f->k < BPF_MEMWORDS;
	case BPF_ST:
	case BPF_STX:
		return f->k < BPF_MEMWORDS;
	case BPF_JMP:
		return jump_is_inside(filter, at);
	case BPF_ALU:
		return !((BPF_OP(f->code) == BPF_DIV || BPF_OP(f->code) == BPF_MOD) &&
			 BPF_SRC(f->code) == BPF_K && f->k == 0);
	default:
		return true;
	}
}

static bool is_valid(const struct rec_filter *filter)
{
	for (unsigned i = 0; i < filter->length; i++)
		if (!step_is_valid(filter, i))
			return false;
	return BPF_CLASS(filter->code[filter->length - 1].code) == BPF_RET;
}

/* ---- running ---- */

struct machine {
	uint32_t a, x, mem[BPF_MEMWORDS];
	const struct seccomp_data *data;
};

static uint32_t load(const struct machine *m, const struct sock_filter *f)
{
	uint32_t word;

	switch (BPF_MODE(f->code)) {
	case BPF_ABS:
		memcpy(&word, (const char *)m->data + f->k, sizeof(word));
		return word;
	case BPF_LEN:
		return sizeof(*m->data);
	case BPF_MEM:
		return m->mem[f->k];
	default:
		return f->k;
	}
}

static void compute(struct machine *m, const struct sock_filter *f)
{
	uint32_t by = BPF_SRC(f->code) == BPF_X ? m->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_ADD:
		m->a += by;
		break;
	case BPF_SUB:
		m->a -= by;
		break;
	case BPF_MUL:
		m->a *= by;
		break;
	case BPF_DIV:
		m->a = by ? m->a / by : 0;
		break;
	case BPF_MOD:
		m->a = by ? m->a % by : 0;
		break;
	case BPF_OR:
		m->a |= by;
		break;
	case BPF_AND:
		m->a &= by;
		break;
	case BPF_XOR:
		m->a ^= by;
		break;
	case BPF_LSH:
		m->a <<= by & 31;
		break;
	case BPF_RSH:
		m->a >>= by & 31;
		break;
	case BPF_NEG:
		m->a = -m->a;
		break;
	}
}

static unsigned jump(const struct machine *m, const struct sock_filter *f)
{
	uint32_t with = BPF_SRC(f->code) == BPF_X ? m->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_JA:
		return f->k;
	case BPF_JEQ:
		return m->a == with ? f->jt : f->jf;
	case BPF_JGT:
		return m->a > with ? f->jt : f->jf;
	case BPF_JGE:
		return m->a >= with ? f->jt : f->jf;
	default:
		return m->a & with ? f->jt : f->jf;
	}
}

static uint32_t run(const struct rec_filter *filter, const struct seccomp_data *data)
{
	struct machine m = {.data = data};

	for (unsigned i = 0; i < filter->length; i++) {
		const struct sock_filter *f = &filter->code[i];

		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			m.a = load(&m, f);
			break;
		case BPF_LDX:
			m.x = load(&m, f);
			break;
		case BPF_ST:
			m.mem[f->k] = m.a;
			break;
		case BPF_STX:
			m.mem[f->k] = m.x;
			break;
		case BPF_ALU:
			compute(&m, f);
			break;
		case BPF_JMP:
			i += jump(&m, f);
			break;
		case BPF_MISC:
			if (BPF_MISCOP(f->code) == BPF_TAX)
				m.x = m.a;
			else
				m.a = m.x;
			break;
		case BPF_RET:
			return BPF_RVAL(f->code) == BPF_A ? m.a : f->k;
		}
	}
	return SECCOMP_RET_KILL_PROCESS;
}

static uint32_t run_strict(const struct sc_row *row)
{
	return row && (row->flags & SC_STRICT) ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_THREAD;
}

/* The strictest action of all filters; of equals the newest filter's. */
static uint32_t judge(const struct rec_task *t)
{
	const struct sc_call *call = &t->call.call;
	struct seccomp_data data = {
		.nr = call->nr,
		.arch = arch.audit_arch,
		.instruction_pointer = arch.pc(&t->call.entry),
	};
	uint32_t verdict = SECCOMP_RET_ALLOW;

	for (int i = 0; i < SC_ARGS; i++)
		data.args[i] = call->args[i];
	for (const struct rec_filter *f = t->filters; f; f = f->older) {
		uint32_t now = f->strict ? run_strict(t->call.row) : run(f, &data);

		/* Actions are ordered as signed numbers: kill_process is the lowest. */
		if ((int32_t)(now & SECCOMP_RET_ACTION_FULL) <
		    (int32_t)(verdict & SECCOMP_RET_ACTION_FULL))
			verdict = now;
	}
	return verdict;
}

/* The call is not made; SIGSYS tells about it. */
static void trap(struct rec_session *s, struct rec_task *t, int code, uint32_t data)
{
	siginfo_t info = {.si_signo = SIGSYS, .si_errno = (int)data, .si_code = code};
	struct proc_signals set = {0};

	/* A signal that the call itself raises kills where it is blocked or ignored
	 * (force_sig()). */
	proc_read_signals(t->tracee.tid, &set);
	if ((set.blocked | set.ignored) & SIGNAL_BIT(SIGSYS)) {
		rec_kill_by_rules(s, t, SIGSYS);
		return;
	}

	info.si_call_addr = (void *)arch.pc(&t->call.entry);
	info.si_syscall = t->call.call.nr;
	info.si_arch = arch.audit_arch;
	rec_answer_only(s, t, t->call.call.nr);
	vec_push(&t->stash, info);
	rec_send_stash(s, t);
	rec_continue(s, t);
}

/* Natively most functions of the vDSO make no calls: ours do. */
static bool is_in_vdso(struct rec_task *t, taddr pc)
{
	struct proc_maps maps = {0};
	bool found = false;

	proc_read_maps(t->tracee.tid, &maps);
	vec_foreach (&maps, map)
		if (pc >= map->start && pc < map->end && !strcmp(map->name, "[vdso]"))
			found = true;
	proc_maps_deinit(&maps);
	return found;
}

bool rec_filtered(struct rec_session *s, struct rec_task *t)
{
	if (!t->filters)
		return false;
	uint32_t verdict = judge(t);
	uint32_t data = verdict & SECCOMP_RET_DATA;

	if (verdict != SECCOMP_RET_ALLOW && is_in_vdso(t, arch.pc(&t->call.entry)))
		return false;
	switch (verdict & SECCOMP_RET_ACTION_FULL) {
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		return false;
	case SECCOMP_RET_ERRNO:
		rec_answer(s, t, -(int64_t)(data < 4095 ? data : 4095));
		return true;
	case SECCOMP_RET_TRAP:
		trap(s, t, SYS_SECCOMP, data);
		return true;
	case SECCOMP_RET_TRACE:
	case SECCOMP_RET_USER_NOTIF: /* nobody listens: as natively without a listener */
		rec_answer(s, t, -ENOSYS);
		return true;
	default:
		rec_kill_by_rules(s, t, t->filters->strict ? SIGKILL : SIGSYS);
		return true;
	}
}

/* ---- syscall user dispatch: kernel/entry/syscall_user_dispatch.c ---- */

/* Not left to the kernel: it would stop the recorder's own calls in the program too. */
enum rec_verdict rec_user_dispatch(struct rec_session *s, struct rec_task *t)
{
	const uint64_t *args = t->call.call.args;
	struct rec_dispatch new = {args[1] != PR_SYS_DISPATCH_OFF, args[2], args[3], args[4]};
	bool valid = false;

	switch (args[1]) {
	case PR_SYS_DISPATCH_OFF:
		valid = !new.offset && !new.length && !new.selector;
		break;
	case PR_SYS_DISPATCH_ON:
		valid = !new.offset || new.offset + new.length > new.offset;
		break;
	}
	if (valid && new.selector < arch.user_end)
		t->dispatch = new;
	rec_answer(s, t, !valid ? -EINVAL : new.selector < arch.user_end ? 0 : -EFAULT);
	return REC_ANSWERED;
}

bool rec_dispatched(struct rec_session *s, struct rec_task *t)
{
	const struct rec_dispatch *dispatch = &t->dispatch;
	taddr pc = arch.pc(&t->call.entry);
	uint8_t selector = SYSCALL_DISPATCH_FILTER_BLOCK;

	if (!dispatch->on || pc - dispatch->offset < dispatch->length || is_in_vdso(t, pc))
		return false;
	if (dispatch->selector && tracee_read(&t->tracee, dispatch->selector, &selector, 1) != 1) {
		rec_kill_by_rules(s, t, SIGSEGV);
		return true;
	}
	if (selector == SYSCALL_DISPATCH_FILTER_ALLOW)
		return false;
	if (selector == SYSCALL_DISPATCH_FILTER_BLOCK)
		trap(s, t, SYS_USER_DISPATCH, 0);
	else
		rec_kill_by_rules(s, t, SIGSYS);
	return true;
}

/* ---- installing ---- */

static int read_program(struct rec_task *t, taddr from, struct rec_filter **out)
{
	struct {
		unsigned short length;
		taddr code;
	} program = {0};

	if (tracee_read(&t->tracee, from, &program, sizeof(program)) != sizeof(program))
		return -EFAULT;
	if (!program.length || program.length > BPF_MAXINSNS)
		return -EINVAL;
	size_t size = program.length * sizeof(struct sock_filter);
	struct rec_filter *filter = xcalloc(1, sizeof(*filter) + size);

	filter->length = program.length;
	int result = tracee_read(&t->tracee, program.code, filter->code, size) != size ? -EFAULT
		     : is_valid(filter)						       ? 0
										       : -EINVAL;

	if (result)
		free(filter);
	else
		*out = filter;
	return result;
}

static void install(struct rec_session *s, struct rec_task *t, struct rec_filter *filter,
		    bool all_threads)
{
	struct rec_task *other, *next;

	filter->older = t->filters;
	t->filters = filter;
	filter->users = 1;
	if (!all_threads)
		return;
	HASH_ITER (hh, s->tasks, other, next) {
		if (other == t || other->tracee.tgid != t->tracee.tgid)
			continue;
		rec_filter_release(other->filters);
		other->filters = filter;
		rec_filter_hold(filter);
	}
}

/* Installing needs no_new_privs or CAP_SYS_ADMIN in the program's own eyes. */
static bool allowed(const struct rec_task *t)
{
	return t->no_new_privs || geteuid() == 0;
}

/* SECCOMP_SET_MODE_*; `flags` are SECCOMP_FILTER_FLAG_*, `code` the filter's address. */
static enum rec_verdict set_mode(struct rec_session *s, struct rec_task *t, uint64_t mode,
				 uint64_t flags, taddr code)
{
	struct rec_filter *filter = NULL;
	int result = 0;

	if (mode == SECCOMP_SET_MODE_STRICT) {
		filter = xcalloc(1, sizeof(*filter));
		filter->strict = true;
	} else if (mode != SECCOMP_SET_MODE_FILTER) {
		return REC_MAKE;
	} else if (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) {
		result = -EBUSY; /* as if another listener were there */
	} else if (!allowed(t)) {
		result = -EACCES;
	} else {
		result = read_program(t, code, &filter);
	}
	if (filter)
		install(s, t, filter, flags & SECCOMP_FILTER_FLAG_TSYNC);
	rec_answer(s, t, result);
	return REC_ANSWERED;
}

enum rec_verdict rec_seccomp(struct rec_session *s, struct rec_task *t)
{
	const uint64_t *args = t->call.call.args;

	return set_mode(s, t, args[0], args[1], args[2]);
}

enum rec_verdict rec_prctl_seccomp(struct rec_session *s, struct rec_task *t)
{
	const uint64_t *args = t->call.call.args;

	if (args[0] == PR_SET_SECCOMP)
		return set_mode(s, t, args[1] - 1 /* SECCOMP_MODE_* begin with 1 */, 0, args[2]);
	rec_answer(s, t, t->filters ? (t->filters->strict ? 1 : 2) : 0);
	return REC_ANSWERED;
}
