/* Mach on Linux: thread states, made from and put into what Linux keeps of a thread.
 *
 * The floating point states hold, from __fpu_fcw on, the bytes of FXSAVE, which also begin Linux's
 * XSAVE area; its further parts lie where cpuid leaf 0xd says (SDM 1, 13.4).
 *
 * Invariant: nothing is written beyond *count words, nor beyond the area. */
#include <cpuid.h>
#include <string.h>

#include "private.h"

#define FXSAVE_BYTES 512
/* Of those, what the processor writes; the rest is Linux's (sw_reserved) or unused. */
#define FXSAVE_USED    416
#define FEATURES_AT    464
#define HEADER_AT      512
#define FLOAT_FEATURES 3ull

enum feature {
	F_AVX = 2,
	F_OPMASK = 5,
	F_ZMM_HIGH,
	F_HIGH_ZMM
};

/* Where a part of the XSAVE area stands in a thread state. */
struct part {
	enum feature feature;
	size_t offset, size;
};

static const struct part parts512[] = {
	{F_AVX, offsetof(x86_avx512_state64_t, __fpu_ymmh0), 16 * 16},
	{F_OPMASK, offsetof(x86_avx512_state64_t, __fpu_k0), 8 * 8},
	{F_ZMM_HIGH, offsetof(x86_avx512_state64_t, __fpu_zmmh0), 16 * 32},
	{F_HIGH_ZMM, offsetof(x86_avx512_state64_t, __fpu_zmm16), 16 * 64},
};

_Static_assert(sizeof(x86_thread_state64_t) == 168, "layout");
_Static_assert(sizeof(x86_float_state64_t) == 524, "layout");
_Static_assert(sizeof(x86_avx_state64_t) == 844, "layout");
_Static_assert(sizeof(x86_avx512_state64_t) == 2444, "layout");
_Static_assert(offsetof(x86_avx_state64_t, __fpu_ymmh0) ==
		       offsetof(x86_avx512_state64_t, __fpu_ymmh0),
	       "one begins as the other");
_Static_assert(sizeof(struct x86_thread_state) == 176, "layout");
_Static_assert(sizeof(struct x86_float_state) == 532, "layout");

/* ---- general registers ---- */

static void export_general(const struct machine_state *state, void *out)
{
	const struct user_regs_struct *r = &state->general;

	*(x86_thread_state64_t *)out = (x86_thread_state64_t){
		.__rax = r->rax,
		.__rbx = r->rbx,
		.__rcx = r->rcx,
		.__rdx = r->rdx,
		.__rdi = r->rdi,
		.__rsi = r->rsi,
		.__rbp = r->rbp,
		.__rsp = r->rsp,
		.__r8 = r->r8,
		.__r9 = r->r9,
		.__r10 = r->r10,
		.__r11 = r->r11,
		.__r12 = r->r12,
		.__r13 = r->r13,
		.__r14 = r->r14,
		.__r15 = r->r15,
		.__rip = r->rip,
		.__rflags = r->eflags,
		.__cs = r->cs,
		.__fs = r->fs,
		.__gs = r->gs,
	};
}

/* Segments stay what they are, as where this interface comes from. A new program counter ends the
 * call that the thread is in: Linux would move it back to make the call again. */
static void import_general(struct machine_state *state, const void *in)
{
	x86_thread_state64_t s;
	struct user_regs_struct *r = &state->general;

	memcpy(&s, in, sizeof(s));
	if (s.__rip != r->rip)
		r->orig_rax = ~0ull;
	r->rax = s.__rax;
	r->rbx = s.__rbx;
	r->rcx = s.__rcx;
	r->rdx = s.__rdx;
	r->rdi = s.__rdi;
	r->rsi = s.__rsi;
	r->rbp = s.__rbp;
	r->rsp = s.__rsp;
	r->r8 = s.__r8;
	r->r9 = s.__r9;
	r->r10 = s.__r10;
	r->r11 = s.__r11;
	r->r12 = s.__r12;
	r->r13 = s.__r13;
	r->r14 = s.__r14;
	r->r15 = s.__r15;
	r->rip = s.__rip;
	r->eflags = s.__rflags;
}

/* ---- floating point and vectors ---- */

static bool find_part(const struct machine_state *state, const struct part *part, size_t *at)
{
	unsigned long long features;
	unsigned size = 0, offset = 0, c, d;

	memcpy(&features, state->vector + FEATURES_AT, sizeof(features));
	__cpuid_count(0xd, part->feature, size, offset, c, d);
	*at = offset;
	return features >> part->feature & 1 && size >= part->size &&
	       offset + part->size <= state->vector_size;
}

static void export_float(const struct machine_state *state, void *out)
{
	char *area = (char *)out + offsetof(x86_float_state64_t, __fpu_fcw);

	memset(out, 0, sizeof(x86_float_state64_t));
	memcpy(area, state->vector, FXSAVE_USED);
}

static void import_float(struct machine_state *state, const void *in)
{
	const char *area = (const char *)in + offsetof(x86_float_state64_t, __fpu_fcw);
	unsigned long long used;

	memcpy(state->vector, area, FXSAVE_USED);
	memcpy(&used, state->vector + HEADER_AT, sizeof(used));
	used |= FLOAT_FEATURES;
	memcpy(state->vector + HEADER_AT, &used, sizeof(used));
}

/* The parts that stand within the first `size` bytes of the state. */
static void export_parts(const struct machine_state *state, void *out, size_t size)
{
	size_t at;

	memset(out, 0, size);
	export_float(state, out);
	for (size_t i = 0; i < sizeof(parts512) / sizeof(*parts512); i++)
		if (parts512[i].offset + parts512[i].size <= size &&
		    find_part(state, &parts512[i], &at))
			memcpy((char *)out + parts512[i].offset, state->vector + at,
			       parts512[i].size);
}

static void import_parts(struct machine_state *state, const void *in, size_t size)
{
	unsigned long long used;
	size_t at;

	import_float(state, in);
	memcpy(&used, state->vector + HEADER_AT, sizeof(used));
	for (size_t i = 0; i < sizeof(parts512) / sizeof(*parts512); i++) {
		if (parts512[i].offset + parts512[i].size > size ||
		    !find_part(state, &parts512[i], &at))
			continue;
		memcpy(state->vector + at, (const char *)in + parts512[i].offset, parts512[i].size);
		used |= 1ull << parts512[i].feature;
	}
	memcpy(state->vector + HEADER_AT, &used, sizeof(used));
}

static void export_avx(const struct machine_state *state, void *out)
{
	export_parts(state, out, sizeof(x86_avx_state64_t));
}

static void import_avx(struct machine_state *state, const void *in)
{
	import_parts(state, in, sizeof(x86_avx_state64_t));
}

static void export_avx512(const struct machine_state *state, void *out)
{
	export_parts(state, out, sizeof(x86_avx512_state64_t));
}

static void import_avx512(struct machine_state *state, const void *in)
{
	import_parts(state, in, sizeof(x86_avx512_state64_t));
}

/* ---- debug registers ---- */

static void export_debug(const struct machine_state *state, void *out)
{
	memcpy(out, state->debug, sizeof(x86_debug_state64_t));
}

static void import_debug(struct machine_state *state, const void *in)
{
	memcpy(state->debug, in, sizeof(x86_debug_state64_t));
}

/* ---- flavors ---- */

static const struct flavor {
	thread_state_flavor_t flavor;
	unsigned parts;
	mach_msg_type_number_t count; /* of words */
	/* The self-describing flavors begin with a header that names this one, and may be
	 * longer. */
	thread_state_flavor_t header;
	void (*export)(const struct machine_state *state, void *out);
	void (*import)(struct machine_state *state, const void *in);
} flavors[] = {
	{x86_THREAD_STATE64, PART_GENERAL, x86_THREAD_STATE64_COUNT, 0, export_general,
	 import_general},
	{x86_THREAD_STATE, PART_GENERAL, x86_THREAD_STATE_COUNT, x86_THREAD_STATE64, export_general,
	 import_general},
	{x86_FLOAT_STATE64, PART_VECTOR, x86_FLOAT_STATE64_COUNT, 0, export_float, import_float},
	{x86_FLOAT_STATE, PART_VECTOR, x86_FLOAT_STATE_COUNT, x86_FLOAT_STATE64, export_float,
	 import_float},
	{x86_AVX_STATE64, PART_VECTOR, x86_AVX_STATE64_COUNT, 0, export_avx, import_avx},
	{x86_AVX512_STATE64, PART_VECTOR, x86_AVX512_STATE64_COUNT, 0, export_avx512,
	 import_avx512},
	{x86_DEBUG_STATE64, PART_DEBUG, x86_DEBUG_STATE64_COUNT, 0, export_debug, import_debug},
	{x86_DEBUG_STATE, PART_DEBUG, x86_DEBUG_STATE_COUNT, x86_DEBUG_STATE64, export_debug,
	 import_debug},
};

#define HEADER_WORDS (sizeof(x86_state_hdr_t) / sizeof(natural_t))

static const struct flavor *find_flavor(thread_state_flavor_t flavor)
{
	for (size_t i = 0; i < sizeof(flavors) / sizeof(*flavors); i++)
		if (flavors[i].flavor == flavor)
			return &flavors[i];
	return NULL;
}

unsigned mw_state_parts(thread_state_flavor_t flavor)
{
	const struct flavor *found = find_flavor(flavor);

	return found ? found->parts : 0;
}

kern_return_t mw_state_export(const struct machine_state *state, thread_state_flavor_t flavor,
			      natural_t *out, mach_msg_type_number_t *count)
{
	const struct flavor *found = find_flavor(flavor);

	if (!found)
		return mw_explain(KERN_INVALID_ARGUMENT, "there is no thread state flavor %d here",
				  flavor);
	if (*count < found->count)
		return mw_explain(
			KERN_INVALID_ARGUMENT,
			"thread state flavor %d needs room for %u words, there is room for "
			"%u",
			flavor, found->count, *count);
	*count = found->count;
	memset(out, 0, found->count * sizeof(*out));
	if (found->header) {
		out[0] = (natural_t)found->header;
		out[1] = find_flavor(found->header)->count;
		out += HEADER_WORDS;
	}
	found->export(state, out);
	return KERN_SUCCESS;
}

kern_return_t mw_state_import(struct machine_state *state, thread_state_flavor_t flavor,
			      const natural_t *in, mach_msg_type_number_t count)
{
	const struct flavor *found = find_flavor(flavor);

	if (!found)
		return mw_explain(KERN_INVALID_ARGUMENT, "there is no thread state flavor %d here",
				  flavor);
	if (count < found->count)
		return mw_explain(KERN_INVALID_ARGUMENT,
				  "thread state flavor %d has %u words, %u are given", flavor,
				  found->count, count);
	if (found->header) {
		if (in[0] != (natural_t)found->header || in[1] < find_flavor(found->header)->count)
			return mw_explain(
				KERN_INVALID_ARGUMENT,
				"the header of thread state flavor %d says flavor %u with "
				"%u words; it has to say flavor %d with %u",
				flavor, in[0], in[1], found->header,
				find_flavor(found->header)->count);
		in += HEADER_WORDS;
	}
	found->import(state, in);
	return KERN_SUCCESS;
}
