/* The agent in recorded programs: its memory, the sites that enter it, and what it has written
 * down.
 *
 * What the agent records becomes events as if the calls had stopped. It has room for one address
 * space: its records are those of the task that was last resumed there, and are taken out at that
 * task's next stop, before anything else is recorded or anybody else runs. No task is left inside
 * the agent: whoever stops there is run to the end of its call first (rec_leave_agent()). */
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/agent_abi.h"
#include "record/session.h"
#include "tracee/procfs.h"
#include "util/log.h"

/* A call's instruction that has stopped so often gets a site. */
#define CALLS_FIRST 8
/* Instructions that are counted, and sites, in an address space. */
#define CALLS_MAX 512u
#define SITES_MAX 192u

#define FIELD(name) (AGENT_DATA + offsetof(struct agent_state, name))

/* ---- the table ---- */

static bool to_piece(const struct sc_arg *from, unsigned arg, struct agent_piece *to)
{
	static const uint8_t kinds[] = {
		[SC_S_CONST] = AGENT_PIECE_CONST,
		[SC_S_ARG] = AGENT_PIECE_COUNTED,
		[SC_S_ARG_RET] = AGENT_PIECE_RETURNED,
		[SC_S_CSTR] = AGENT_PIECE_STRING,
	};

	if (from->dir == SC_INOUT || from->size_kind >= sizeof(kinds) || !kinds[from->size_kind])
		return false;
	*to = (struct agent_piece){.kind = kinds[from->size_kind],
				   .in = from->dir == SC_IN,
				   .arg = (uint8_t)arg,
				   .count = from->size_arg,
				   .size = from->size};
	return true;
}

/* Those that the row lets be buffered and whose effects are no more than a result and memory of
 * plain shapes. */
static void to_row(const struct sc_row *from, struct agent_row *to)
{
	const uint32_t others = SC_CHANGES_MM | SC_CHANGES_FDS | SC_CHANGES_SIG | SC_CHANGES_TASKS |
				SC_MOVES_FD | SC_NEVER_RETURNS | SC_FALLBACK | SC_YIELDS;
	unsigned count = 0;

	*to = (struct agent_row){0};
	if (!(from->flags & SC_BUFFERABLE) || (from->flags & others) || from->action != SC_INJECT ||
	    from->refine || (from->handler && !(from->flags & SC_WRITES_FILE)))
		return;
	if ((from->flags & (SC_MAY_BLOCK | SC_WRITES_FD | SC_WRITES_FILE)) && from->fd_arg != 0)
		return;
	for (unsigned i = 0; i < from->nargs; i++) {
		if (from->args[i].size_kind == SC_S_NONE)
			continue;
		if (count == AGENT_PIECES || !to_piece(&from->args[i], i, &to->pieces[count++]))
			return;
	}
	to->flags = AGENT_ROW_KNOWN;
	if (from->flags & SC_MAY_BLOCK)
		to->flags |= AGENT_ROW_REGULAR;
	if (from->flags & (SC_WRITES_FD | SC_WRITES_FILE))
		to->flags |= AGENT_ROW_PLAIN;
}

static const struct agent_state *first_state(void)
{
	static struct agent_state state;

	if (state.entry)
		return &state;
	for (size_t i = 0; i < sc_row_count(); i++)
		if (sc_row_at(i)->nr >= 0 && sc_row_at(i)->nr < AGENT_CALLS)
			to_row(sc_row_at(i), &state.rows[sc_row_at(i)->nr]);
	state.entry = AGENT_ENTRY;
	state.bases = arch.bases_are_readable();
	return &state;
}

static const struct agent_row *row_of(const struct rec_call *call)
{
	const struct agent_row *row = call->call.nr >= 0 && call->call.nr < AGENT_CALLS
					      ? &first_state()->rows[call->call.nr]
					      : NULL;

	return row && row->flags ? row : NULL;
}

/* ---- its memory ---- */

void rec_agent_prepare(struct rec_session *s, struct rec_task *t)
{
	t->own_files = false; /* nobody else is there */
	if (!s->timing.agent || s->outer_rules)
		return;
	t->mm->agent.on = tracee_map_agent(&t->tracee, first_state());
}

void rec_agent_copy(struct rec_agent *to, const struct rec_agent *from)
{
	*to = (struct rec_agent){.on = from->on,
				 .off = from->off,
				 .steps = from->steps,
				 .knows_fds = from->knows_fds,
				 .sites = from->sites};
	vec_append(&to->calls, from->calls.items, from->calls.count);
}

static void write_word(struct rec_task *t, taddr at, uint32_t value)
{
	tracee_write(&t->tracee, at, &value, sizeof(value));
}

static void set_off(struct rec_task *t, bool off)
{
	struct rec_agent *agent = &t->mm->agent;

	if (off != agent->off)
		write_word(t, FIELD(off), off);
	agent->off = off;
}

void rec_agent_decline(struct rec_task *t)
{
	if (!t->mm->agent.on)
		return;
	set_off(t, true);
	softpmu_enter_copy(&t->tracee, &t->mm->probes, arch.pc(tracee_regs(&t->tracee)));
}

/* Where the next call must stop: a signal waits, the kernel makes one again, the program has rules
 * for calls. */
void rec_agent_load(struct rec_task *t)
{
	struct rec_agent *agent = &t->mm->agent;

	if (!agent->on)
		return;
	set_off(t, t->restart_pending || t->stash.count || t->filters || t->dispatch.on ||
			   t->outer_rules || t->own_files);
	agent->owner = t->tracee.tid;
	softpmu_enter_copy(&t->tracee, &t->mm->probes, arch.pc(tracee_regs(&t->tracee)));
}

/* ---- what it has recorded ---- */

static void add_piece(struct rec_session *s, struct rec_task *t, const struct agent_bytes *piece)
{
	if (piece->in)
		rec_input_datum(s, t, piece->addr, piece + 1, piece->length);
	else
		rec_datum(s, t, TRACE_D_MEMORY, piece->addr, piece + 1, piece->length);
}

/* False if that is no record. */
static bool add_event(struct rec_session *s, struct rec_task *t, const struct agent_record *record,
		      size_t room)
{
	const uint8_t *at = (const uint8_t *)(record + 1),
		      *end = (const uint8_t *)record + record->size;
	struct regs regs = *tracee_regs(&t->tracee);

	if (room < sizeof(*record) || record->size > room || record->size < sizeof(*record))
		return false;
	for (unsigned i = 0; i < record->pieces; i++) {
		const struct agent_bytes *piece = (const struct agent_bytes *)at;

		if ((size_t)(end - at) < sizeof(*piece) ||
		    (size_t)(end - at) - sizeof(*piece) < piece->length)
			return false;
		add_piece(s, t, piece);
		at += sizeof(*piece) + (piece->length + 7) / 8 * 8;
	}
	arch.agent_regs(&regs, record->nr, record->regs, first_state()->bases);
	rec_commit(s, t, TRACE_EV_SYSCALL, TRACE_F_BUFFERED, record->nr, record->result, &regs);
	return true;
}

bool rec_in_agent(struct rec_task *t)
{
	if (!t->mm->agent.on)
		return false;
	taddr pc = arch.pc(tracee_regs(&t->tracee));

	return (pc >= AGENT_CODE && pc < AGENT_CODE + AGENT_CODE_SIZE) ||
	       softpmu_enters_call(&t->tracee, &t->mm->probes);
}

/* Those of a task that has ended without its last stop are nobody's. */
static void add_events(struct rec_session *s, struct rec_task *owner, const struct bytes *records,
		       size_t used)
{
	for (size_t at = 0; owner && at < used;) {
		const struct agent_record *record = (const void *)(records->items + at);

		if (!add_event(s, owner, record,
			       used - at)) { /* what follows could not be replayed */
			rec_fail(s,
				 error_new("the records of calls that task %d has made without a "
					   "stop are damaged; record it without --agent",
					   owner->tracee.tid));
			return;
		}
		at += record->size;
	}
}

void rec_agent_drain(struct rec_session *s, struct rec_task *t)
{
	struct rec_agent *agent = &t->mm->agent;
	uint64_t used = 0;

	if (!agent->on ||
	    tracee_read(&t->tracee, FIELD(used), &used, sizeof(used)) != sizeof(used) || !used)
		return;
	vec_clear(&agent->records);
	vec_reserve(&agent->records, AGENT_BUFFER_SIZE);
	if (used > AGENT_BUFFER_SIZE)
		used = AGENT_BUFFER_SIZE; /* which then ends in the middle of a record */
	if (tracee_read(&t->tracee, AGENT_BUFFER, agent->records.items, used) != used)
		return;
	add_events(s, rec_find(s, agent->owner), &agent->records, used);
	used = 0;
	tracee_write(&t->tracee, FIELD(used), &used, sizeof(used));
}

/* ---- stops inside ---- */

/* To where the call has ended, or would be made. */
static int run_out(struct rec_task *t, bool *interrupted, int *stopped_by)
{
	for (;;) {
		tracee_resume(&t->tracee, PTRACE_CONT, 0);
		int status = tracee_wait(&t->tracee, 0);

		if (t->tracee.gone)
			return status;
		if (tracee_event(status) == PTRACE_EVENT_STOP)
			*interrupted = true;
		else if (!tracee_event(status) && WSTOPSIG(status) == SIGSTOP)
			*stopped_by = SIGSTOP;
		else
			return status;
	}
}

/* A call that would wait is not made again in there: the agent declines when it sees the result. */
static void give_up_waiting(struct rec_task *t)
{
	const struct regs *regs = tracee_regs(&t->tracee);

	if (arch.in_call(regs) && rec_is_restart(arch.call_result(regs)))
		arch.call_skip(tracee_regs_mut(&t->tracee));
}

enum rec_left rec_leave_agent(struct rec_session *s, struct rec_task *t)
{
	if (!rec_in_agent(t))
		return REC_NOT_INSIDE;
	uint64_t mask = tracee_get_sigmask(&t->tracee);
	bool interrupted = false;
	int stop = 0;

	give_up_waiting(t);
	write_word(t, FIELD(trap), 1);
	tracee_block_signals(&t->tracee);
	int status = run_out(t, &interrupted, &stop);

	if (t->tracee.gone || tracee_event(status) == PTRACE_EVENT_EXIT) {
		t->status = status;
		return REC_ELSEWHERE;
	}
	tracee_set_sigmask(&t->tracee, mask);
	write_word(t, FIELD(trap), 0);
	if (stop)
		syscall(SYS_tgkill, t->tracee.tgid, t->tracee.tid, stop);
	if (interrupted)
		tracee_interrupt(&t->tracee);
	rec_agent_drain(s, t);
	if (tracee_event(status) || WSTOPSIG(status) != SIGTRAP ||
	    arch.pc(tracee_regs(&t->tracee)) != AGENT_TRAP + arch.break_size) {
		t->status = status;
		return REC_ELSEWHERE;
	}
	taddr after;

	if (tracee_read(&t->tracee, FIELD(after), &after, sizeof(after)) == sizeof(after))
		arch.set_pc(tracee_regs_mut(&t->tracee), after);
	softpmu_leave_call_copies(&t->tracee, &t->mm->probes);
	return REC_AT_CALL_END;
}

/* ---- descriptors ---- */

static void write_bits(struct rec_task *t, taddr at, const uint64_t *bits)
{
	tracee_write(&t->tracee, at, bits, AGENT_FDS / 8);
}

static void forget_fds(struct rec_task *t)
{
	struct rec_agent *agent = &t->mm->agent;

	memset(agent->regular, 0, sizeof(agent->regular));
	memset(agent->plain, 0, sizeof(agent->plain));
	write_bits(t, FIELD(regular), agent->regular);
	write_bits(t, FIELD(plain), agent->plain);
	agent->knows_fds = false;
}

void rec_agent_forget_writes(struct rec_session *s)
{
	for (struct rec_task *t = s->tasks; t; t = t->hh.next)
		if (t->mm->agent.knows_fds)
			forget_fds(t);
}

/* What the agent knows holds for one table of descriptors in an address space: that of all tasks
 * there but those with `own_files`, and of nobody else. */
void rec_agent_new_task(struct rec_task *t, struct rec_task *child, uint64_t clone_flags)
{
	bool same_files = clone_flags & CLONE_FILES;

	if (clone_flags & CLONE_VM) {
		child->own_files = t->own_files || !same_files;
		return;
	}
	if (!child->mm->agent.on)
		return;
	if (same_files) {
		forget_fds(t);
		t->mm->agent.shares_fds = child->mm->agent.shares_fds = true;
	}
	if (same_files || t->own_files)
		forget_fds(child);
}

void rec_agent_unshare_files(struct rec_task *t)
{
	t->own_files = t->mm->users > 1;
}

/* A call on this descriptor has succeeded at a stop: may the agent make the next? */
static void learn_fd(struct rec_session *s, struct rec_task *t, uint64_t fd)
{
	struct rec_agent *agent = &t->mm->agent;
	uint64_t bit = 1ull << fd % 64, *regular = &agent->regular[fd / 64],
		 *plain = &agent->plain[fd / 64];
	struct stat status;

	if (agent->shares_fds || t->own_files || *regular & bit ||
	    !proc_fd_stat(t->tracee.tid, (int)fd, &status) || !S_ISREG(status.st_mode) ||
	    status.st_dev == s->proc_device)
		return;
	*regular |= bit;
	write_bits(t, FIELD(regular), agent->regular);
	agent->knows_fds = true;
	if (rec_is_mapped(s, &status) || rec_echo_flags(s, t, (int)fd))
		return;
	*plain |= bit;
	write_bits(t, FIELD(plain), agent->plain);
}

/* ---- sites ---- */

static void count_call(struct rec_task *t, taddr pc, int nr)
{
	struct rec_agent *agent = &t->mm->agent;

	vec_foreach (&agent->calls, call) {
		if (call->pc != pc)
			continue;
		if (++call->count == CALLS_FIRST)
			vec_push(&t->wanted_calls, (struct rec_call_site){pc, nr});
		return;
	}
	__auto_type first = (typeof(*agent->calls.items)){pc, 1};

	if (agent->calls.count < CALLS_MAX)
		vec_push(&agent->calls, first);
}

void rec_agent_call_ended(struct rec_session *s, struct rec_task *t)
{
	const struct rec_call *c = &t->call;
	struct rec_agent *agent = &t->mm->agent;

	if (!agent->on || agent->steps)
		return;
	if (agent->knows_fds && c->row && (c->row->flags & SC_CHANGES_FDS))
		forget_fds(t);
	const struct agent_row *row = row_of(c);

	if (!row)
		return;
	if ((row->flags & (AGENT_ROW_REGULAR | AGENT_ROW_PLAIN)) && c->call.result >= 0 &&
	    c->call.args[0] < AGENT_FDS)
		learn_fd(s, t, c->call.args[0]);
	if (agent->sites < SITES_MAX)
		count_call(t, arch.pc(&c->entry) - arch.call_size, c->call.nr);
}

bool rec_agent_note_step(struct rec_session *s, struct rec_task *t)
{
	struct rec_agent *agent = &t->mm->agent;

	if (!agent->on || agent->steps)
		return false;
	bool led = softpmu_comes_to_call(&t->tracee, &t->mm->probes);

	softpmu_leave_call_copies(&t->tracee, &t->mm->probes);
	agent->steps = true;
	rec_remove_call_sites(s, t);
	return led;
}
