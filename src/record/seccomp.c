/* The program's own seccomp rules. The kernel must not apply them: an action of theirs precedes our
 * stop, so the call would not be seen, and our own remote calls would be judged. They are kept and
 * their classic BPF programs are run here, at each call (seccomp(2), net/core/filter.c).
 *
 * Invariant: a program in the list has been checked: the kernel would have taken it, jumps go
 * forward and stay inside, loads are aligned words of struct seccomp_data, it ends with a return.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "record/session.h"
#include "tracee/procfs.h"
#include "util/cleanup.h"

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

/* ---- checking: seccomp_check_filter() in kernel/seccomp.c, bpf_check_classic() ---- */

static bool jump_is_inside(const struct rec_filter *filter, unsigned at)
{
	const struct sock_filter *f = &filter->code[at];
	unsigned left = filter->length - at - 1u;

	if (BPF_OP(f->code) == BPF_JA)
		return f->k < left;
	return f->jt < left && f->jf < left;
}

/* The kernel knows more operations, but not for seccomp. */
static bool alu_is_valid(const struct sock_filter *f)
{
	switch (f->code) {
	case BPF_ALU | BPF_DIV | BPF_K:
		return f->k != 0;
	case BPF_ALU | BPF_LSH | BPF_K:
	case BPF_ALU | BPF_RSH | BPF_K:
		return f->k < 32;
	case BPF_ALU | BPF_NEG:
		return true;
	}
	unsigned op = BPF_OP(f->code);

	return (f->code & ~(BPF_OP(~0) | BPF_X)) == BPF_ALU && op <= BPF_XOR && op != BPF_NEG &&
	       op != BPF_MOD;
}

static bool jump_is_valid(const struct rec_filter *filter, unsigned at)
{
	unsigned code = filter->code[at].code;

	return (code == (BPF_JMP | BPF_JA) ||
		(BPF_OP(code) != BPF_JA && BPF_OP(code) <= BPF_JSET && !(code & ~0x7fu))) &&
	       jump_is_inside(filter, at);
}

static bool step_is_valid(const struct rec_filter *filter, unsigned at)
{
	const struct sock_filter *f = &filter->code[at];

	switch (f->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return !(f->k & 3) && f->k < sizeof(struct seccomp_data);
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return f->k < BPF_MEMWORDS;
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
		return true;
	}
	if (BPF_CLASS(f->code) == BPF_JMP)
		return jump_is_valid(filter, at);
	return BPF_CLASS(f->code) == BPF_ALU && alu_is_valid(f);
}

/* What is known to be written where a jump goes: check_load_and_stores() in net/core/filter.c. */
static void note_jump(uint16_t *written, const struct sock_filter *f, unsigned next, uint16_t valid)
{
	if (BPF_OP(f->code) == BPF_JA) {
		written[next + f->k] &= valid;
	} else {
		written[next + f->jt] &= valid;
		written[next + f->jf] &= valid;
	}
}

/* Words of memory are written on every way to where they are read. */
static bool memory_is_written(const struct rec_filter *filter)
{
	uint16_t *written _cleanup_free_ = xmalloc(filter->length * sizeof(*written));
	uint16_t valid = 0;

	memset(written, 0xff, filter->length * sizeof(*written));
	for (unsigned i = 0; i < filter->length; i++) {
		const struct sock_filter *f = &filter->code[i];
		unsigned class = BPF_CLASS(f->code);

		valid &= written[i];
		if (class == BPF_ST || class == BPF_STX) {
			valid |= (uint16_t)(1u << f->k);
		} else if (class == BPF_JMP) {
			note_jump(written, f, i + 1, valid);
			valid = UINT16_MAX;
		} else if ((class == BPF_LD || class == BPF_LDX) && BPF_MODE(f->code) == BPF_MEM &&
			   !(valid >> f->k & 1)) {
			return false;
		}
	}
	return true;
}

static bool is_valid(const struct rec_filter *filter)
{
	for (unsigned i = 0; i < filter->length; i++)
		if (!step_is_valid(filter, i))
			return false;
	return BPF_CLASS(filter->code[filter->length - 1].code) == BPF_RET &&
	       memory_is_written(filter);
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
		m->a /= by;
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

/* It ends the program, with 0 (bpf_convert_filter() in net/core/filter.c). */
static bool divides_by_zero(const struct machine *m, const struct sock_filter *f)
{
	return f->code == (BPF_ALU | BPF_DIV | BPF_X) && !m->x;
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
			if (divides_by_zero(&m, f))
				return SECCOMP_RET_KILL_THREAD;
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

static bool is_other_thread(const struct rec_task *other, const struct rec_task *t)
{
	return other != t && other->tracee.tgid == t->tracee.tgid && other->state != STATE_DYING;
}

static bool has_threads(struct rec_session *s, const struct rec_task *t)
{
	struct rec_task *other, *next;

	HASH_ITER (hh, s->tasks, other, next)
		if (is_other_thread(other, t))
			return true;
	return false;
}

/* Only the thread ends, unless it is the last; then its process is killed. */
static void kill_thread(struct rec_session *s, struct rec_task *t, int signal)
{
	if (!has_threads(s, t)) {
		rec_kill_by_rules(s, t, signal);
		return;
	}
	rec_commit_enter(s, t);
	arch.set_call_nr(tracee_regs_mut(&t->tracee), SYS_exit);
	rec_resume_in_call(t, PTRACE_CONT);
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
	case SECCOMP_RET_KILL_THREAD:
		kill_thread(s, t, t->filters->strict ? SIGKILL : SIGSYS);
		return true;
	default:
		rec_kill_by_rules(s, t, SIGSYS);
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

/* Installing needs no_new_privs or CAP_SYS_ADMIN in the program's own eyes. */
static bool allowed(const struct rec_task *t)
{
	return t->no_new_privs || (proc_capabilities(t->tracee.tid) >> CAP_SYS_ADMIN & 1);
}

/* In the kernel's order: where nothing can be read, rights are not asked for yet. Libraries find
 * out by that which flags there are. */
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
	if (!allowed(t))
		return -EACCES;
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

static bool has_filter(const struct rec_filter *newest, const struct rec_filter *filter)
{
	while (newest && newest != filter)
		newest = newest->older;
	return newest == filter;
}

/* A thread that has rules of its own cannot be given the caller's (seccomp_can_sync_threads()). */
static struct rec_task *find_unlike(struct rec_session *s, struct rec_task *t)
{
	struct rec_task *other, *next;

	HASH_ITER (hh, s->tasks, other, next)
		if (is_other_thread(other, t) && other->filters &&
		    (other->filters->strict || !has_filter(t->filters, other->filters)))
			return other;
	return NULL;
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
		if (!is_other_thread(other, t))
			continue;
		rec_filter_hold(filter);
		rec_filter_release(other->filters);
		other->filters = filter;
		other->no_new_privs |= t->no_new_privs;
	}
}

/* Asked of the kernel, without a program: those it does not know, or not together, come first. */
static bool flags_known(unsigned flags)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) >= 0 || errno != EINVAL;
}

static int64_t set_strict(struct rec_session *s, struct rec_task *t, unsigned flags, taddr code)
{
	if (flags || code || (t->filters && !t->filters->strict))
		return -EINVAL;
	if (t->filters)
		return 0;
	struct rec_filter *filter = xcalloc(1, sizeof(*filter));

	filter->strict = true;
	install(s, t, filter, false);
	return 0;
}

static int64_t set_filter(struct rec_session *s, struct rec_task *t, unsigned flags, taddr code)
{
	struct rec_task *unlike = NULL;
	struct rec_filter *filter = NULL;

	if (!flags_known(flags))
		return -EINVAL;
	int result = read_program(t, code, &filter);

	if (result)
		return result;
	if (flags & SECCOMP_FILTER_FLAG_TSYNC)
		unlike = find_unlike(s, t);
	if (!unlike && !(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER)) {
		install(s, t, filter, flags & SECCOMP_FILTER_FLAG_TSYNC);
		return 0;
	}
	free(filter);
	if (!unlike) { /* as if another listener were there */
		rec_tell_once(s, REC_TOLD_LISTENER, 0,
			      "seccomp rules whose calls another process decides on "
			      "(SECCOMP_FILTER_FLAG_NEW_LISTENER) are not supported: that was "
			      "answered with EBUSY");
		return -EBUSY;
	}
	return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : proc_own_tid(unlike->tracee.tid);
}

/* SECCOMP_SET_MODE_*; `flags` are SECCOMP_FILTER_FLAG_*, `code` the filter's address. */
static enum rec_verdict set_mode(struct rec_session *s, struct rec_task *t, unsigned mode,
				 unsigned flags, taddr code)
{
	if (mode != SECCOMP_SET_MODE_STRICT && mode != SECCOMP_SET_MODE_FILTER)
		return REC_MAKE;
	rec_answer(s, t,
		   mode == SECCOMP_SET_MODE_STRICT ? set_strict(s, t, flags, code)
						   : set_filter(s, t, flags, code));
	return REC_ANSWERED;
}

enum rec_verdict rec_seccomp(struct rec_session *s, struct rec_task *t)
{
	const uint64_t *args = t->call.call.args;

	return set_mode(s, t, (unsigned)args[0], (unsigned)args[1], args[2]);
}

enum rec_verdict rec_prctl_seccomp(struct rec_session *s, struct rec_task *t)
{
	const uint64_t *args = t->call.call.args;

	if (args[0] == PR_SET_SECCOMP) /* SECCOMP_MODE_* begin with 1 */
		return set_mode(s, t, args[1] > 2 ? ~0u : (unsigned)args[1] - 1, 0,
				args[1] == SECCOMP_MODE_FILTER ? args[2] : 0);
	rec_answer(s, t, t->filters ? (t->filters->strict ? 1 : 2) : 0);
	return REC_ANSWERED;
}
