/* x86-64: what is needed to find a place again: which instructions can be replaced by a jump, the
 * stub that compares registers, breakpoint registers.
 *
 * The stub changes no flags (lea and jrcxz compare) and no memory but its scratch word. */
#include <Zydis/Zydis.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "abi/agent_abi.h"
#include "arch/x86_64/x86_64.h"

#define XSTATE_BV   512 /* the header's first word in an XSAVE area (SDM 1, 13.4.2) */
#define X87_IP	    8	/* where the last x87 instruction was: perhaps in a stub (SDM 1, 10.5.1) */
#define RESUME_FLAG (1ull << 16)

struct insn {
	ZydisDecodedInstruction z;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static bool decode(const uint8_t *bytes, size_t length, struct insn *insn)
{
	ZydisDecoder decoder;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	return ZYAN_SUCCESS(
		ZydisDecoderDecodeFull(&decoder, bytes, length, &insn->z, insn->operands));
}

static bool is_sync(const struct insn *insn)
{
	switch (insn->z.mnemonic) {
	case ZYDIS_MNEMONIC_SYSCALL:
	case ZYDIS_MNEMONIC_SYSENTER:
	case ZYDIS_MNEMONIC_INT:
	case ZYDIS_MNEMONIC_INT3:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_RDTSC:
	case ZYDIS_MNEMONIC_RDTSCP:
	case ZYDIS_MNEMONIC_CPUID:
		return true;
	default:
		return false;
	}
}

static bool is_repeated(const struct insn *insn)
{
	return insn->z.attributes &
	       (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
}

static bool shows_trap_flag(const struct insn *insn)
{
	switch (insn->z.mnemonic) {
	case ZYDIS_MNEMONIC_PUSHF:
	case ZYDIS_MNEMONIC_PUSHFQ:
	case ZYDIS_MNEMONIC_POPF:
	case ZYDIS_MNEMONIC_POPFQ:
		return true;
	default:
		return false;
	}
}

enum arch_step x86_64_classify(const uint8_t *bytes, size_t length, unsigned *insn_length)
{
	struct insn insn;

	if (!decode(bytes, length, &insn) || is_sync(&insn))
		return ARCH_STEP_SYNC; /* what cannot be decoded raises a signal */
	*insn_length = insn.z.length;
	return is_repeated(&insn) || shows_trap_flag(&insn) ? ARCH_STEP_WHOLE : ARCH_STEP_PLAIN;
}

/* Conditional and plain jumps with a distance: the copy gets a longer one. */
static bool is_branch(const struct insn *insn)
{
	return (insn->z.meta.category == ZYDIS_CATEGORY_COND_BR ||
		insn->z.mnemonic == ZYDIS_MNEMONIC_JMP) &&
	       insn->z.raw.imm[0].is_relative && insn->z.mnemonic != ZYDIS_MNEMONIC_XBEGIN &&
	       !(insn->z.opcode >= 0xe0 && insn->z.opcode <= 0xe3); /* loop, jrcxz */
}

/* loop and jrcxz: they have short distances only. */
static bool is_short_branch(const struct insn *insn)
{
	return insn->z.meta.category == ZYDIS_CATEGORY_COND_BR &&
	       insn->z.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && insn->z.opcode >= 0xe0 &&
	       insn->z.opcode <= 0xe3;
}

/* call rel32: the copy pushes the program's address, and jumps. */
static bool is_direct_call(const struct insn *insn)
{
	return insn->z.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && insn->z.opcode == 0xe8 &&
	       insn->z.length == ARCH_JUMP;
}

/* Can it be executed at another address with the same effect? */
static bool is_movable(const struct insn *insn)
{
	if (is_sync(insn) || is_repeated(insn))
		return false;
	switch (insn->z.meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
		return is_branch(insn) || is_short_branch(insn);
	case ZYDIS_CATEGORY_CALL:
		return is_direct_call(insn);
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSTEM:
	case ZYDIS_CATEGORY_INTERRUPT:
		return false;
	default:
		return insn->z.mnemonic != ZYDIS_MNEMONIC_XBEGIN;
	}
}

static unsigned window_from(const uint8_t *bytes, size_t length, unsigned covered)
{
	struct insn insn;

	while (covered < ARCH_JUMP) {
		if (!decode(bytes + covered, length - covered, &insn) || !is_movable(&insn))
			return 0;
		covered += insn.z.length;
		/* What follows a jump may be anything. */
		if (covered < ARCH_JUMP && insn.z.mnemonic == ZYDIS_MNEMONIC_JMP)
			return 0;
	}
	return covered;
}

unsigned x86_64_window(const uint8_t *bytes, size_t length)
{
	return window_from(bytes, length, 0);
}

#define CALL_SIZE 2
/* mov $NR, %eax, before it */
#define SET_SIZE 5

unsigned x86_64_call_window(const uint8_t *bytes, size_t length, unsigned *offset)
{
	*offset = length && bytes[0] == 0xb8 ? SET_SIZE : 0;
	if (length < *offset + CALL_SIZE || memcmp(bytes + *offset, x86_64_code_page, CALL_SIZE))
		return 0;
	return window_from(bytes, length, *offset + CALL_SIZE);
}

unsigned x86_64_window_starts(const uint8_t *window, unsigned length)
{
	unsigned starts = 0, at = 0;
	struct insn insn;

	while (at < ARCH_JUMP && decode(window + at, length - at, &insn)) {
		at += insn.z.length;
		if (at < ARCH_JUMP)
			starts |= 1u << at;
	}
	return starts;
}

void x86_64_make_jump(uint8_t *bytes, taddr from, taddr to, unsigned length)
{
	int32_t distance = (int32_t)(to - (from + ARCH_JUMP));

	memset(bytes, 0xcc, length);
	bytes[0] = 0xe9;
	memcpy(bytes + 1, &distance, sizeof(distance));
}

/* int3, and opcodes that 64-bit mode does not have (SDM 2, appendix A: "i64"). */
bool x86_64_traps_alone(uint8_t byte)
{
	static const uint8_t opcodes[] = {0xcc, 0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e,
					  0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61};

	return memchr(opcodes, byte, sizeof(opcodes));
}

void x86_64_clear_resume(struct regs *regs)
{
	regs->word[EFLAGS] &= ~RESUME_FLAG;
}

/* ---- the stub ---- */

struct code {
	uint8_t *bytes;
	size_t count, room;
};

static void emit(struct code *c, const void *bytes, size_t length)
{
	if (c->count + length <= c->room)
		memcpy(c->bytes + c->count, bytes, length);
	c->count += length;
}

/* mov [scratch], rcx or mov rcx, [scratch]: an absolute 32-bit address. */
static void emit_scratch(struct code *c, uint8_t opcode, taddr scratch)
{
	const uint8_t head[] = {0x48, opcode, 0x0c, 0x25};
	uint32_t address = (uint32_t)scratch;

	emit(c, head, sizeof(head));
	emit(c, &address, sizeof(address));
}

/* The number that encodes a register in instructions; -1 for words that are none. */
static int encoding(int word)
{
	static const int8_t numbers[TRACE_REGS] = {
		[R15] = 15,    [R14] = 14, [R13] = 13, [R12] = 12,	[RBP] = 5,	[RBX] = 3,
		[R11] = 11,    [R10] = 10, [R9] = 9,   [R8] = 8,	[RAX] = 0,	[RCX] = 1,
		[RDX] = 2,     [RSI] = 6,  [RDI] = 7,  [ORIG_RAX] = -1, [RIP] = -1,	[CS] = -1,
		[EFLAGS] = -1, [RSP] = 4,  [SS] = -1,  [FS_BASE] = -1,	[GS_BASE] = -1, [DS] = -1,
		[ES] = -1,     [FS] = -1,  [GS] = -1,
	};

	return numbers[word];
}

/* movabs rcx, -value; lea rcx, [REG + rcx]; jrcxz over a jump to `away`. */
static void emit_compare(struct code *c, int reg, uint64_t value, size_t *jump_away)
{
	uint64_t negative = -value;
	const uint8_t lea[] = {reg >= 8 ? 0x49 : 0x48, 0x8d, 0x4c, (uint8_t)(0x08 | (reg & 7)),
			       0x00};
	const uint8_t over[] = {0xe3, 0x05, 0xe9, 0, 0, 0, 0}; /* jrcxz; jmp rel32 */

	emit(c, (const uint8_t[]){0x48, 0xb9}, 2);
	emit(c, &negative, sizeof(negative));
	emit(c, lea, sizeof(lea));
	*jump_away = c->count + 3;
	emit(c, over, sizeof(over));
}

/* The same for a word of memory; rdx helps and is saved in the word behind scratch. rcx itself is
 * compared this way: its value is in scratch. */
static void emit_compare_word(struct code *c, taddr scratch, taddr addr, uint64_t value,
			      size_t *jump_away)
{
	uint64_t negative = -value;
	uint32_t behind = (uint32_t)scratch + 8;

	emit(c, (const uint8_t[]){0x48, 0x89, 0x14, 0x25}, 4); /* mov [behind], rdx */
	emit(c, &behind, sizeof(behind));
	emit(c, (const uint8_t[]){0x48, 0xba}, 2); /* movabs rdx, addr */
	emit(c, &addr, sizeof(addr));
	emit(c, (const uint8_t[]){0x48, 0x8b, 0x12}, 3); /* mov rdx, [rdx] */
	emit(c, (const uint8_t[]){0x48, 0xb9}, 2);	 /* movabs rcx, -value */
	emit(c, &negative, sizeof(negative));
	emit(c, (const uint8_t[]){0x48, 0x8d, 0x0c, 0x0a}, 4); /* lea rcx, [rdx + rcx] */
	emit(c, (const uint8_t[]){0x48, 0x8b, 0x14, 0x25}, 4); /* mov rdx, [behind] */
	emit(c, &behind, sizeof(behind));
	*jump_away = c->count + 3;
	emit(c, (const uint8_t[]){0xe3, 0x05, 0xe9, 0, 0, 0, 0}, 7);
}

static void emit_jump(struct code *c, taddr at, taddr to)
{
	uint8_t jump[ARCH_JUMP];

	x86_64_make_jump(jump, at + c->count, to, ARCH_JUMP);
	emit(c, jump, ARCH_JUMP);
}

/* A distance from the end of what was emitted; false if it is too far. */
static bool patch_distance(struct code *c, size_t at, taddr from, taddr to)
{
	int64_t distance = (int64_t)(to - from);
	int32_t narrow = (int32_t)distance;

	if (c->count <= c->room)
		memcpy(c->bytes + at, &narrow, sizeof(narrow));
	return distance == narrow;
}

/* A jump with its opcode, to an address of the program. */
static bool emit_jump_to(struct code *c, const struct arch_stub *stub, const void *opcode,
			 size_t length, taddr to)
{
	emit(c, opcode, length);
	emit(c, (const uint8_t[4]){0}, 4);
	return patch_distance(c, c->count - 4, stub->at + c->count, to);
}

static void emit_push(struct code *c, uint64_t value)
{
	uint32_t low = (uint32_t)value, high = (uint32_t)(value >> 32);

	/* push low, whose sign goes into the upper half; mov dword [rsp + 4], high */
	emit(c, (const uint8_t[]){0x68}, 1);
	emit(c, &low, sizeof(low));
	emit(c, (const uint8_t[]){0xc7, 0x44, 0x24, 0x04}, 4);
	emit(c, &high, sizeof(high));
}

/* The same instruction at another place: distances change, all else does not. */
static bool emit_copy(struct code *c, const struct arch_stub *stub, unsigned offset,
		      const struct insn *insn)
{
	static const uint8_t jump[] = {0xe9}, over[] = {0x02, 0xeb, 0x05, 0xe9};
	taddr next = stub->pc + offset + insn->z.length;
	taddr to = next + (taddr)insn->z.raw.imm[0].value.s; /* of those that jump */
	size_t begin = c->count;

	if (is_branch(insn) && insn->z.mnemonic != ZYDIS_MNEMONIC_JMP) {
		const uint8_t conditional[] = {0x0f, 0x80 | (insn->z.opcode & 15)};

		return emit_jump_to(c, stub, conditional, sizeof(conditional), to);
	}
	if (is_branch(insn))
		return emit_jump_to(c, stub, jump, sizeof(jump), to);
	if (is_short_branch(insn)) {
		/* the same over a short jump to what follows, to a long one */
		emit(c, stub->window + offset, insn->z.length - 1u);
		return emit_jump_to(c, stub, over, sizeof(over), to);
	}
	if (is_direct_call(insn)) {
		emit_push(c, next);
		return emit_jump_to(c, stub, jump, sizeof(jump), to);
	}
	emit(c, stub->window + offset, insn->z.length);
	if (!(insn->z.attributes & ZYDIS_ATTRIB_IS_RELATIVE))
		return true;
	/* rip-relative memory */
	return patch_distance(c, begin + insn->z.raw.disp.offset, stub->at + c->count,
			      next + (taddr)insn->z.raw.disp.value);
}

static bool emit_window(struct code *c, struct arch_stub *stub)
{
	struct insn insn;

	memset(stub->copies, 0, sizeof(stub->copies));
	for (unsigned at = 0; at < stub->length; at += insn.z.length) {
		stub->copies[at] = stub->at + c->count;
		if (!decode(stub->window + at, stub->length - at, &insn) ||
		    !emit_copy(c, stub, at, &insn))
			return false;
	}
	emit_jump(c, stub->at, stub->pc + stub->length);
	return true;
}

/* The same for code that overlaps: an instruction that begins inside another one, and from there on
 * as the program would. Where that cannot be copied, who jumps there gets a trap of ours. */
static void emit_overlapping(struct code *c, struct arch_stub *stub)
{
	struct insn insn;

	for (unsigned at = stub->length - 1; at > 0; at--) {
		taddr copy = stub->at + c->count;

		if (stub->copies[at] || at >= stub->known ||
		    !decode(stub->window + at, stub->known - at, &insn) || !is_movable(&insn) ||
		    !emit_copy(c, stub, at, &insn))
			continue;
		unsigned next = at + insn.z.length;
		bool inside = next < stub->length && stub->copies[next];

		emit_jump(c, stub->at, inside ? stub->copies[next] : stub->pc + next);
		stub->copies[at] = copy;
	}
}

size_t x86_64_compare_stub(struct arch_stub *stub, const struct regs *values, uint8_t *code,
			   size_t room)
{
	struct code c = {.bytes = code, .room = room};
	size_t away[TRACE_REGS + ARCH_STUB_WORDS], compared = 0;

	emit_scratch(&c, 0x89, stub->scratch);
	emit_scratch(&c, 0x8b, stub->counter);
	emit(&c, (const uint8_t[]){0x48, 0x8d, 0x49, 0x01}, 4); /* lea rcx, [rcx + 1] */
	emit_scratch(&c, 0x89, stub->counter);
	for (int i = 0; i < TRACE_REGS; i++) {
		int word = stub->order[i], reg = encoding(word);

		if (word == RCX)
			emit_compare_word(&c, stub->scratch, stub->scratch, values->word[word],
					  &away[compared++]);
		else if (reg >= 0)
			emit_compare(&c, reg, values->word[word], &away[compared++]);
	}
	for (unsigned i = 0; i < stub->word_count; i++)
		emit_compare_word(&c, stub->scratch, stub->words[i].addr, stub->words[i].value,
				  &away[compared++]);
	emit_scratch(&c, 0x8b, stub->scratch);
	emit(&c, (const uint8_t[]){0xcc}, 1);
	stub->trapped = stub->at + c.count;
	/* Both ways meet here: the program's instructions, and on behind them. */
	size_t meet = c.count;

	if (!emit_window(&c, stub))
		return 0;
	size_t restore = c.count;

	emit_scratch(&c, 0x8b, stub->scratch);
	emit_jump(&c, stub->at, stub->at + meet);
	emit_overlapping(&c, stub);
	if (c.count > room)
		return 0;
	for (size_t i = 0; i < compared; i++)
		patch_distance(&c, away[i], away[i] + 4, restore);
	return c.count;
}

/* ---- counting ---- */

/* What dec changes (SDM 2A, DEC): all arithmetic flags but CF. */
#define DEAD_FLAGS                                                                   \
	(ZYDIS_CPUFLAG_OF | ZYDIS_CPUFLAG_SF | ZYDIS_CPUFLAG_ZF | ZYDIS_CPUFLAG_AF | \
	 ZYDIS_CPUFLAG_PF)

static bool ends_block(const struct insn *insn)
{
	switch (insn->z.meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSTEM:
	case ZYDIS_CATEGORY_INTERRUPT:
		return true;
	default:
		return is_sync(insn) || shows_trap_flag(insn);
	}
}

/* A shift by cl may leave the flags alone: what it "modifies" is not overwritten for certain. */
static bool may_keep_flags(const struct insn *insn)
{
	switch (insn->z.meta.category) {
	case ZYDIS_CATEGORY_SHIFT:
	case ZYDIS_CATEGORY_ROTATE:
		return true;
	default:
		return is_repeated(insn);
	}
}

unsigned x86_64_flags_dead(const uint8_t *bytes, size_t length)
{
	ZydisAccessedFlagsMask written = 0;
	struct insn insn;

	for (unsigned at = 0; at < length && decode(bytes + at, length - at, &insn);
	     at += insn.z.length) {
		const ZydisAccessedFlags *flags = insn.z.cpu_flags;

		if (ends_block(&insn))
			return 0;
		if (!flags)
			continue;
		if (flags->tested & DEAD_FLAGS & ~written)
			return 0;
		if (may_keep_flags(&insn))
			continue;
		written |= flags->modified | flags->set_0 | flags->set_1;
		/* "Undefined" after and, or, xor, test (SDM 2A); every processor clears it. */
		if (insn.z.meta.category == ZYDIS_CATEGORY_LOGICAL)
			written |= flags->undefined & ZYDIS_CPUFLAG_AF;
		if ((written & DEAD_FLAGS) == DEAD_FLAGS)
			return at + insn.z.length;
		if (written & DEAD_FLAGS)
			return 0; /* some mean something from here on, and some do not yet */
	}
	return 0;
}

void x86_64_clear_dead_flags(struct regs *regs)
{
	regs->word[EFLAGS] &= ~(uint64_t)DEAD_FLAGS;
}

/* lea counts where flags matter: the counter goes through rcx, which is spilled to scratch. */
static void emit_count_with_lea(struct code *c, struct arch_stub *stub)
{
	emit_scratch(c, 0x89, stub->scratch);
	emit_scratch(c, 0x8b, stub->counter);
	emit(c, (const uint8_t[]){0x48, 0x8d, 0x49, 0xff}, 4); /* lea rcx, [rcx - 1] */
	emit_scratch(c, 0x89, stub->counter);
	stub->counted = stub->at + c->count;
	/* jrcxz to the trap, which restores rcx itself */
	emit(c, (const uint8_t[]){0xe3, 0x02, 0xeb, 0x0b}, 4);
	emit_scratch(c, 0x8b, stub->scratch);
	emit(c, (const uint8_t[]){0xcc, 0xeb, 0x08}, 3);
	emit_scratch(c, 0x8b, stub->scratch);
}

static void emit_count_with_dec(struct code *c, struct arch_stub *stub)
{
	uint32_t counter = (uint32_t)stub->counter;

	emit(c, (const uint8_t[]){0x48, 0xff, 0x0c, 0x25}, 4); /* dec qword [counter] */
	emit(c, &counter, sizeof(counter));
	stub->counted = stub->at + c->count;
	emit(c, (const uint8_t[]){0x75, 0x01, 0xcc}, 3); /* jnz over int3 */
}

size_t x86_64_count_stub(struct arch_stub *stub, uint8_t *code, size_t room)
{
	struct code c = {.bytes = code, .room = room};

	if (stub->flags_dead) {
		emit_count_with_dec(&c, stub);
		stub->trapped = stub->at + c.count;
	} else {
		emit_count_with_lea(&c, stub);
		stub->trapped = stub->at + c.count - 10; /* behind the trap: jmp, mov */
	}
	if (!emit_window(&c, stub))
		return 0;
	emit_overlapping(&c, stub);
	return c.count > room ? 0 : c.count;
}

/* ---- calls ---- */

/* Words of struct agent_state. */
#define AGENT_ENTERS AGENT_DATA
#define AGENT_SP     (AGENT_DATA + 8)

/* The agent finds where the program goes on 28 bytes before where its own call returns to. */
static void emit_enter(struct code *c, taddr next)
{
	uint32_t sp = (uint32_t)AGENT_SP, top = (uint32_t)AGENT_STACK_TOP,
		 enters = (uint32_t)AGENT_ENTERS;

	emit(c, (const uint8_t[]){0xeb, 0x08}, 2); /* jmp over */
	emit(c, &next, sizeof(next));
	emit(c, (const uint8_t[]){0x48, 0x89, 0x24, 0x25}, 4); /* mov [sp], rsp */
	emit(c, &sp, sizeof(sp));
	emit(c, (const uint8_t[]){0xbc}, 1); /* mov esp, top */
	emit(c, &top, sizeof(top));
	emit(c, (const uint8_t[]){0xff, 0x14, 0x25}, 3); /* call [enters] */
	emit(c, &enters, sizeof(enters));
}

size_t x86_64_call_stub(struct arch_stub *stub, uint8_t *code, size_t room)
{
	struct code c = {.bytes = code, .room = room};
	unsigned call;
	struct insn insn;

	if (!x86_64_call_window(stub->window, stub->length, &call))
		return 0;
	for (unsigned at = 0; at < stub->length; at += insn.z.length) {
		stub->copies[at] = stub->at + c.count;
		if (at == call) {
			emit_enter(&c, stub->pc + call + CALL_SIZE);
			stub->declined = stub->at + c.count;
		}
		if (!decode(stub->window + at, stub->length - at, &insn) ||
		    !emit_copy(&c, stub, at, &insn))
			return 0;
	}
	emit_jump(&c, stub->at, stub->pc + stub->length);
	emit_overlapping(&c, stub);
	return c.count > room ? 0 : c.count;
}

/* syscall puts the address behind it into rcx. */
void x86_64_leave_call_copy(struct regs *regs, taddr next)
{
	if (regs->word[RCX] == regs->word[RIP])
		regs->word[RCX] = next;
	regs->word[RIP] = next;
}

#define ENTRY_RESULT (-38) /* what rax is at a call's entry: ENOSYS */

/* The agent's frame and what it adds. */
static const uint8_t agent_order[] = {R15, R14, R13, R12, RBP, RBX, R11,    R10, R9,
				      R8,  RAX, RCX, RDX, RSI, RDI, EFLAGS, RSP, RIP};
#define AGENT_FS_BASE 18
#define AGENT_GS_BASE 19

void x86_64_agent_regs(struct regs *regs, int nr, const uint64_t *record, bool bases)
{
	for (unsigned i = 0; i < sizeof(agent_order); i++)
		regs->word[agent_order[i]] = record[i];
	regs->word[R11] = regs->word[EFLAGS];
	regs->word[RCX] = regs->word[RIP];
	if (bases) {
		regs->word[FS_BASE] = record[AGENT_FS_BASE];
		regs->word[GS_BASE] = record[AGENT_GS_BASE];
	}
	regs->word[RAX] = (uint64_t)ENTRY_RESULT;
	regs->word[ORIG_RAX] = (uint64_t)nr;
}

#define HWCAP2_FSGSBASE 2 /* asm/hwcap2.h */

bool x86_64_bases_are_readable(void)
{
	return getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE;
}

void x86_64_agent_record_regs(const struct regs *regs, uint64_t *record)
{
	for (unsigned i = 0; i < sizeof(agent_order); i++)
		record[i] = regs->word[agent_order[i]];
	record[AGENT_FS_BASE] = regs->word[FS_BASE];
	record[AGENT_GS_BASE] = regs->word[GS_BASE];
}

void x86_64_restart_stub(struct regs *regs, taddr at, uint64_t spilled)
{
	if (regs->word[RIP] != at)
		regs->word[RCX] = spilled;
	regs->word[RIP] = at;
}

bool x86_64_branch(const uint8_t *bytes, size_t length, taddr pc, unsigned *insn_length,
		   taddr *target)
{
	struct insn insn;

	*target = 0;
	if (!decode(bytes, length, &insn))
		return false;
	*insn_length = insn.z.length;
	if (is_branch(&insn))
		*target = pc + insn.z.length + (taddr)insn.z.raw.imm[0].value.s;
	return true;
}

bool x86_64_falls_through(const uint8_t *bytes, size_t length)
{
	struct insn insn;

	return decode(bytes, length, &insn) && insn.z.meta.category != ZYDIS_CATEGORY_RET &&
	       insn.z.meta.category != ZYDIS_CATEGORY_UNCOND_BR &&
	       insn.z.meta.category != ZYDIS_CATEGORY_INTERRUPT &&
	       insn.z.mnemonic != ZYDIS_MNEMONIC_UD2 && insn.z.mnemonic != ZYDIS_MNEMONIC_HLT;
}

bool x86_64_behind_call(const uint8_t *bytes, size_t length)
{
	struct insn insn;

	/* call rel32; call through a register or memory is 2 to 8 bytes long */
	for (unsigned size = 2; size <= 8 && size <= length; size++) {
		if (decode(bytes + length - size, size, &insn) && insn.z.length == size &&
		    insn.z.mnemonic == ZYDIS_MNEMONIC_CALL)
			return true;
	}
	return false;
}

/* ---- breakpoint registers ---- */

#define DEBUG_REGISTER(n) (void *)(offsetof(struct user, u_debugreg) + 8 * (n))

/* DR7: local enable of DRn at bit 2n; from bit 16 on four bits each, kind and length (SDM 3B,
 * 17.2.4). */
static bool debug_control(enum arch_debug kind, unsigned length, unsigned slot, uint64_t *bits)
{
	static const uint8_t kinds[] = {
		[ARCH_DEBUG_EXECUTE] = 0, [ARCH_DEBUG_WRITE] = 1, [ARCH_DEBUG_ACCESS] = 3};
	static const uint8_t lengths[9] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
	unsigned size = kind == ARCH_DEBUG_EXECUTE ? 1 : length;

	if (size == 0 || size > 8 || (size & (size - 1)))
		return false;
	*bits = 1ull << 2 * slot | (uint64_t)(kinds[kind] | lengths[size] << 2) << (16 + 4 * slot);
	return true;
}

bool x86_64_set_debug(pid_t tid, unsigned slot, enum arch_debug kind, taddr at, unsigned length)
{
	uint64_t mask = 3ull << 2 * slot | 15ull << (16 + 4 * slot), bits = 0;

	errno = 0;
	uint64_t control = (uint64_t)ptrace(PTRACE_PEEKUSER, tid, DEBUG_REGISTER(7), 0) & ~mask;

	if (errno || (kind != ARCH_DEBUG_OFF && !debug_control(kind, length, slot, &bits)))
		return false;
	return ptrace(PTRACE_POKEUSER, tid, DEBUG_REGISTER(7), control) == 0 &&
	       ptrace(PTRACE_POKEUSER, tid, DEBUG_REGISTER(slot), at) == 0 &&
	       ptrace(PTRACE_POKEUSER, tid, DEBUG_REGISTER(7), control | bits) == 0;
}

/* DR7 would not tell whether there is one: a new thread has the kernel's copy of its parent's, but
 * no breakpoints (Linux 6.18; copy_thread() in arch/x86/kernel/process.c leaves ptrace_dr7). */
bool x86_64_move_debug(pid_t tid, unsigned slot, taddr at)
{
	return ptrace(PTRACE_POKEUSER, tid, DEBUG_REGISTER(slot), at) == 0;
}

bool x86_64_debug_hit_only(pid_t tid, unsigned slot)
{
	errno = 0;
	uint64_t status = (uint64_t)ptrace(PTRACE_PEEKUSER, tid, DEBUG_REGISTER(6), 0);

	return !errno && (status & 15) == 1ull << slot;
}

unsigned x86_64_debug_hits(pid_t tid)
{
	errno = 0;
	uint64_t status = (uint64_t)ptrace(PTRACE_PEEKUSER, tid, DEBUG_REGISTER(6), 0);

	if (errno)
		return 0;
	ptrace(PTRACE_POKEUSER, tid, DEBUG_REGISTER(6), 0);
	return status & 15;
}

void x86_64_xstate_normalise(uint8_t *state, size_t length)
{
	if (length < XSTATE_BV + 8)
		return;
	memset(state + XSTATE_BV, 0, 8);
	memset(state + X87_IP, 0, 8);
}
