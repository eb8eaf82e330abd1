/* System calls: entry, scratch memory, exit.
 *
 * A call of a task that is alone in its group is made in place and becomes one event when it has
 * ended (but those that make tasks, images or ends: their entry is an event too). In a group of
 * several, a call that may block writes into scratch memory, so that nothing changes under the
 * others' feet; if it does block, its entry becomes an event of its own before another task gets
 * the turn. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <xxhash.h>

#include "record/session.h"
#include "tracee/procfs.h"

/* Kernel-internal results of interrupted calls (include/linux/errno.h). */
#define ERESTARTSYS	      512
#define ERESTARTNOHAND	      514
#define ERESTART_RESTARTBLOCK 516

/* Memory a call reads is kept, for dump and for the replay to compare: up to so much whole, of more
 * the beginning and a hash. That too has a limit: one who hands over a gigabyte and is told that
 * half a page was written comes back with the rest. */
#define INPUT_WHOLE 4096
#define INPUT_MAX   256
#define INPUT_HASH  (256u << 10)

/* A call that may write more is made in place: no program hands that much to a call that blocks. */
#define SCRATCH_MAX (64u << 20)

#define PAGE	    4096
#define PROBE_PAGES 256 /* at a time */

#define ECHO_FLAGS (TRACE_F_ECHO_STDOUT | TRACE_F_ECHO_STDERR)

bool rec_is_restart(int64_t result)
{
	return result <= -ERESTARTSYS && result >= -ERESTART_RESTARTBLOCK;
}

void rec_call_reset(struct rec_call *call)
{
	vec_clear(&call->regions);
	vec_clear(&call->homes);
	vec_clear(&call->inputs);
	vec_clear(&call->before);
	call->open = call->entered_event = call->shortened = false;
	call->flags = 0;
	call->clone = (struct rec_clone){0};
	call->note = 0;
}

/* ---- data ---- */

/* Of what a call reads little is kept whole; of more the beginning, and a hash. */
static size_t hashed_length(size_t length)
{
	if (length <= INPUT_WHOLE)
		return 0;
	return length < INPUT_HASH ? length : INPUT_HASH;
}

struct input {
	taddr addr;
	uint64_t length;
	struct trace_extent hashed; /* length 0: not */
};

void rec_keep_input(struct rec_task *t, taddr addr, size_t length)
{
	struct bytes *to = &t->call.inputs;
	size_t at = to->count, hashed = hashed_length(length), want = hashed ? hashed : length;
	struct input head = {.addr = addr};

	vec_reserve(to, sizeof(head) + want);
	unsigned char *bytes = to->items + at + sizeof(head);

	head.length = tracee_read(&t->tracee, addr, bytes, want);
	if (hashed) {
		head.hashed = (struct trace_extent){head.length, XXH64(bytes, head.length, 0)};
		if (head.length > INPUT_MAX)
			head.length = INPUT_MAX;
	}
	memcpy(to->items + at, &head, sizeof(head));
	to->count = at + sizeof(head) + head.length;
}

void rec_input_datum(struct rec_session *s, struct rec_task *t, taddr addr, const void *bytes,
		     size_t length)
{
	struct trace_extent hashed = {hashed_length(length), 0};

	rec_datum(s, t, TRACE_D_INPUT, addr, bytes, hashed.length ? INPUT_MAX : length);
	if (!hashed.length)
		return;
	hashed.hash = XXH64(bytes, hashed.length, 0);
	rec_datum(s, t, TRACE_D_INPUT_HASH, addr, &hashed, sizeof(hashed));
}

/* Keeps what the call reads: it may have changed by the time of the event. */
static void keep_inputs(struct rec_task *t)
{
	vec_foreach (&t->call.regions, region)
		if (region->dir != SC_OUT)
			rec_keep_input(t, region->addr, region->capacity);
}

static void add_inputs(struct rec_session *s, struct rec_task *t)
{
	struct rec_call *c = &t->call;
	struct input head;

	for (size_t at = 0; at < c->inputs.count; at += sizeof(head) + head.length) {
		memcpy(&head, c->inputs.items + at, sizeof(head));
		rec_datum(s, t, TRACE_D_INPUT, head.addr, c->inputs.items + at + sizeof(head),
			  head.length);
		if (head.hashed.length)
			rec_datum(s, t, TRACE_D_INPUT_HASH, head.addr, &head.hashed,
				  sizeof(head.hashed));
	}
	vec_clear(&c->inputs);
}

/* Where the program knows the region to be. */
static taddr home_of(const struct rec_call *c, size_t i)
{
	return c->homes.count ? c->homes.items[i] : c->regions.items[i].addr;
}

static void add_outputs(struct rec_session *s, struct rec_task *t)
{
	struct rec_call *c = &t->call;

	for (size_t i = 0; i < c->regions.count; i++)
		if (c->regions.items[i].dir != SC_IN && c->regions.items[i].length)
			rec_memory(s, t, TRACE_D_MEMORY, home_of(c, i), c->regions.items[i].length);
}

/* ---- scratch ---- */

/* Whether the kernel can write there for the program: what fails must fail in place. Protections do
 * not bind /proc/PID/mem, but they do bind process_vm_writev(2). A byte of each page tells. */
static bool is_writable(struct rec_task *t, taddr addr, uint64_t length)
{
	uint8_t bytes[PROBE_PAGES];
	struct iovec own = {bytes, 0}, its[PROBE_PAGES];

	for (taddr at = addr, end = addr + length; at < end; own.iov_len = 0) {
		for (; at < end && own.iov_len < PROBE_PAGES; at = (at | (PAGE - 1)) + 1)
			its[own.iov_len++] = (struct iovec){(void *)(uintptr_t)at, 1};
		ssize_t count = (ssize_t)own.iov_len;

		if (process_vm_readv(t->tracee.tid, &own, 1, its, own.iov_len, 0) != count ||
		    process_vm_writev(t->tracee.tid, &own, 1, its, own.iov_len, 0) != count)
			return false;
	}
	return addr + length >= addr;
}

/* Which regions must move: those written, and those that hold a pointer to one that moves. */
static size_t plan_scratch(struct rec_task *t, bool *moves)
{
	const struct sc_regions *regions = &t->call.regions;
	size_t size = 0;

	vec_foreach (regions, region)
		if (region->dir != SC_IN && region->capacity > SCRATCH_MAX)
			return (size_t)SCRATCH_MAX + 1;
	for (size_t i = 0; i < regions->count; i++)
		moves[i] = regions->items[i].dir != SC_IN && !regions->items[i].fixed &&
			   is_writable(t, regions->items[i].addr, regions->items[i].capacity);
	for (size_t i = regions->count; i-- > 0;)
		if (moves[i] && regions->items[i].parent >= 0)
			moves[regions->items[i].parent] = true;
	for (size_t i = 0; i < regions->count; i++)
		if (moves[i])
			size += (regions->items[i].capacity + 63) & ~63ull;
	return size;
}

static void copy_memory(struct rec_task *t, taddr from, taddr to, size_t length)
{
	char buffer[16384];

	while (length) {
		size_t piece = length < sizeof(buffer) ? length : sizeof(buffer);
		size_t got = tracee_read(&t->tracee, from, buffer, piece);

		tracee_write(&t->tracee, to, buffer, got);
		if (got < piece)
			return;
		from += piece;
		to += piece;
		length -= piece;
	}
}

/* Sends the call's pointers to scratch memory. */
static void move_to_scratch(struct rec_task *t, const bool *moves)
{
	struct rec_call *c = &t->call;
	taddr next = t->scratch;

	vec_clear(&c->homes);
	for (size_t i = 0; i < c->regions.count; i++) {
		struct sc_region *region = &c->regions.items[i];

		vec_push(&c->homes, region->addr);
		if (!moves[i])
			continue;
		/* Outputs too: what the kernel leaves alone must come back unchanged. */
		copy_memory(t, region->addr, next, region->capacity);
		region->addr = next;
		next += (region->capacity + 63) & ~63ull;
		if (region->parent < 0)
			arch.set_call_arg(tracee_regs_mut(&t->tracee), region->arg, region->addr);
		else
			tracee_write(&t->tracee,
				     c->regions.items[region->parent].addr + region->parent_offset,
				     &region->addr, sizeof(region->addr));
	}
	c->flags |= TRACE_F_SCRATCH;
}

/* Reads memory as the caller knows it while parts of it are in scratch. */
static size_t read_moved(void *context, taddr addr, void *to, size_t length)
{
	struct rec_task *t = context;
	struct rec_call *c = &t->call;

	for (size_t i = 0; i < c->homes.count; i++) {
		const struct sc_region *region = &c->regions.items[i];
		taddr home = c->homes.items[i];

		if (addr >= home && addr - home < region->capacity &&
		    length <= region->capacity - (addr - home))
			return tracee_read(&t->tracee, region->addr + (addr - home), to, length);
	}
	return tracee_read(&t->tracee, addr, to, length);
}

/* Copies back what the call wrote; pointers within are the program's own again. The plan stays, for
 * a call that goes on after a stop signal. */
static void copy_home(struct rec_task *t)
{
	struct rec_call *c = &t->call;

	for (size_t i = 0; i < c->homes.count; i++) {
		struct sc_region *region = &c->regions.items[i];

		if (region->addr != c->homes.items[i] && region->parent >= 0)
			tracee_write(&t->tracee,
				     c->regions.items[region->parent].addr + region->parent_offset,
				     &c->homes.items[i], sizeof(taddr));
	}
	for (size_t i = 0; i < c->homes.count; i++) {
		struct sc_region *region = &c->regions.items[i];

		if (region->dir != SC_IN && region->addr != c->homes.items[i])
			copy_memory(t, region->addr, c->homes.items[i], region->length);
	}
}

/* Returns false if the call must be made again from its instruction: memory had to be mapped. */
static bool use_scratch(struct rec_task *t)
{
	struct rec_call *c = &t->call;
	bool *moves = xcalloc(c->regions.count, sizeof(*moves));
	size_t size = plan_scratch(t, moves);
	bool ready = true;

	if (size > t->scratch_size && size <= SCRATCH_MAX && !t->scratch_failed) {
		/* Our own call takes the place of the pending one, which is made again; in place,
		 * if there is no room for scratch. */
		t->scratch_failed = !rec_scratch(t, size);
		arch.call_rewind(tracee_regs_mut(&t->tracee), c->call.nr);
		ready = false;
	} else if (size && size <= t->scratch_size) {
		move_to_scratch(t, moves);
	}
	t->scratch_failed = t->scratch_failed && !ready;
	free(moves);
	return ready;
}

/* ---- entry ---- */

void rec_commit_enter(struct rec_session *s, struct rec_task *t)
{
	struct rec_call *c = &t->call;

	if (c->entered_event)
		return;
	add_inputs(s, t);
	/* Words that the call changes while it sleeps: a futex gets its mark of waiters. */
	vec_foreach (&c->regions, region)
		if (region->fixed)
			rec_memory(s, t, TRACE_D_MEMORY, region->addr, region->capacity);
	bool gone = t->tracee.gone;

	t->tracee.gone = false; /* the entry has happened, whatever became of it */
	rec_commit(s, t, TRACE_EV_SYSCALL_ENTER, c->flags, (uint32_t)c->call.nr, 0, &c->entry);
	t->tracee.gone = gone;
	c->entered_event = true;
}

void rec_answer_only(struct rec_session *s, struct rec_task *t, int64_t result)
{
	struct rec_call *c = &t->call;
	struct regs *regs = tracee_regs_mut(&t->tracee);

	arch.call_skip(regs);
	arch.set_call_result(regs, result);
	add_inputs(s, t);
	rec_commit(s, t, TRACE_EV_SYSCALL, c->flags | TRACE_F_REFUSED, (uint32_t)c->call.nr, result,
		   &c->entry);
	c->open = false;
}

void rec_answer(struct rec_session *s, struct rec_task *t, int64_t result)
{
	rec_answer_only(s, t, result);
	rec_continue(s, t);
}

static const char *call_name(const struct rec_call *c)
{
	return c->row ? c->row->name : "unknown";
}

/* Our pages and scratch memory are as if they were sealed (mseal(2)). */
bool rec_is_ours(const struct rec_task *t, taddr start, uint64_t length)
{
	taddr end = t->mm->scratch_end < WARP_RESERVED_END ? t->mm->scratch_end : WARP_SCRATCH;

	return start < end && start + length > WARP_CODE_PAGE;
}

static bool changes_our_pages(const struct rec_task *t)
{
	const struct rec_call *c = &t->call;

	return c->row && (c->row->flags & SC_RANGE) &&
	       rec_is_ours(t, c->call.args[0], c->call.args[1]);
}

/* It ends where the program goes on, without a stop of its own; and in a replay nothing stops
 * there. */
static void tell_if_emulated(struct rec_session *s, struct rec_task *t)
{
	if (arch.is_emulated(&t->call.entry))
		rec_tell_once(
			s, REC_TOLD_VSYSCALL, 0,
			"the program calls %s at its old fixed address (the vsyscall page), as C "
			"libraries did before 2012: that cannot be recorded, and the replay ends "
			"there; link the program with a newer C library",
			call_name(&t->call));
}

void rec_answer_ours(struct rec_session *s, struct rec_task *t)
{
	rec_tell_once(s, REC_TOLD_OUR_MEMORY, 0,
		      "the program tries to change memory that belongs to warp (from %#llx on) "
		      "with %s: that was answered with EPERM",
		      WARP_CODE_PAGE, t->call.row->name);
	rec_answer(s, t, -EPERM);
}

static bool refuse(struct rec_session *s, struct rec_task *t)
{
	struct rec_call *c = &t->call;

	if (tracee_event_message(&t->tracee)) {
		rec_tell_once(s, REC_TOLD_NARROW_CALL, 0,
			      "a 32-bit system call was answered with ENOSYS: only 64-bit "
			      "calls can be recorded");
		rec_answer(s, t, -ENOSYS);
		return true;
	}
	if (changes_our_pages(t)) {
		rec_answer_ours(s, t);
		return true;
	}
	/* Bytes that go to our own output without passing memory could not be echoed: the caller
	 * falls back to write(2), as on older kernels. */
	if (c->row && (c->row->flags & SC_MOVES_FD) && c->row->fd_arg >= 0 &&
	    rec_echo_flags(s, t, (int)c->call.args[c->row->fd_arg])) {
		rec_answer(s, t, -EINVAL);
		return true;
	}
	if (!c->row || c->row->action != SC_REFUSE)
		return false;
	if (!(c->row->flags & SC_QUIET))
		rec_tell_once(
			s, REC_TOLD_CALL, (uint64_t)c->call.nr,
			"%s is not supported: it was answered with %s, as an older kernel would do",
			call_name(c), sc_errno_name(c->row->refuse_errno));
	rec_answer(s, t, -c->row->refuse_errno);
	return true;
}

static void open_call(struct rec_task *t, const struct regs *entry)
{
	struct rec_call *c = &t->call;

	rec_call_reset(c);
	c->entry = *entry;
	c->call = sc_call_of(arch.call_nr(&c->entry), &c->entry);
	c->row = sc_row(c->call.nr);
	if (c->row)
		c->row = sc_row_refine(c->row, &c->call);
	c->open = true;
}

/* A call goes on after a stop signal (restart_syscall(2)): its arguments and memory are those of
 * the call that was interrupted, scratch included. */
static void reopen_call(struct rec_task *t)
{
	struct rec_call *c = &t->call;

	c->entry = *tracee_regs(&t->tracee);
	c->call.ended = false;
	c->open = true;
	c->entered_event = false;
}

static bool is_restart_call(struct rec_task *t)
{
	const struct sc_row *row = sc_row(arch.call_nr(tracee_regs(&t->tracee)));

	return row && row->handler == SC_H_RESTART;
}

/* The kernel moved the task back to its call: replay must know. */
static void note_restart(struct rec_session *s, struct rec_task *t)
{
	struct regs regs = *tracee_regs(&t->tracee);

	t->restart_pending = false;
	if (t->restart_noted)
		return;
	arch.call_rewind(&regs, arch.call_nr(&regs));
	rec_commit(s, t, TRACE_EV_RESTART, 0, 0, 0, &regs);
}

void rec_note_moved_back(struct rec_session *s, struct rec_task *t)
{
	if (!t->restart_pending || t->restart_noted ||
	    rec_is_restart(arch.call_result(tracee_regs(&t->tracee))))
		return;
	struct regs regs = *tracee_regs(&t->tracee);

	arch.call_skip(&regs);
	rec_commit(s, t, TRACE_EV_RESTART, 0, 0, 0, &regs);
	t->restart_noted = true;
}

void rec_take_status(struct rec_session *s, struct rec_task *t, int status)
{
	t->status = status;
	t->arrived = ++s->arrivals;
	if (t->tracee.gone)
		rec_on_gone(s, t, status);
	else if (tracee_event(status) == PTRACE_EVENT_EXEC)
		rec_on_wait(s, t->tracee.tid, status); /* perhaps another thread's, under this id */
	else
		rec_handle_status(s, t);
}

/* A leader that was killed is a zombie that wait does not report until its threads have ended, and
 * those may wait for us. */
static bool is_silent_zombie(const struct rec_task *t)
{
	return t->tracee.tid == t->tracee.tgid && proc_state(t->tracee.tid) == 'Z';
}

/* How often the core is given away before we look what has become of the task, and how long
 * then. */
#define AWAIT_TRIES 16
#define AWAIT_NS    200000

void rec_await(struct rec_session *s, struct rec_task *t)
{
	const struct timespec pause = {.tv_nsec = AWAIT_NS};
	int status;

	for (unsigned tries = 0; !(status = tracee_wait(&t->tracee, WNOHANG)); tries++) {
		if (tries < AWAIT_TRIES) {
			sched_yield();
			continue;
		}
		if (is_silent_zombie(t)) {
			t->state = STATE_DYING; /* the loop hears of its end */
			return;
		}
		nanosleep(&pause, NULL);
	}
	rec_take_status(s, t, status);
}

/* A call that changes memory while it sleeps must have done so; or have read its timeout, where we
 * have shortened that. */
static bool settled(const struct rec_task *t)
{
	bool busy = t->call.shortened;

	vec_foreach (&t->call.regions, region)
		busy |= region->fixed;
	return !busy || proc_state(t->tracee.tid) == 'S';
}

#define YIELDS 3

/* In a group: sees whether the call ends at once, on the one core that we share; if not, others
 * get the turn. */
static void await_or_yield(struct rec_session *s, struct rec_task *t)
{
	for (int tries = 0; tries < YIELDS || !settled(t); tries++) {
		sched_yield();
		int status = tracee_wait(&t->tracee, WNOHANG);

		if (status) {
			rec_take_status(s, t, status);
			return;
		}
		if (tries > YIELDS && is_silent_zombie(t)) {
			t->state = STATE_DYING;
			return;
		}
	}
	rec_commit_enter(s, t);
}

static bool may_block(const struct rec_call *c)
{
	return !c->row || (c->row->flags & (SC_MAY_BLOCK | SC_FALLBACK)) ||
	       (c->flags & TRACE_F_FALLBACK);
}

/* Writes to our own output are let end one after the other, where they do: their events then have
 * the order in which the bytes went out, whatever groups they are of. A full pipe or a stopped
 * terminal holds nobody up for longer than this. */
#define ECHO_PATIENCE_NS 50000000ull

static bool await_echo(struct rec_session *s, struct rec_task *t)
{
	uint64_t end = rec_now() + ECHO_PATIENCE_NS;

	do {
		sched_yield();
		int status = tracee_wait(&t->tracee, WNOHANG);

		if (status) {
			rec_take_status(s, t, status);
			return true;
		}
	} while (rec_now() < end);
	return false;
}

static void make_call(struct rec_session *s, struct rec_task *t)
{
	rec_resume_in_call(t, PTRACE_SYSCALL);
	if ((t->call.flags & ECHO_FLAGS) && await_echo(s, t))
		return;
	if (rec_alone(t))
		return;
	if (may_block(&t->call))
		await_or_yield(s, t);
	else
		rec_await(s, t);
}

/* Lists the memory of the call, or takes a picture of it where the table cannot tell. */
static void find_memory(struct rec_session *s, struct rec_task *t)
{
	struct rec_call *c = &t->call;
	struct sc_memory memory = tracee_memory(&t->tracee);

	if (c->row && sc_regions_begin(c->row, &c->call, &memory, &c->regions)) {
		keep_inputs(t);
		return;
	}
	vec_clear(&c->regions);
	c->flags |= TRACE_F_FALLBACK;
	rec_fallback_before(s, t);
}

void rec_before_rules(struct rec_session *s, struct rec_task *t)
{
	t->unjudged = true;
	t->unjudged_entry = *tracee_regs(&t->tracee);
	rec_resume_in_call(t, PTRACE_SYSCALL);
	rec_await(s, t);
}

/* The end of a call that outer rules have answered: it is taken for one that was made, unless the
 * program's own, newer rules say something else. False if those have answered it. */
static bool reopen_judged(struct rec_session *s, struct rec_task *t)
{
	t->unjudged = false;
	open_call(t, &t->unjudged_entry);
	if (rec_filtered(s, t))
		return false;
	find_memory(s, t);
	return true;
}

static bool may_begin(struct rec_session *s, struct rec_task *t, const struct rec_handler *handler)
{
	if ((t->call.row->flags & SC_WRITES_FILE) && !rec_may_change_file(s, t))
		return false;
	return !handler->may_begin || handler->may_begin(s, t);
}

void rec_on_call_entry(struct rec_session *s, struct rec_task *t)
{
	struct rec_call *c = &t->call;
	bool restart = t->restart_pending;

	if (t->mm->agent.on)
		softpmu_leave_call(&t->tracee, &t->mm->probes);
	t->unjudged = false;
	t->signal_place = 0;
	if (restart)
		note_restart(s, t);
	rec_forget_sent(t);
	if (t->stash.count) {
		rec_signal_before_call(s, t);
		return;
	}
	if (restart && is_restart_call(t)) {
		reopen_call(t);
		make_call(s, t);
		return;
	}
	open_call(t, tracee_regs(&t->tracee));
	tell_if_emulated(s, t);
	const struct rec_handler *handler = c->row ? rec_handler(c->row->handler) : NULL;

	if (handler && !may_begin(s, t, handler)) {
		c->open = false;
		rec_queue(s, t, TODO_STATUS); /* comes back here with the turn */
		return;
	}
	if (rec_dispatched(s, t) || rec_filtered(s, t) || refuse(s, t))
		return;
	find_memory(s, t);
	if (c->row && (c->row->flags & SC_WRITES_FD) && c->row->fd_arg >= 0)
		c->flags |= rec_echo_flags(s, t, (int)c->call.args[c->row->fd_arg]);
	enum rec_verdict verdict = REC_MAKE;

	if (handler && handler->enter)
		verdict = handler->enter(s, t);
	if (verdict == REC_ANSWERED || verdict == REC_NO_EXIT)
		return;
	if (verdict == REC_MAKE_ENTER || rec_forget_sites(s, t))
		rec_commit_enter(s, t);
	else if (!rec_alone(t) && may_block(c) && c->regions.count && !use_scratch(t)) {
		c->open = false;
		rec_agent_decline(t);
		rec_resume_in_call(t, PTRACE_CONT);
		rec_await(s, t); /* comes back here: nobody else may run in between */
		return;
	}
	rec_shorten_timeout(t);
	make_call(s, t);
}

/* ---- exit ---- */

/* A failed call may have written to memory in part: nobody writes this much and then fails. */
#define FAILED_MAX 65536

static void limit_failed(struct rec_call *c)
{
	bool partly = c->call.result == -EFAULT || c->call.result == -EINTR;

	if (c->call.result >= 0 || partly)
		return;
	vec_foreach (&c->regions, region)
		if (region->length > FAILED_MAX)
			region->length = FAILED_MAX;
}

/* Lengths of what was written; scratch is copied home, arguments are the program's again. */
static void close_memory(struct rec_task *t)
{
	struct rec_call *c = &t->call;
	struct sc_memory memory = {read_moved, t};
	int nr = c->call.nr;

	/* An interrupted restart keeps the number of the call it continues. */
	if (c->row)
		c->call.nr = c->row->nr;
	if (c->homes.count) {
		struct sc_regions real = {0};

		vec_append(&real, c->regions.items, c->regions.count);
		for (size_t i = 0; i < real.count; i++)
			real.items[i].addr = c->homes.items[i];
		sc_regions_end(c->row, &c->call, &memory, &real);
		for (size_t i = 0; i < real.count; i++)
			c->regions.items[i].length = real.items[i].length;
		vec_deinit(&real);
	} else if (c->row && !(c->flags & TRACE_F_FALLBACK)) {
		sc_regions_end(c->row, &c->call, &memory, &c->regions);
	}
	c->call.nr = nr;
	limit_failed(c);
}

static void restore_args(struct rec_task *t)
{
	for (int i = 0; i < SC_ARGS; i++)
		arch.set_call_arg(tracee_regs_mut(&t->tracee), i, arch.call_arg(&t->call.entry, i));
}

/* A call that handlers never restart (epoll_wait, semop, ...; signal(7)) ended with EINTR for
 * signals that the program ignores. The kernel queues those only because a tracer is told of them
 * (sig_ignored() in kernel/signal.c): natively the call would have slept on. One with a handler may
 * still arrive before the task goes on: then the call ends with EINTR after all. */
static bool interrupted_for_us(struct rec_task *t)
{
	const uint64_t ignored_by_default = SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) |
					    SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH);
	struct proc_signals set = {0};

	/* Not the end of sigreturn, whose result is that of the code it returns to. */
	if (t->call.call.result != -EINTR || !sc_can_repeat(t->call.call.nr) ||
	    !arch.in_call(tracee_regs(&t->tracee)) || !proc_read_signals(t->tracee.tid, &set))
		return false;
	uint64_t pending = (set.pending | set.shared_pending) & ~set.blocked;

	return pending && !(pending & ~(set.ignored | (ignored_by_default & ~set.caught)));
}

void rec_on_call_exit(struct rec_session *s, struct rec_task *t)
{
	struct rec_call *c = &t->call;

	if (t->unjudged && !reopen_judged(s, t))
		return;
	const struct rec_handler *handler = c->row ? rec_handler(c->row->handler) : NULL;

	if (!c->open) { /* the end of a call that was moved back: no event yet, nobody else's turn */
		rec_run_user(t, 0);
		return;
	}
	c->call.result = arch.call_result(tracee_regs(&t->tracee));
	if (interrupted_for_us(t)) {
		arch.set_call_result(tracee_regs_mut(&t->tracee), -ERESTARTNOHAND);
		c->call.result = -ERESTARTNOHAND;
	}
	c->call.ended = true;
	close_memory(t);
	if (c->homes.count)
		copy_home(t);
	if (c->homes.count || c->shortened)
		restore_args(t);
	add_inputs(s, t);
	if (c->flags & TRACE_F_FALLBACK)
		rec_fallback_after(s, t);
	else
		add_outputs(s, t);
	if (c->call.result <= 0)
		c->flags &= (uint16_t)~ECHO_FLAGS;
	if (c->row && (c->row->flags & SC_WRITES_FD) && c->row->fd_arg >= 0 && c->call.result > 0)
		rec_note_memory_file(s, t);
	if (handler && handler->exit)
		handler->exit(s, t);
	rec_commit(s, t, c->entered_event ? TRACE_EV_SYSCALL_EXIT : TRACE_EV_SYSCALL, c->flags,
		   (uint32_t)c->call.nr, c->call.result, &c->entry);
	if (c->row && (c->row->flags & SC_WRITES_FILE) && c->call.result >= 0)
		rec_note_file_changes(s, t);
	rec_agent_call_ended(s, t);
	rec_make_sites(s, t);
	c->open = false;
	t->restart_pending =
		rec_is_restart(c->call.result) && arch.in_call(tracee_regs(&t->tracee));
	t->restart_noted = false;
	if (!t->restart_pending)
		t->timed_since_ns = 0;
	if (c->row && (c->row->flags & SC_YIELDS) && !rec_alone(t))
		rec_queue(s, t, TODO_RESUME);
	else
		rec_continue(s, t);
}
