/* x86-64: what the values of registers mean, for people (SDM 1, chapters 3, 8 and 10; 3B, 17.2). */
#include <stdio.h>
#include <string.h>

#include "arch/x86_64/x86_64.h"

struct bit {
	uint8_t number;
	const char *name;
};

static const struct bit flag_bits[] = {
	{0, "CF"},  {2, "PF"},	 {4, "AF"},   {6, "ZF"},  {7, "SF"},  {8, "TF"},
	{9, "IF"},  {10, "DF"},	 {11, "OF"},  {14, "NT"}, {16, "RF"}, {17, "VM"},
	{18, "AC"}, {19, "VIF"}, {20, "VIP"}, {21, "ID"}, {0, NULL},
};
static const struct bit mxcsr_bits[] = {
	{0, "IE"}, {1, "DE"}, {2, "ZE"},  {3, "OE"},  {4, "UE"},  {5, "PE"},  {6, "DAZ"}, {7, "IM"},
	{8, "DM"}, {9, "ZM"}, {10, "OM"}, {11, "UM"}, {12, "PM"}, {15, "FZ"}, {0, NULL},
};
static const struct bit fctrl_bits[] = {
	{0, "IM"}, {1, "DM"}, {2, "ZM"}, {3, "OM"}, {4, "UM"}, {5, "PM"}, {0, NULL},
};
static const struct bit fstat_bits[] = {
	{0, "IE"}, {1, "DE"}, {2, "ZE"}, {3, "OE"},  {4, "UE"},	 {5, "PE"}, {6, "SF"},
	{7, "ES"}, {8, "C0"}, {9, "C1"}, {10, "C2"}, {14, "C3"}, {15, "B"}, {0, NULL},
};
static const struct bit dr6_bits[] = {
	{0, "B0"}, {1, "B1"}, {2, "B2"}, {3, "B3"}, {13, "BD"}, {14, "BS"}, {15, "BT"}, {0, NULL},
};

static const char *const roundings[] = {"", "down", "up", "to zero"};
static const char *const precisions[] = {"single precision", NULL, "double precision", NULL};

/* "[ ZF PF ]", as gdb writes it. */
static void put_bits(FILE *out, const struct bit *bits, uint64_t value)
{
	fputs("[", out);
	for (; bits->name; bits++)
		if (value >> bits->number & 1)
			fprintf(out, " %s", bits->name);
	fputs(" ]", out);
}

static void put_rounding(FILE *out, unsigned rounding)
{
	if (rounding)
		fprintf(out, " rounds %s", roundings[rounding]);
}

static void explain_flags(FILE *out, const struct arch_state *state, uint64_t value)
{
	put_bits(out, flag_bits, value);
}

static void explain_mxcsr(FILE *out, const struct arch_state *state, uint64_t value)
{
	put_bits(out, mxcsr_bits, value);
	put_rounding(out, value >> 13 & 3);
}

static void explain_fctrl(FILE *out, const struct arch_state *state, uint64_t value)
{
	put_bits(out, fctrl_bits, value);
	if (precisions[value >> 8 & 3])
		fprintf(out, " %s", precisions[value >> 8 & 3]);
	put_rounding(out, value >> 10 & 3);
}

static void explain_fstat(FILE *out, const struct arch_state *state, uint64_t value)
{
	put_bits(out, fstat_bits, value);
	fprintf(out, " top %u", (unsigned)(value >> 11 & 7));
}

static void explain_cs(FILE *out, const struct arch_state *state, uint64_t value)
{
	fputs(state->narrow ? "32-bit code" : "64-bit code", out);
}

static void explain_dr6(FILE *out, const struct arch_state *state, uint64_t value)
{
	put_bits(out, dr6_bits, value);
}

/* "0: execute, 2: write 8". */
static void explain_dr7(FILE *out, const struct arch_state *state, uint64_t value)
{
	static const char *const types[] = {"execute", "write", "port", "access"};
	static const unsigned lengths[] = {1, 2, 8, 4};
	const char *separator = "";

	for (unsigned i = 0; i < 4; i++) {
		unsigned type = value >> (16 + 4 * i) & 3, length = value >> (18 + 4 * i) & 3;

		if (!(value >> (2 * i) & 3))
			continue;
		fprintf(out, "%s%u: %s", separator, i, types[type]);
		if (type)
			fprintf(out, " %u", lengths[length]);
		separator = ", ";
	}
}

static const struct {
	const char *name;
	void (*explain)(FILE *out, const struct arch_state *state, uint64_t value);
} explained[] = {
	{"eflags", explain_flags}, {"mxcsr", explain_mxcsr}, {"fctrl", explain_fctrl},
	{"fstat", explain_fstat},  {"cs", explain_cs},	     {"dr6", explain_dr6},
	{"dr7", explain_dr7},
};

static uint64_t control(const struct arch_state *state, const char *name)
{
	uint8_t bytes[ARCH_REG_BYTES];
	struct arch_reg reg;
	uint64_t value = 0;

	if (x86_64_reg_find(state, name, &reg)) {
		x86_64_reg_get(state, &reg, bytes);
		memcpy(&value, bytes, sizeof(value));
	}
	return value;
}

/* The tag word knows the registers by their number, not by their place on the stack. */
static void explain_stack(FILE *out, const struct arch_state *state, const struct arch_reg *reg,
			  const uint8_t *bytes)
{
	unsigned number = ((control(state, "fstat") >> 11) + reg->index) & 7;
	long double value = 0;

	if (!(control(state, "ftag") >> number & 1)) {
		fputs("empty", out);
		return;
	}
	memcpy(&value, bytes, 10);
	fprintf(out, "%.20Lg", value);
}

void x86_64_reg_explain(const struct arch_state *state, const struct arch_reg *reg, char *text,
			size_t room)
{
	uint8_t bytes[ARCH_REG_BYTES];
	uint64_t value;
	FILE *out = fmemopen(text, room, "w");

	*text = 0;
	if (!out)
		return;
	x86_64_reg_get(state, reg, bytes);
	memcpy(&value, bytes, sizeof(value));
	if (reg->bits == 80)
		explain_stack(out, state, reg, bytes);
	for (size_t i = 0; i < sizeof(explained) / sizeof(*explained); i++)
		if (!strcmp(explained[i].name, reg->name))
			explained[i].explain(out, state, value);
	fclose(out);
}
