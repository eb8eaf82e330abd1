/* Changing registers: texts are parsed and checked against what the thread has before anything is
 * written; what the kernel did not take as it is puts all back.
 *
 * They are written past the engine, which has not read them yet at this stop: engine_suspend calls
 * no hooks.
 *
 * Invariant: on error the thread's registers are as before. */
#include "live/regs_set.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

#define ALL_FLAVORS ((1u << ARCH_FLAVORS) - 1)

/* ---- values ---- */

static bool parse_hex(const char *digits, uint8_t value[ARCH_REG_BYTES])
{
	unsigned nibble = 0;

	memset(value, 0, ARCH_REG_BYTES);
	for (const char *at = digits + strlen(digits); at-- > digits;) {
		if (*at == '_')
			continue;
		if (!isxdigit((unsigned char)*at))
			return false;
		unsigned digit = (unsigned)(isdigit((unsigned char)*at)
						    ? *at - '0'
						    : tolower((unsigned char)*at) - 'a' + 10);

		if (digit && nibble >= 2 * ARCH_REG_BYTES)
			return false;
		if (digit)
			value[nibble / 2] |= (uint8_t)(digit << (nibble % 2 ? 4 : 0));
		nibble++;
	}
	return nibble > 0;
}

/* Negative numbers fill the register, where it has no more than 64 bits. */
static bool parse_decimal(const char *text, unsigned bits, uint8_t value[ARCH_REG_BYTES])
{
	char *end;

	errno = 0;
	uint64_t number =
		*text == '-' ? (uint64_t)strtoll(text, &end, 10) : strtoull(text, &end, 10);

	if (errno || end == text || *end || !(isdigit((unsigned char)*text) || *text == '-'))
		return false;
	if (*text == '-' && bits < 64) {
		if ((int64_t)number < -(1ll << (bits - 1)))
			return false;
		number &= (1ull << bits) - 1;
	}
	memset(value, 0, ARCH_REG_BYTES);
	memcpy(value, &number, sizeof(number));
	return *text != '-' || bits <= 64;
}

static bool fits(const uint8_t value[ARCH_REG_BYTES], unsigned bits)
{
	for (unsigned i = bits / 8; i < ARCH_REG_BYTES; i++)
		if (value[i])
			return false;
	return true;
}

struct error *regs_parse_value(const struct arch_reg *reg, const char *text,
			       uint8_t value[ARCH_REG_BYTES])
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

	if (hex ? parse_hex(text + 2, value)
		: arch.reg_parse_float(reg, text, value) || parse_decimal(text, reg->bits, value)) {
		if (fits(value, reg->bits))
			return NULL;
		return error_new("cannot set register %s to %s: it has %u bits", reg->name, text,
				 reg->bits);
	}
	return error_new("cannot set register %s to '%s': that is not a number it can hold; write "
			 "one as 0x1f, 31, or -1",
			 reg->name, text);
}

/* ---- assignments ---- */

struct assignment {
	struct arch_reg reg;
	const char *text;
	uint8_t value[ARCH_REG_BYTES];
};

struct assignments vec(struct assignment);

static struct error *parse(const struct arch_state *state, pid_t tid, const char *text,
			   struct assignment *assignment)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text)
		return error_new("cannot set '%s': write REGISTER=VALUE", text);
	char *name _cleanup_free_ = xasprintf("%.*s", (int)(equals - text), text);

	if (!arch.reg_find(state, name, &assignment->reg))
		return error_new("thread %d has no register '%s'; warp regs --flavor all %d shows "
				 "which it has",
				 tid, name, tid);
	assignment->text = equals + 1;
	return regs_parse_value(&assignment->reg, assignment->text, assignment->value);
}

static struct error *parse_all(const struct arch_state *state, pid_t tid, const char *const *texts,
			       size_t count, struct assignments *assignments)
{
	struct assignment assignment;

	for (size_t i = 0; i < count; i++) {
		try(parse(state, tid, texts[i], &assignment));
		vec_push(assignments, assignment);
	}
	return NULL;
}

/* Puts the values into the state; returns which flavors have changed. */
static unsigned apply(struct arch_state *state, const struct assignments *assignments)
{
	taddr pc = arch.pc(&state->regs);
	bool call_set = false;
	unsigned flavors = 0;

	vec_foreach (assignments, each) {
		int nr = arch.call_nr(&state->regs);

		arch.reg_set(state, &each->reg, each->value);
		call_set |= nr != arch.call_nr(&state->regs);
		flavors |= 1u << each->reg.flavor;
	}
	/* Otherwise an interrupted call would move the new program counter back to be made
	 * again. */
	if (arch.pc(&state->regs) != pc && !call_set)
		arch.call_skip(&state->regs);
	return flavors;
}

static struct error *verify(const struct arch_state *state, pid_t tid,
			    const struct assignments *assignments)
{
	uint8_t value[ARCH_REG_BYTES];

	vec_foreach (assignments, each) {
		arch.reg_get(state, &each->reg, value);
		if (memcmp(value, each->value, sizeof(value)))
			return error_new("register %s of thread %d does not take the value %s: "
					 "some of its bits cannot be set; nothing was changed",
					 each->reg.name, tid, each->text);
	}
	return NULL;
}

static struct error *refused(pid_t tid, enum arch_flavor flavor,
			     const struct assignments *assignments)
{
	struct error *error = error_os(errno, "the kernel refuses that (nothing was changed)");

	for (size_t i = assignments->count; i-- > 0;)
		if (assignments->items[i].reg.flavor == flavor)
			error = error_wrap(error, "%s=%s", assignments->items[i].reg.name,
					   assignments->items[i].text);
	return error_wrap(error, "cannot set registers of thread %d", tid);
}

/* One flavor at a time: then it is known which one was refused. */
static struct error *write_flavors(pid_t tid, unsigned flavors, const struct arch_state *state,
				   const struct assignments *assignments)
{
	for (int flavor = 0; flavor < ARCH_FLAVORS; flavor++)
		if (flavors >> flavor & 1 && !arch.state_write(tid, 1u << flavor, state))
			return refused(tid, (enum arch_flavor)flavor, assignments);
	return NULL;
}

static struct error *set_all(pid_t tid, struct arch_state *state, const struct arch_state *before,
			     const struct assignments *assignments)
{
	unsigned flavors = apply(state, assignments);
	struct error *error = write_flavors(tid, flavors, state, assignments);

	if (!error && !arch.state_read(tid, ALL_FLAVORS, state))
		error = error_os(errno, "cannot read the registers of thread %d", tid);
	if (!error)
		error = verify(state, tid, assignments);
	if (error)
		arch.state_write(tid, flavors, before);
	return error;
}

struct error *regs_set(struct live_task *task, const struct arch_layout *layout,
		       const char *const *texts, size_t count)
{
	struct arch_state before = {.layout = layout}, state = {.layout = layout};
	struct assignments assignments = {0};
	pid_t tid = task->tracee.tid;
	struct error *error;

	if (arch.state_read(tid, ALL_FLAVORS, &before) && arch.state_read(tid, ALL_FLAVORS, &state))
		error = parse_all(&before, tid, texts, count, &assignments);
	else
		error = error_os(errno, "cannot read the registers of thread %d", tid);
	if (!error)
		error = set_all(tid, &state, &before, &assignments);
	vec_deinit(&assignments);
	vec_deinit(&before.vector);
	vec_deinit(&state.vector);
	return error;
}
