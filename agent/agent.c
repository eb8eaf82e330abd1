/* The agent: makes system calls of a recorded program inside it, without a stop, and writes down
 * what they did.
 *
 * It runs on a stack of its own, one thread of an address space at a time: nobody else has the turn
 * before it is done. Memory of the program is read only where the kernel has just read or written
 * it: there it is mapped. What is recorded here is what the recorder would have recorded at a
 * stop. */
#include "abi/agent_abi.h"

#define STATE ((struct agent_state *)AGENT_DATA)

/* As entry.S pushes them; the order of struct user_regs_struct. */
struct frame {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t flags;
	uint64_t back; /* in the site's stub: its own system call instruction */
};

/* Before `back`, in the stub: where the program goes on behind the call; see call_stub(). */
#define PC_BEFORE_BACK 28
/* Bytes of the system call instruction. */
#define CALL_SIZE 2

#define ENOSYS 38
#define ENOENT 2
#define FIRST_RESTART \
	512 /* ERESTARTSYS to ERESTART_RESTARTBLOCK: the kernel would make the call again */
#define LAST_RESTART 516

/* Strings are paths: the kernel takes no longer ones. */
#define STRING_MAX 4096

void agent_call(struct frame *f);

static int64_t make_call(const struct frame *f)
{
	register uint64_t r10 __asm__("r10") = f->r10;
	register uint64_t r8 __asm__("r8") = f->r8;
	register uint64_t r9 __asm__("r9") = f->r9;
	int64_t result;

	__asm__ volatile("call agent_syscall"
			 : "=a"(result)
			 : "a"(f->rax), "D"(f->rdi), "S"(f->rsi), "d"(f->rdx), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static void copy(void *to, const void *from, uint64_t length)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
}

static uint64_t padded(uint64_t length)
{
	return (length + 7) & ~7ull;
}

/* 0: the call has written over it, and what follows it may not be mapped. */
static uint64_t string_length(const char *s, uint64_t out, uint64_t out_length)
{
	uint64_t length = 0;

	for (; length < STRING_MAX; length++) {
		if ((uint64_t)s + length - out < out_length)
			return 0;
		if (!s[length])
			return length + 1;
	}
	return length;
}

static int has_bit(const uint64_t *bits, uint64_t fd)
{
	return fd < AGENT_FDS && bits[fd / 64] >> fd % 64 & 1;
}

static uint64_t argument(const struct frame *f, unsigned index)
{
	switch (index) {
	case 0:
		return f->rdi;
	case 1:
		return f->rsi;
	case 2:
		return f->rdx;
	case 3:
		return f->r10;
	case 4:
		return f->r8;
	default:
		return f->r9;
	}
}

static int may_make(const struct agent_row *row, const struct frame *f)
{
	if ((row->flags & AGENT_ROW_REGULAR) && !has_bit(STATE->regular, f->rdi))
		return 0;
	return !(row->flags & AGENT_ROW_PLAIN) || has_bit(STATE->plain, f->rdi);
}

/* Bytes that the piece can have; more than the buffer holds: too many. */
static uint64_t capacity(const struct agent_piece *piece, const struct frame *f)
{
	uint64_t count;

	if (piece->kind == AGENT_PIECE_STRING)
		return STRING_MAX;
	if (piece->kind == AGENT_PIECE_CONST)
		return piece->size;
	count = argument(f, piece->count);
	return count < AGENT_BUFFER_SIZE ? count * piece->size : AGENT_BUFFER_SIZE;
}

/* Is there room for whatever the call can do? */
static int is_room(const struct agent_row *row, const struct frame *f)
{
	uint64_t need = sizeof(struct agent_record);

	for (unsigned i = 0; i < AGENT_PIECES && row->pieces[i].kind; i++)
		need += sizeof(struct agent_bytes) + padded(capacity(&row->pieces[i], f));
	return need <= AGENT_BUFFER_SIZE - STATE->used;
}

/* What the kernel has read or written there, now that the call has succeeded. */
static uint64_t length_of(const struct agent_piece *piece, const struct frame *f, int64_t result)
{
	if (!argument(f, piece->arg))
		return 0;
	switch (piece->kind) {
	case AGENT_PIECE_CONST:
		return piece->size;
	case AGENT_PIECE_RETURNED: /* some return what there is, not what they wrote */
		return (uint64_t)result < argument(f, piece->count) ? (uint64_t)result * piece->size
								    : capacity(piece, f);
	default:
		/* A write takes as much as it says. */
		return piece->in && (uint64_t)result < argument(f, piece->count)
			       ? (uint64_t)result * piece->size
			       : capacity(piece, f);
	}
}

/* A path, after the call: before that it may be anything. Of a call that has failed there is only
 * its first one, where that does not exist: it has been read for certain. */
static uint64_t path_length(const struct agent_row *row, unsigned piece, const struct frame *f,
			    int64_t result)
{
	uint64_t addr = argument(f, row->pieces[piece].arg), out = 0, out_length = 0;

	if (!addr || (result < 0 && (piece || result != -ENOENT)))
		return 0;
	for (unsigned i = 0; result >= 0 && i < AGENT_PIECES && row->pieces[i].kind; i++)
		if (!row->pieces[i].in) {
			out = argument(f, row->pieces[i].arg);
			out_length = length_of(&row->pieces[i], f, result);
		}
	return string_length((const char *)addr, out, out_length);
}

static uint64_t kept_length(const struct agent_row *row, unsigned piece, const struct frame *f,
			    int64_t result)
{
	if (row->pieces[piece].kind == AGENT_PIECE_STRING)
		return path_length(row, piece, f, result);
	return result < 0 ? 0 : length_of(&row->pieces[piece], f, result);
}

static void keep_bases(uint64_t *fs, uint64_t *gs)
{
	if (!STATE->bases)
		return;
	__asm__ volatile("rdfsbase %0" : "=r"(*fs));
	__asm__ volatile("rdgsbase %0" : "=r"(*gs));
}

static void keep_registers(struct agent_record *record, const struct frame *f)
{
	copy(record->regs, f, 16 * sizeof(uint64_t)); /* r15 to flags */
	record->regs[16] = STATE->sp;
	record->regs[17] = *(const uint64_t *)(f->back - PC_BEFORE_BACK);
	record->regs[AGENT_BASES] = record->regs[AGENT_BASES + 1] = 0;
	keep_bases(&record->regs[AGENT_BASES], &record->regs[AGENT_BASES + 1]);
}

static void keep_pieces(struct agent_record *record, const struct agent_row *row,
			const struct frame *f)
{
	char *at = (char *)(record + 1);

	for (unsigned i = 0; i < AGENT_PIECES && row->pieces[i].kind; i++) {
		struct agent_bytes *bytes = (struct agent_bytes *)at;
		uint64_t length = kept_length(row, i, f, record->result);

		if (!length)
			continue;
		bytes->addr = argument(f, row->pieces[i].arg);
		bytes->length = (uint32_t)length;
		bytes->in = row->pieces[i].in;
		*(uint64_t *)(at + sizeof(*bytes) + padded(length) - 8) = 0;
		copy(bytes + 1, (const void *)bytes->addr, length);
		at += sizeof(*bytes) + padded(length);
		record->pieces++;
	}
	record->size = (uint32_t)(at - (char *)record);
}

static void end_call(struct frame *f, int64_t result)
{
	f->rcx = *(const uint64_t *)(f->back - PC_BEFORE_BACK);
	f->r11 = f->flags;
	f->rax = (uint64_t)result;
	STATE->resume = f->back + CALL_SIZE;
	if (STATE->trap) {
		STATE->after = STATE->resume;
		STATE->resume = AGENT_TRAP;
	}
}

/* ---- replaying ---- */

/* Those that a call's instruction puts something else into. */
#define IS_CHANGED(i) ((i) == 6 || (i) == 10 || (i) == 11) /* r11, rax, rcx */

static int same_registers(const struct agent_record *record, const struct frame *f)
{
	struct agent_record now;

	keep_registers(&now, f);
	for (unsigned i = 0; i < (STATE->bases ? AGENT_REGS : AGENT_BASES); i++)
		if (now.regs[i] != record->regs[i] && !IS_CHANGED(i))
			return 0;
	return record->nr == f->rax;
}

static int same_bytes(const char *a, const char *b, uint64_t length)
{
	while (length && *a == *b)
		a++, b++, length--;
	return !length;
}

/* What it read must be there; what it wrote is written. */
static int do_pieces(const struct agent_record *record, int write)
{
	const char *at = (const char *)(record + 1);

	for (unsigned i = 0; i < record->pieces; i++) {
		const struct agent_bytes *piece = (const struct agent_bytes *)at;
		char *memory = (char *)piece->addr;

		if (write && !piece->in)
			copy(memory, piece + 1, piece->length);
		if (!write && piece->in &&
		    !same_bytes(memory, (const char *)(piece + 1), piece->length))
			return 0;
		at += sizeof(*piece) + padded(piece->length);
	}
	return 1;
}

/* The next record is what this call did, or the call is declined, and the replayer sees to it. */
static void replay_call(struct frame *f)
{
	const struct agent_record *record =
		(const struct agent_record *)(AGENT_BUFFER + STATE->used);

	if (STATE->used >= STATE->fed || !same_registers(record, f) || !do_pieces(record, 0))
		return;
	do_pieces(record, 1);
	STATE->used += record->size;
	STATE->trap = STATE->used >= STATE->fed;
	end_call(f, record->result);
}

/* Where the site goes on is its own system call instruction if nothing was done here. */
void agent_call(struct frame *f)
{
	struct agent_record *record = (struct agent_record *)(AGENT_BUFFER + STATE->used);
	const struct agent_row *row;

	STATE->resume = f->back;
	if (STATE->fed) {
		replay_call(f);
		return;
	}
	if (STATE->off || f->rax >= AGENT_CALLS)
		return;
	row = &STATE->rows[f->rax];
	if (!row->flags || !may_make(row, f) || !is_room(row, f))
		return;
	int64_t result = make_call(f);

	if (result <= -FIRST_RESTART && result >= -LAST_RESTART)
		return;
	record->nr = (uint16_t)f->rax;
	record->pieces = 0;
	record->result = result;
	keep_registers(record, f);
	keep_pieces(record, row, f);
	STATE->used += record->size;
	end_call(f, result);
}
