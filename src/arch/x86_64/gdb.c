/* x86-64: registers as gdb knows them.
 *
 * gdb finds registers by the names of its features org.gnu.gdb.i386.* ("i386 Features" in its
 * manual); their numbers are their order here. It has the upper parts of wide registers as
 * registers of their own (ymm0h), and the x87 tags in the form of FSAVE, two bits a register (SDM
 * 1, 8.1.7), where XSAVE keeps one (10.5.1.1).
 *
 * Invariant: numbers depend on `features` only, not on the state that is looked at. */
#include <string.h>

#include "arch/x86_64/x86_64.h"
#include "util/bytes.h"

#define AVX_PARTS    (1u << 2)
#define AVX512_PARTS (1u << 2 | 7u << 5)
#define NO_PARTS     0u

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Registers in a row that are alike, or a single one without a number in its name. */
struct row {
	const char *name, *suffix, *type;
	uint8_t from, count; /* numbers in the names: from ... from + count - 1 */
	uint16_t bits;	     /* on the wire */
	uint8_t where, index;
	uint16_t width; /* of the whole register, of which this is `bits` bits from byte `offset` */
	uint8_t offset;
};

struct feature {
	const char *name;
	uint32_t parts; /* that the vector state must have */
	const char *types;
	const struct row *rows;
	size_t count;
};

#define ONE(name_, type_, bits_, where_, index_, width_, offset_)                \
	{                                                                        \
		name_, NULL, type_, 0, 1, bits_, where_, index_, width_, offset_ \
	}
#define WORD(name_, index_, type_) ONE(name_, type_, 64, X86_64_WORD, index_, 64, 0)
#define SEGMENT(name_, index_)	   ONE(name_, "int32", 32, X86_64_WORD, index_, 16, 0)
#define CONTROL(name_, index_, width_, offset_) \
	ONE(name_, "int", 32, X86_64_CONTROL, X86_64_##index_, width_, offset_)

static const struct row core[] = {
	WORD("rax", RAX, "int64"),
	WORD("rbx", RBX, "int64"),
	WORD("rcx", RCX, "int64"),
	WORD("rdx", RDX, "int64"),
	WORD("rsi", RSI, "int64"),
	WORD("rdi", RDI, "int64"),
	WORD("rbp", RBP, "data_ptr"),
	WORD("rsp", RSP, "data_ptr"),
	WORD("r8", R8, "int64"),
	WORD("r9", R9, "int64"),
	WORD("r10", R10, "int64"),
	WORD("r11", R11, "int64"),
	WORD("r12", R12, "int64"),
	WORD("r13", R13, "int64"),
	WORD("r14", R14, "int64"),
	WORD("r15", R15, "int64"),
	WORD("rip", RIP, "code_ptr"),
	ONE("eflags", "i386_eflags", 32, X86_64_WORD, EFLAGS, 32, 0),
	SEGMENT("cs", CS),
	SEGMENT("ss", SS),
	SEGMENT("ds", DS),
	SEGMENT("es", ES),
	SEGMENT("fs", FS),
	SEGMENT("gs", GS),
	{"st", "", "i387_ext", 0, 8, 80, X86_64_STACK, 0, 80, 0},
	CONTROL("fctrl", FCTRL, 16, 0),
	CONTROL("fstat", FSTAT, 16, 0),
	CONTROL("ftag", FTAG, 8, 0),
	CONTROL("fiseg", FIP, 64, 4),
	CONTROL("fioff", FIP, 64, 0),
	CONTROL("foseg", FDP, 64, 4),
	CONTROL("fooff", FDP, 64, 0),
	CONTROL("fop", FOP, 16, 0),
};

static const struct row sse[] = {
	{"xmm", "", "vec128", 0, 16, 128, X86_64_XMM, 0, 128, 0},
	ONE("mxcsr", "i386_mxcsr", 32, X86_64_CONTROL, X86_64_MXCSR, 32, 0),
};

static const struct row os[] = {WORD("orig_rax", ORIG_RAX, "int64")};

static const struct row segments[] = {
	WORD("fs_base", FS_BASE, "int64"),
	WORD("gs_base", GS_BASE, "int64"),
};

static const struct row avx[] = {
	{"ymm", "h", "uint128", 0, 16, 128, X86_64_YMM, 0, 256, 16},
};

static const struct row avx512[] = {
	{"xmm", "", "vec128", 16, 16, 128, X86_64_ZMM, 16, 512, 0},
	{"ymm", "h", "uint128", 16, 16, 128, X86_64_ZMM, 16, 512, 16},
	{"k", "", "uint64", 0, 8, 64, X86_64_MASK, 0, 64, 0},
	{"zmm", "h", "v2ui128", 0, 32, 256, X86_64_ZMM, 0, 512, 32},
};

static const char eflags_type[] =
	"<flags id=\"i386_eflags\" size=\"4\">"
	"<field name=\"\" start=\"22\" end=\"31\"/>"
	"<field name=\"ID\" start=\"21\" end=\"21\"/><field name=\"VIP\" start=\"20\" end=\"20\"/>"
	"<field name=\"VIF\" start=\"19\" end=\"19\"/><field name=\"AC\" start=\"18\" end=\"18\"/>"
	"<field name=\"VM\" start=\"17\" end=\"17\"/><field name=\"RF\" start=\"16\" end=\"16\"/>"
	"<field name=\"NT\" start=\"14\" end=\"14\"/><field name=\"OF\" start=\"11\" end=\"11\"/>"
	"<field name=\"DF\" start=\"10\" end=\"10\"/><field name=\"IF\" start=\"9\" end=\"9\"/>"
	"<field name=\"TF\" start=\"8\" end=\"8\"/><field name=\"SF\" start=\"7\" end=\"7\"/>"
	"<field name=\"ZF\" start=\"6\" end=\"6\"/><field name=\"AF\" start=\"4\" end=\"4\"/>"
	"<field name=\"PF\" start=\"2\" end=\"2\"/><field name=\"\" start=\"1\" end=\"1\"/>"
	"<field name=\"CF\" start=\"0\" end=\"0\"/></flags>";

#define VEC128_TYPE                                                    \
	"<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"        \
	"<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"        \
	"<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"            \
	"<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"            \
	"<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"            \
	"<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"            \
	"<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>" \
	"<field name=\"v2_double\" type=\"v2d\"/>"                     \
	"<field name=\"v16_int8\" type=\"v16i8\"/>"                    \
	"<field name=\"v8_int16\" type=\"v8i16\"/>"                    \
	"<field name=\"v4_int32\" type=\"v4i32\"/>"                    \
	"<field name=\"v2_int64\" type=\"v2i64\"/>"                    \
	"<field name=\"uint128\" type=\"uint128\"/></union>"

static const char sse_types[] = VEC128_TYPE
	"<flags id=\"i386_mxcsr\" size=\"4\">"
	"<field name=\"IE\" start=\"0\" end=\"0\"/><field name=\"DE\" start=\"1\" end=\"1\"/>"
	"<field name=\"ZE\" start=\"2\" end=\"2\"/><field name=\"OE\" start=\"3\" end=\"3\"/>"
	"<field name=\"UE\" start=\"4\" end=\"4\"/><field name=\"PE\" start=\"5\" end=\"5\"/>"
	"<field name=\"DAZ\" start=\"6\" end=\"6\"/><field name=\"IM\" start=\"7\" end=\"7\"/>"
	"<field name=\"DM\" start=\"8\" end=\"8\"/><field name=\"ZM\" start=\"9\" end=\"9\"/>"
	"<field name=\"OM\" start=\"10\" end=\"10\"/><field name=\"UM\" start=\"11\" end=\"11\"/>"
	"<field name=\"PM\" start=\"12\" end=\"12\"/><field name=\"FZ\" start=\"15\" end=\"15\"/>"
	"</flags>";

static const char avx512_types[] =
	VEC128_TYPE "<vector id=\"v2ui128\" type=\"uint128\" count=\"2\"/>";

#define ROWS(table) table, COUNT(table)

static const struct feature features_known[] = {
	{"core", NO_PARTS, eflags_type, ROWS(core)},
	{"sse", NO_PARTS, sse_types, ROWS(sse)},
	{"linux", NO_PARTS, "", ROWS(os)},
	{"segments", NO_PARTS, "", ROWS(segments)},
	{"avx", AVX_PARTS, "", ROWS(avx)},
	{"avx512", AVX512_PARTS, avx512_types, ROWS(avx512)},
};

static bool is_there(const struct feature *feature, uint64_t features)
{
	return (features & feature->parts) == feature->parts;
}

/* ---- the description ---- */

static void describe_row(const struct row *row, struct bytes *xml)
{
	for (unsigned i = 0; i < row->count; i++) {
		bytes_format(xml, "<reg name=\"%s", row->name);
		if (row->suffix)
			bytes_format(xml, "%u%s", row->from + i, row->suffix);
		bytes_format(xml, "\" bitsize=\"%u\" type=\"%s\"", row->bits, row->type);
		if (row->where == X86_64_STACK || row->where == X86_64_CONTROL)
			bytes_format(xml, " group=\"%s\"",
				     row->index == X86_64_MXCSR ? "vector" : "float");
		bytes_put(xml, "/>");
	}
}

void x86_64_gdb_describe(uint64_t features, struct bytes *xml)
{
	bytes_put(xml, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
		       "<target version=\"1.0\"><architecture>i386:x86-64</architecture>"
		       "<osabi>GNU/Linux</osabi>");
	for (size_t i = 0; i < COUNT(features_known); i++) {
		const struct feature *feature = &features_known[i];

		if (!is_there(feature, features))
			continue;
		bytes_format(xml, "<feature name=\"org.gnu.gdb.i386.%s\">%s", feature->name,
			     feature->types);
		for (size_t j = 0; j < feature->count; j++)
			describe_row(&feature->rows[j], xml);
		bytes_put(xml, "</feature>");
	}
	bytes_put(xml, "</target>");
}

/* ---- values ---- */

/* The row that holds register `number`, and in *i which of the row's it is. */
static const struct row *find(uint64_t features, unsigned number, unsigned *i)
{
	for (size_t f = 0; f < COUNT(features_known); f++) {
		const struct feature *feature = &features_known[f];

		for (size_t r = 0; is_there(feature, features) && r < feature->count; r++) {
			if (number < feature->rows[r].count) {
				*i = number;
				return &feature->rows[r];
			}
			number -= feature->rows[r].count;
		}
	}
	return NULL;
}

static struct arch_reg whole(const struct row *row, unsigned i)
{
	return (struct arch_reg){
		.where = row->where, .index = (uint8_t)(row->index + i), .bits = row->width};
}

static bool is_tags(const struct row *row)
{
	return row->where == X86_64_CONTROL && row->index == X86_64_FTAG;
}

/* What FSAVE would say of a register that is not empty: 0 valid, 1 zero, 2 special. */
static unsigned tag_of(const uint8_t *value)
{
	unsigned exponent = value[8] | (value[9] & 0x7fu) << 8;
	uint64_t mantissa;

	memcpy(&mantissa, value, 8);
	if (!exponent && !mantissa)
		return 1;
	return exponent && exponent != 0x7fff && mantissa >> 63 ? 0 : 2;
}

#define TAG_EMPTY 3u

/* Tags belong to registers as they are, not as they stand on the stack: st0 is register `top`. */
static void widen_tags(const struct arch_state *state, uint8_t *value)
{
	static const struct arch_reg status = {
		.where = X86_64_CONTROL, .index = X86_64_FSTAT, .bits = 16};
	uint8_t word[ARCH_REG_BYTES], number[ARCH_REG_BYTES];
	unsigned in_use = value[0], tags = 0;

	x86_64_reg_get(state, &status, word);
	unsigned top = word[1] >> 3 & 7;

	for (unsigned i = 0; i < 8; i++) {
		struct arch_reg st = {
			.where = X86_64_STACK, .index = (uint8_t)((i - top) & 7), .bits = 80};

		x86_64_reg_get(state, &st, number);
		tags |= (in_use >> i & 1 ? tag_of(number) : TAG_EMPTY) << 2 * i;
	}
	value[0] = (uint8_t)tags;
	value[1] = (uint8_t)(tags >> 8);
}

static void narrow_tags(uint8_t *value)
{
	unsigned tags = value[0] | value[1] << 8, in_use = 0;

	for (unsigned i = 0; i < 8; i++)
		in_use |= (unsigned)((tags >> 2 * i & 3) != TAG_EMPTY) << i;
	value[0] = (uint8_t)in_use;
	value[1] = 0;
}

unsigned x86_64_gdb_get(const struct arch_state *state, uint64_t features, unsigned number,
			uint8_t *value)
{
	uint8_t all[2 * ARCH_REG_BYTES] = {0};
	unsigned i;
	const struct row *row = find(features, number, &i);

	if (!row)
		return 0;
	struct arch_reg reg = whole(row, i);

	x86_64_reg_get(state, &reg, all);
	if (is_tags(row))
		widen_tags(state, all);
	memcpy(value, all + row->offset, row->bits / 8);
	return row->bits / 8;
}

bool x86_64_gdb_set(struct arch_state *state, uint64_t features, unsigned number,
		    const uint8_t *value)
{
	uint8_t all[2 * ARCH_REG_BYTES] = {0};
	unsigned i;
	const struct row *row = find(features, number, &i);

	if (!row)
		return false;
	struct arch_reg reg = whole(row, i);

	x86_64_reg_get(state, &reg, all);
	memcpy(all + row->offset, value, row->bits / 8);
	if (is_tags(row))
		narrow_tags(all);
	x86_64_reg_set(state, &reg, all);
	return true;
}
