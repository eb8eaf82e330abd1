/* Registers with their names, and what their values mean. */
#include "cmd/registers.h"

/* Columns of short lines. */
#define COLUMNS 3

/* ---- values ---- */

/* Hexadecimal without leading zeros, an underscore between groups of 16 digits. */
static void put_value(const struct arch_state *state, const struct arch_reg *reg, const char *mark,
		      char *text)
{
	uint8_t value[ARCH_REG_BYTES];
	unsigned digits = 2 * ARCH_REG_BYTES;

	arch.reg_get(state, reg, value);
	while (digits > 1 && !(value[(digits - 1) / 2] >> ((digits - 1) % 2 ? 4 : 0) & 15))
		digits--;
	text += sprintf(text, "0x");
	while (digits--) {
		text += sprintf(text, "%x", value[digits / 2] >> (digits % 2 ? 4 : 0) & 15);
		if (digits && digits % 16 == 0)
			text += sprintf(text, "%s", mark);
	}
}

#define VALUE_ROOM (2 * ARCH_REG_BYTES + 16)

/* Short values without an explanation share lines. */
void registers_put(FILE *out, const struct arch_state *state, unsigned flavors)
{
	char value[VALUE_ROOM], explained[128];
	struct arch_reg reg;
	int column = 0, width = 0;

	for (size_t i = 0; arch.reg_at(state, i, &reg); i++) {
		if (!(flavors >> reg.flavor & 1))
			continue;
		put_value(state, &reg, "_", value);
		arch.reg_explain(state, &reg, explained, sizeof(explained));
		bool own_line = *explained || reg.bits > 64;

		if (column == COLUMNS || (column && own_line)) {
			putc('\n', out);
			column = 0;
		}
		fprintf(out, "%*s%-8s ", column ? 20 - width : 4, "", reg.name);
		width = fprintf(out, "%s", value);
		column = own_line ? COLUMNS : column + 1;
		if (*explained)
			fprintf(out, "%*s%s", width < 20 ? 20 - width : 2, "", explained);
	}
	if (column)
		putc('\n', out);
}

void registers_put_json(struct json *json, const struct arch_state *state, unsigned flavors)
{
	char value[VALUE_ROOM], explained[128];
	struct arch_reg reg;

	json_key(json, "registers");
	json_begin_object(json);
	for (size_t i = 0; arch.reg_at(state, i, &reg); i++)
		if (flavors >> reg.flavor & 1) {
			put_value(state, &reg, "", value);
			json_member_text(json, reg.name, value);
		}
	json_end_object(json);
	json_key(json, "meaning");
	json_begin_object(json);
	for (size_t i = 0; arch.reg_at(state, i, &reg); i++)
		if (flavors >> reg.flavor & 1) {
			arch.reg_explain(state, &reg, explained, sizeof(explained));
			if (*explained)
				json_member_text(json, reg.name, explained);
		}
	json_end_object(json);
}
