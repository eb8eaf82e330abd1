/* x86-64: registers of all flavors, by name.
 *
 * General registers come in the 64-bit form whatever code the thread runs: PTRACE_GETREGS answers
 * with the tracer's form (arch/x86/kernel/ptrace.c, arch_ptrace), where PTRACE_GETREGSET answers
 * with the tracee's. The rest is the XSAVE area in the standard format, which is what the kernel
 * hands out (copy_xstate_to_uabi_buf); parts behind the legacy area lie where cpuid leaf 0xd says
 * (SDM 1, 13.4).
 *
 * Invariant: no byte of a vector state is touched beyond its count. */
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "arch/x86_64/x86_64.h"

/* Larger than any processor's state today (11 KB with AMX). */
#define XSTATE_ROOM 16384
#define XSTATE_FEATURES \
	464 /* where the kernel puts the mask of the parts there are (ptrace(2), sw_reserved) */
#define XSTATE_HEADER 512
#define XSTATE_LEGACY 576

enum xfeature {
	X_X87,
	X_SSE,
	X_AVX,
	X_OPMASK = 5,
	X_ZMM_HIGH,
	X_HIGH_ZMM
};

struct word_name {
	const char *name;
	uint8_t word, bits;
};

static const struct word_name wide_names[] = {
	{"rax", RAX, 64},	  {"rbx", RBX, 64},	    {"rcx", RCX, 64},
	{"rdx", RDX, 64},	  {"rsi", RSI, 64},	    {"rdi", RDI, 64},
	{"rbp", RBP, 64},	  {"rsp", RSP, 64},	    {"r8", R8, 64},
	{"r9", R9, 64},		  {"r10", R10, 64},	    {"r11", R11, 64},
	{"r12", R12, 64},	  {"r13", R13, 64},	    {"r14", R14, 64},
	{"r15", R15, 64},	  {"rip", RIP, 64},	    {"eflags", EFLAGS, 32},
	{"cs", CS, 16},		  {"ss", SS, 16},	    {"ds", DS, 16},
	{"es", ES, 16},		  {"fs", FS, 16},	    {"gs", GS, 16},
	{"fs_base", FS_BASE, 64}, {"gs_base", GS_BASE, 64}, {"orig_rax", ORIG_RAX, 64},
};

static const struct word_name narrow_names[] = {
	{"eax", RAX, 32},
	{"ecx", RCX, 32},
	{"edx", RDX, 32},
	{"ebx", RBX, 32},
	{"esp", RSP, 32},
	{"ebp", RBP, 32},
	{"esi", RSI, 32},
	{"edi", RDI, 32},
	{"eip", RIP, 32},
	{"eflags", EFLAGS, 32},
	{"cs", CS, 16},
	{"ss", SS, 16},
	{"ds", DS, 16},
	{"es", ES, 16},
	{"fs", FS, 16},
	{"gs", GS, 16},
	{"orig_eax", ORIG_RAX, 32},
};

/* Registers of the legacy area with a place of their own. */
static const struct control {
	const char *name;
	uint8_t offset, bits, feature;
} controls[] = {
	[X86_64_FCTRL] = {"fctrl", 0, 16, X_X87},  [X86_64_FSTAT] = {"fstat", 2, 16, X_X87},
	[X86_64_FTAG] = {"ftag", 4, 8, X_X87},	   [X86_64_FOP] = {"fop", 6, 16, X_X87},
	[X86_64_FIP] = {"fip", 8, 64, X_X87},	   [X86_64_FDP] = {"fdp", 16, 64, X_X87},
	[X86_64_MXCSR] = {"mxcsr", 24, 32, X_SSE},
};

#define COUNT(array)	   (sizeof(array) / sizeof(*(array)))
#define FLAVOR(flavors, f) ((flavors) >> (f)&1)

/* ---- the vector state ---- */

/* A stretch of the state that holds some bytes of a register. */
struct piece {
	uint32_t offset, length, feature;
};

void x86_64_layout(struct arch_layout *layout)
{
	memset(layout, 0, sizeof(*layout));
	layout->size[X_X87] = layout->size[X_SSE] = XSTATE_LEGACY;
	for (unsigned i = 2; i < ARCH_XFEATURES; i++) {
		unsigned a = 0, b = 0, c = 0, d = 0;

		__cpuid_count(0xd, i, a, b, c, d);
		layout->size[i] = a;
		layout->offset[i] = b;
	}
}

static uint64_t load64(const struct arch_state *state, size_t offset)
{
	uint64_t value = 0;

	if (offset + 8 <= state->vector.count)
		memcpy(&value, state->vector.items + offset, 8);
	return value;
}

static bool has(const struct arch_state *state, enum xfeature feature)
{
	const struct arch_layout *layout = state->layout;

	return layout->size[feature] && load64(state, XSTATE_FEATURES) >> feature & 1 &&
	       (uint64_t)layout->offset[feature] + layout->size[feature] <= state->vector.count;
}

static unsigned vector_pieces(const struct arch_layout *layout, const struct arch_reg *reg,
			      struct piece pieces[3])
{
	unsigned i = reg->index, count = 1;

	if (i >= 16) {
		pieces[0] = (struct piece){layout->offset[X_HIGH_ZMM] + 64 * (i - 16),
					   reg->bits / 8, X_HIGH_ZMM};
		return 1;
	}
	pieces[0] = (struct piece){160 + 16 * i, 16, X_SSE};
	if (reg->where >= X86_64_YMM)
		pieces[count++] = (struct piece){layout->offset[X_AVX] + 16 * i, 16, X_AVX};
	if (reg->where == X86_64_ZMM)
		pieces[count++] =
			(struct piece){layout->offset[X_ZMM_HIGH] + 32 * i, 32, X_ZMM_HIGH};
	return count;
}

/* The pieces of a register, lowest bytes first; 0 if it is none of the vector state's. */
static unsigned pieces_of(const struct arch_state *state, const struct arch_reg *reg,
			  struct piece pieces[3])
{
	unsigned count = 1;

	switch (reg->where) {
	case X86_64_STACK:
		pieces[0] = (struct piece){32 + 16 * reg->index, 10, X_X87};
		break;
	case X86_64_CONTROL:
		pieces[0] = (struct piece){controls[reg->index].offset, reg->bits / 8,
					   controls[reg->index].feature};
		break;
	case X86_64_XMM:
	case X86_64_YMM:
	case X86_64_ZMM:
		count = vector_pieces(state->layout, reg, pieces);
		break;
	case X86_64_MASK:
		pieces[0] = (struct piece){state->layout->offset[X_OPMASK] + 8 * reg->index, 8,
					   X_OPMASK};
		break;
	default:
		return 0;
	}
	for (unsigned i = 0; i < count; i++)
		if (pieces[i].offset + pieces[i].length > state->vector.count)
			return 0;
	return count;
}

void x86_64_reg_get(const struct arch_state *state, const struct arch_reg *reg, uint8_t *value)
{
	struct piece pieces[3];
	unsigned count = pieces_of(state, reg, pieces);
	size_t at = 0;

	memset(value, 0, ARCH_REG_BYTES);
	if (reg->where == X86_64_WORD)
		memcpy(value, &state->regs.word[reg->index], reg->bits / 8);
	else if (reg->where == X86_64_DEBUG)
		memcpy(value, &state->debug[reg->index], 8);
	for (unsigned i = 0; i < count; at += pieces[i++].length)
		memcpy(value + at, state->vector.items + pieces[i].offset, pieces[i].length);
}

void x86_64_reg_set(struct arch_state *state, const struct arch_reg *reg, const uint8_t *value)
{
	struct piece pieces[3];
	unsigned count = pieces_of(state, reg, pieces);
	uint64_t used = load64(state, XSTATE_HEADER);
	size_t at = 0;

	if (reg->where == X86_64_WORD) {
		state->regs.word[reg->index] = 0;
		memcpy(&state->regs.word[reg->index], value, reg->bits / 8);
	} else if (reg->where == X86_64_DEBUG) {
		memcpy(&state->debug[reg->index], value, 8);
	}
	for (unsigned i = 0; i < count; at += pieces[i++].length) {
		memcpy(state->vector.items + pieces[i].offset, value + at, pieces[i].length);
		used |= 1ull << pieces[i].feature;
	}
	/* A part that the header does not mark in use would be taken to be in its initial state. */
	if (count)
		memcpy(state->vector.items + XSTATE_HEADER, &used, 8);
}

/* ---- names ---- */

static void set_reg(struct arch_reg *reg, const char *name, enum arch_flavor flavor,
		    enum x86_64_where where, size_t index, unsigned bits)
{
	*reg = (struct arch_reg){
		.flavor = (uint8_t)flavor,
		.where = (uint8_t)where,
		.index = (uint8_t)index,
		.bits = (uint16_t)bits,
	};
	strncpy(reg->name, name, sizeof(reg->name) - 1);
}

/* The same with the index in the name. */
static void set_numbered(struct arch_reg *reg, const char *prefix, enum arch_flavor flavor,
			 enum x86_64_where where, size_t index, unsigned bits)
{
	set_reg(reg, prefix, flavor, where, index, bits);
	size_t length = strlen(reg->name);

	if (index >= 10)
		reg->name[length++] = (char)('0' + index / 10);
	reg->name[length] = (char)('0' + index % 10);
}

static const struct word_name *words_of(const struct arch_state *state, size_t *count)
{
	*count = state->narrow ? COUNT(narrow_names) : COUNT(wide_names);
	return state->narrow ? narrow_names : wide_names;
}

static const struct vector_name {
	const char *prefix;
	uint8_t where;
	uint16_t bits;
} vector_names[] = {{"xmm", X86_64_XMM, 128}, {"ymm", X86_64_YMM, 256}, {"zmm", X86_64_ZMM, 512}};

/* How many forms of the vector registers there are, and how many registers. */
static unsigned vector_forms(const struct arch_state *state, size_t *registers)
{
	bool high = has(state, X_ZMM_HIGH) && has(state, X_HIGH_ZMM);

	*registers = state->narrow ? 8 : high ? 32 : 16;
	return high ? 3 : has(state, X_AVX) ? 2 : 1;
}

static bool debug_at(size_t i, struct arch_reg *reg)
{
	static const uint8_t numbers[] = {0, 1, 2, 3, 6, 7};

	if (i >= COUNT(numbers))
		return false;
	set_numbered(reg, "dr", ARCH_DEBUG, X86_64_DEBUG, numbers[i], 64);
	return true;
}

static void control_at(size_t i, struct arch_reg *reg)
{
	set_reg(reg, controls[i].name, controls[i].feature == X_X87 ? ARCH_FLOAT : ARCH_VECTOR,
		X86_64_CONTROL, i, controls[i].bits);
}

/* The i-th register in one form of the vector registers. */
static bool at_in_form(const struct arch_state *state, size_t i, unsigned form,
		       struct arch_reg *reg)
{
	size_t words, vectors, masks = has(state, X_OPMASK) ? 8 : 0;
	const struct word_name *names = words_of(state, &words);
	const struct vector_name *vector = &vector_names[form];

	vector_forms(state, &vectors);
	if (i < words) {
		set_reg(reg, names[i].name, ARCH_GENERAL, X86_64_WORD, names[i].word,
			names[i].bits);
		return true;
	}
	if ((i -= words) < 8) {
		set_numbered(reg, "st", ARCH_FLOAT, X86_64_STACK, i, 80);
		return true;
	}
	if ((i -= 8) < COUNT(controls)) {
		control_at(i, reg);
		return true;
	}
	if ((i -= COUNT(controls)) < vectors) {
		set_numbered(reg, vector->prefix, ARCH_VECTOR, vector->where, i, vector->bits);
		return true;
	}
	if ((i -= vectors) < masks) {
		set_numbered(reg, "k", ARCH_VECTOR, X86_64_MASK, i, 64);
		return true;
	}
	return debug_at(i - masks, reg);
}

bool x86_64_reg_at(const struct arch_state *state, size_t i, struct arch_reg *reg)
{
	size_t registers;

	return at_in_form(state, i, vector_forms(state, &registers) - 1, reg);
}

bool x86_64_reg_find(const struct arch_state *state, const char *name, struct arch_reg *reg)
{
	size_t registers;
	unsigned forms = vector_forms(state, &registers);

	for (unsigned form = 0; form < forms; form++)
		for (size_t i = 0; at_in_form(state, i, form, reg); i++)
			if (!strcmp(reg->name, name))
				return true;
	return false;
}

bool x86_64_reg_parse_float(const struct arch_reg *reg, const char *text, uint8_t *value)
{
	char *end;
	long double number = strtold(text, &end);

	if (reg->where != X86_64_STACK || end == text || *end)
		return false;
	memset(value, 0, ARCH_REG_BYTES);
	memcpy(value, &number, 10);
	return true;
}

/* ---- reading and writing ---- */

#define DEBUG_REGISTER(n) (void *)(offsetof(struct user, u_debugreg) + 8 * (n))

static bool read_debug(pid_t tid, struct arch_state *state)
{
	struct arch_reg reg;

	for (size_t i = 0; debug_at(i, &reg); i++) {
		errno = 0;
		state->debug[reg.index] =
			(uint64_t)ptrace(PTRACE_PEEKUSER, tid, DEBUG_REGISTER(reg.index), NULL);
		if (errno)
			return false;
	}
	return true;
}

static bool read_vector(pid_t tid, struct arch_state *state)
{
	vec_clear(&state->vector);
	vec_reserve(&state->vector, XSTATE_ROOM);
	struct iovec vector = {state->vector.items, XSTATE_ROOM};

	if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_X86_XSTATE, &vector))
		return false;
	state->vector.count = vector.iov_len;
	return true;
}

bool x86_64_state_read(pid_t tid, unsigned flavors, struct arch_state *state)
{
	if (ptrace(PTRACE_GETREGS, tid, NULL, &state->regs))
		return false;
	state->narrow = state->regs.word[CS] == 0x23; /* __USER32_CS */
	if ((FLAVOR(flavors, ARCH_FLOAT) || FLAVOR(flavors, ARCH_VECTOR)) &&
	    !read_vector(tid, state))
		return false;
	return !FLAVOR(flavors, ARCH_DEBUG) || read_debug(tid, state);
}

/* The control register last, and first cleared: the kernel checks each address against what is
 * enabled (ptrace_write_dr_... in arch/x86/kernel/ptrace.c). */
static bool write_debug(pid_t tid, const struct arch_state *state)
{
	if (ptrace(PTRACE_POKEUSER, tid, DEBUG_REGISTER(7), 0))
		return false;
	for (unsigned i = 0; i < 4; i++)
		if (ptrace(PTRACE_POKEUSER, tid, DEBUG_REGISTER(i), state->debug[i]))
			return false;
	return !ptrace(PTRACE_POKEUSER, tid, DEBUG_REGISTER(6), state->debug[6]) &&
	       !ptrace(PTRACE_POKEUSER, tid, DEBUG_REGISTER(7), state->debug[7]);
}

bool x86_64_state_write(pid_t tid, unsigned flavors, const struct arch_state *state)
{
	struct iovec vector = {state->vector.items, state->vector.count};

	if (FLAVOR(flavors, ARCH_GENERAL) && ptrace(PTRACE_SETREGS, tid, NULL, &state->regs))
		return false;
	if ((FLAVOR(flavors, ARCH_FLOAT) || FLAVOR(flavors, ARCH_VECTOR)) &&
	    ptrace(PTRACE_SETREGSET, tid, (void *)NT_X86_XSTATE, &vector))
		return false;
	return !FLAVOR(flavors, ARCH_DEBUG) || write_debug(tid, state);
}

unsigned x86_64_unwind_regs(const struct arch_state *state, uint64_t out[ARCH_UNWIND_REGS])
{
	/* System V ABI, x86-64: figure 3.36; i386: table 2.14. */
	static const uint8_t wide[] = {RAX, RDX, RCX, RBX, RSI, RDI, RBP, RSP, R8,
				       R9,  R10, R11, R12, R13, R14, R15, RIP};
	static const uint8_t narrow[] = {RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, RIP};
	const uint8_t *order = state->narrow ? narrow : wide;
	unsigned count = state->narrow ? COUNT(narrow) : COUNT(wide);

	for (unsigned i = 0; i < count; i++)
		out[i] = state->regs.word[order[i]];
	return count;
}

/* ---- calls through the 32-bit gate ---- */

uint64_t x86_64_narrow_call_arg(const struct regs *regs, int index)
{
	static const uint8_t order[SC_ARGS] = {RBX, RCX, RDX, RSI, RDI, RBP};

	return (uint32_t)regs->word[order[index]];
}

const char *x86_64_narrow_call_name(int nr)
{
	static const char *const names[] = {
#define NARROW_CALL(nr, name) [nr] = #name,
#include "arch/x86_64/narrow_calls.def"
#undef NARROW_CALL
	};

	return nr >= 0 && (size_t)nr < COUNT(names) ? names[nr] : NULL;
}
