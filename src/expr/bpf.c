/* From expressions to a seccomp program.
 *
 * The program first finds the call's number by halving, then tests the conditions of that call: so
 * the kernel can know beforehand which numbers always pass (the bitmap of kernel/seccomp.c since
 * 5.11 holds those for which the program reads nothing but number and architecture).
 *
 * Code is emitted from its end to its beginning: all jumps go forward, so each target is known when
 * its jump is emitted. A place is counted from the end.
 *
 * Invariant: a call that an expression may match gets options->match. What a program cannot decide
 * counts as whatever makes the whole true: conditions are walked with the sign under which they
 * stand, so that "unknown" below a "not" is false. */
#include <linux/bpf_common.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "arch/arch.h"
#include "expr/node.h"

#define JUMP_MAX    255
#define DATA(field) offsetof(struct seccomp_data, field)

typedef size_t place; /* instructions between it and the end, including its own */

/* What happens to the calls of a range of numbers. */
struct range {
	uint32_t first; /* up to the next range's */
	int nr;		/* whose choices */
	place code;
};

struct compiler {
	const struct expr *const *exprs;
	size_t count;
	struct expr_code code; /* backwards */
	place match, pass;
	size_t condition_limit; /* instructions of one condition; longer ones are left out */
	struct vec(struct range) ranges;
};

/* ---- instructions ---- */

static place emit(struct compiler *c, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	vec_push(&c->code, (struct sock_filter){code, jt, jf, k});
	return c->code.count;
}

/* How many instructions a jump that is emitted next skips to reach `to`. */
static size_t skip(const struct compiler *c, place to)
{
	return c->code.count - to;
}

/* A place near enough for a conditional jump, with room for one more jump between. */
static place near(struct compiler *c, place to)
{
	if (skip(c, to) <= JUMP_MAX - 1)
		return to;
	return emit(c, BPF_JMP | BPF_JA, (uint32_t)skip(c, to), 0, 0);
}

static place emit_branch(struct compiler *c, uint16_t how, uint32_t k, place yes, place no)
{
	place near_yes = near(c, yes), near_no = near(c, no);

	return emit(c, BPF_JMP | how | BPF_K, k, (uint8_t)skip(c, near_yes),
		    (uint8_t)skip(c, near_no));
}

/* ---- tests of arguments ---- */

/* A comparison that a program can make: (argument & mask) with a constant. */
struct test {
	enum node_kind kind; /* NODE_EQUAL, NODE_GREATER or NODE_GREATER_EQUAL */
	bool negated;
	struct sc_number number;
	uint8_t arg;
	uint64_t mask, constant;
};

static void normalise(struct test *test)
{
	switch (test->kind) {
	case NODE_NOT_EQUAL:
		test->kind = NODE_EQUAL;
		break;
	case NODE_LESS:
		test->kind = NODE_GREATER_EQUAL;
		break;
	case NODE_LESS_EQUAL:
		test->kind = NODE_GREATER;
		break;
	default:
		return;
	}
	test->negated = true;
}

/* False if the comparison is none that a program can make. */
static bool as_test(const struct node *node, struct test *test)
{
	const struct node *left = node->left;

	if (node->kind < NODE_EQUAL || node->kind > NODE_GREATER_EQUAL ||
	    node->right->kind != NODE_CONST)
		return false;
	*test = (struct test){.kind = node->kind,
			      .number = left->number,
			      .mask = UINT64_MAX,
			      .constant = node->right->bits};
	if (left->kind == NODE_AND_BITS) {
		const struct node *mask = left->left->kind == NODE_CONST ? left->left : left->right;

		left = left->left->kind == NODE_CONST ? left->right : left->left;
		if (mask->kind != NODE_CONST)
			return false;
		test->mask = mask->bits;
	}
	if (left->kind != NODE_ARG)
		return false;
	test->arg = left->arg;
	if (test->number.bits == 32)
		test->mask = (uint32_t)test->mask;
	normalise(test);
	return true;
}

/* Tests one half of the argument. Signed words are moved so that they compare as unsigned ones. */
static place emit_word(struct compiler *c, const struct test *test, bool high, enum node_kind kind,
		       place yes, place no)
{
	uint32_t mask = (uint32_t)(high ? test->mask >> 32 : test->mask);
	uint32_t constant = (uint32_t)(high ? test->constant >> 32 : test->constant);
	bool sign =
		test->number.is_signed && kind != NODE_EQUAL && high == (test->number.bits == 64);
	uint16_t how = kind == NODE_EQUAL ? BPF_JEQ : kind == NODE_GREATER ? BPF_JGT : BPF_JGE;

	emit_branch(c, how, sign ? constant ^ 0x80000000u : constant, yes, no);
	if (sign)
		emit(c, BPF_ALU | BPF_XOR | BPF_K, 0x80000000u, 0, 0);
	if (mask != UINT32_MAX)
		emit(c, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
	return emit(c, BPF_LD | BPF_W | BPF_ABS,
		    (uint32_t)(DATA(args) + 8 * test->arg + (high ? 4 : 0)), 0, 0);
}

static place emit_test(struct compiler *c, const struct test *test, place yes, place no)
{
	place low, equal;

	if (test->negated) {
		place other = yes;

		yes = no;
		no = other;
	}
	low = emit_word(c, test, false, test->kind, yes, no);
	if (test->number.bits == 32)
		return low;
	equal = emit_word(c, test, true, NODE_EQUAL, low, no);
	if (test->kind == NODE_EQUAL)
		return equal;
	return emit_word(c, test, true, NODE_GREATER, yes, equal);
}

/* ---- conditions ---- */

/* `positive`: the whole becomes true rather if this is true. */
static place emit_condition(struct compiler *c, const struct node *node, bool positive, place yes,
			    place no)
{
	struct test test;

	if (yes == no)
		return yes;
	switch (node->kind) {
	case NODE_BOOL:
		return node->bits ? yes : no;
	case NODE_NOT:
		return emit_condition(c, node->left, !positive, no, yes);
	case NODE_AND:
		return emit_condition(c, node->left, positive,
				      emit_condition(c, node->right, positive, yes, no), no);
	case NODE_OR:
		return emit_condition(c, node->left, positive, yes,
				      emit_condition(c, node->right, positive, yes, no));
	default:
		if (as_test(node, &test))
			return emit_test(c, &test, yes, no);
		return positive ? yes : no;
	}
}

/* As emit_condition(), for one that may be missing or too long. */
static place emit_choice(struct compiler *c, const struct choice *choice, bool positive, place yes,
			 place no)
{
	size_t before = c->code.count;
	place at;

	if (!choice->when)
		return yes;
	at = emit_condition(c, choice->when, positive, yes, no);
	if (c->code.count - before <= c->condition_limit)
		return at;
	c->code.count = before;
	return positive ? yes : no;
}

/* One expression's choices for a number: is one included and none excluded? */
static place emit_expr(struct compiler *c, const struct expr *expr, int nr, place no)
{
	const struct choice *begin, *end, *choice;
	place included = c->match, at = no;

	expr_choices(expr, nr, &begin, &end);
	for (choice = begin; choice < end; choice++)
		if (choice->exclude)
			included = emit_choice(c, choice, false, no, included);
	for (choice = begin; choice < end; choice++)
		if (!choice->exclude)
			at = emit_choice(c, choice, true, included, at);
	return at;
}

static place emit_call(struct compiler *c, int nr)
{
	place at = c->pass;

	for (size_t i = 0; i < c->count; i++)
		at = emit_expr(c, c->exprs[i], nr, at);
	return at;
}

/* ---- numbers ---- */

static bool same_tree(const struct node *a, const struct node *b)
{
	if (!a || !b)
		return a == b;
	if (a->kind != b->kind || a->arg != b->arg || a->bits != b->bits ||
	    a->number.bits != b->number.bits || a->number.is_signed != b->number.is_signed)
		return false;
	/* what a text is compared with makes no difference to the program */
	if (a->kind == NODE_TEXT_IS)
		return true;
	return same_tree(a->left, b->left) && same_tree(a->right, b->right);
}

static bool same_choices(const struct expr *expr, int nr, int other)
{
	const struct choice *a, *a_end, *b, *b_end;

	expr_choices(expr, nr, &a, &a_end);
	expr_choices(expr, other, &b, &b_end);
	if (a_end - a != b_end - b)
		return false;
	for (; a < a_end; a++, b++)
		if (a->exclude != b->exclude || !same_tree(a->when, b->when))
			return false;
	return true;
}

static bool same_calls(const struct compiler *c, int nr, int other)
{
	for (size_t i = 0; i < c->count; i++)
		if (!same_choices(c->exprs[i], nr, other))
			return false;
	return true;
}

static void add_range(struct compiler *c, uint32_t first, int nr)
{
	struct range *last = c->ranges.count ? &c->ranges.items[c->ranges.count - 1] : NULL;

	if (!last || !same_calls(c, last->nr, nr))
		vec_push(&c->ranges, (struct range){.first = first, .nr = nr});
}

/* The numbers that the table has, and those between and behind them. */
static void find_ranges(struct compiler *c)
{
	uint32_t next = 0;

	for (size_t i = 0; i < sc_row_count(); i++) {
		uint32_t nr = (uint32_t)sc_row_at(i)->nr;

		if (nr != next)
			add_range(c, next, OTHER_CALLS);
		add_range(c, nr, (int)nr);
		next = nr + 1;
	}
	add_range(c, next, OTHER_CALLS);
}

/* Halves the ranges [low, high) until one is left. */
static place emit_dispatch(struct compiler *c, size_t low, size_t high)
{
	size_t middle = low + (high - low) / 2;
	place left, right;

	if (high - low == 1)
		return c->ranges.items[low].code;
	right = emit_dispatch(c, middle, high);
	left = emit_dispatch(c, low, middle);
	if (left == right)
		return left;
	return emit_branch(c, BPF_JGE, c->ranges.items[middle].first, right, left);
}

/* Code that passes the calls of our own page and otherwise goes on to `at`. */
static place emit_page_test(struct compiler *c, place at)
{
	emit_branch(c, BPF_JEQ, (uint32_t)WARP_CODE_PAGE + 2, c->pass, at);
	emit(c, BPF_LD | BPF_W | BPF_ABS, DATA(instruction_pointer), 0, 0);
	emit_branch(c, BPF_JEQ, (uint32_t)(WARP_CODE_PAGE >> 32), c->code.count, at);
	return emit(c, BPF_LD | BPF_W | BPF_ABS, DATA(instruction_pointer) + 4, 0, 0);
}

/* The code of each range, once for equal ones. */
static void emit_ranges(struct compiler *c)
{
	for (size_t i = 0; i < c->ranges.count; i++) {
		struct range *range = &c->ranges.items[i];
		size_t same = 0;

		while (same < i && !same_calls(c, c->ranges.items[same].nr, range->nr))
			same++;
		range->code = same < i ? c->ranges.items[same].code : emit_call(c, range->nr);
	}
}

static void compile(struct compiler *c, const struct expr_bpf_options *options)
{
	place foreign, start;

	vec_clear(&c->code);
	foreign = emit(c, BPF_RET | BPF_K, options->foreign, 0, 0);
	c->pass = emit(c, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	c->match = emit(c, BPF_RET | BPF_K, options->match, 0, 0);
	c->match = emit_page_test(c, c->match);
	emit_ranges(c);
	start = emit_dispatch(c, 0, c->ranges.count);
	if (start != c->code.count)
		start = emit(c, BPF_JMP | BPF_JA, (uint32_t)skip(c, start), 0, 0);
	start = emit(c, BPF_LD | BPF_W | BPF_ABS, DATA(nr), 0, 0);
	emit_branch(c, BPF_JEQ, arch.audit_arch, start, foreign);
	emit(c, BPF_LD | BPF_W | BPF_ABS, DATA(arch), 0, 0);
}

void expr_bpf(const struct expr *const *exprs, size_t count, const struct expr_bpf_options *options,
	      struct expr_code *code)
{
	struct compiler c = {.exprs = exprs, .count = count, .condition_limit = BPF_MAXINSNS};

	find_ranges(&c);
	compile(&c, options);
	while (c.code.count > BPF_MAXINSNS) {
		c.condition_limit /= 4;
		compile(&c, options);
	}
	for (size_t i = c.code.count; i-- > 0;)
		vec_push(code, c.code.items[i]);
	vec_deinit(&c.code);
	vec_deinit(&c.ranges);
}
