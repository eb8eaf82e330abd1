/* Evaluation of an expression at a call, in three values: at entry, what depends on the result is
 * unknown, and "and", "or" and "not" carry that on where it matters.
 * Invariant: memory of the caller is read only where the answer needs it, and never more than
 * TEXT_ROOM bytes of a text. */
#include <string.h>

#include "expr/glob.h"
#include "expr/node.h"
#include "util/cleanup.h"

/* Longer than any path (PATH_MAX is 4096); of a buffer, its beginning. */
#define TEXT_ROOM 65536
#define CHUNK	  256
#define MAX_ERRNO 4095

struct evaluation {
	const struct expr_call *at;
	const struct sc_row *row;
	struct expr_memo memo; /* read, and at entry also written */
	bool ended;	       /* the result may be used */
};

/* ---- values ---- */

static __int128 true_value(struct value value)
{
	return value.is_signed ? (__int128)(int64_t)value.bits : (__int128)value.bits;
}

bool value_compare(enum node_kind kind, struct value a, struct value b)
{
	__int128 x = true_value(a), y = true_value(b);

	switch (kind) {
	case NODE_EQUAL:
		return x == y;
	case NODE_NOT_EQUAL:
		return x != y;
	case NODE_LESS:
		return x < y;
	case NODE_LESS_EQUAL:
		return x <= y;
	case NODE_GREATER:
		return x > y;
	default:
		return x >= y;
	}
}

static uint64_t shift(enum node_kind kind, uint64_t bits, uint64_t count)
{
	if (count > 63)
		return 0;
	return kind == NODE_SHIFT_LEFT ? bits << count : bits >> count;
}

static uint64_t apply_bits(enum node_kind kind, uint64_t a, uint64_t b)
{
	switch (kind) {
	case NODE_AND_BITS:
		return a & b;
	case NODE_OR_BITS:
		return a | b;
	case NODE_XOR_BITS:
		return a ^ b;
	case NODE_COMPLEMENT:
		return ~a;
	case NODE_NEGATIVE:
		return -a;
	case NODE_ADD:
		return a + b;
	case NODE_SUBTRACT:
		return a - b;
	case NODE_MULTIPLY:
		return a * b;
	default:
		return shift(kind, a, b);
	}
}

/* Operands come with their signs extended to 64 bits; a result of 32 bits is cut here. */
struct value value_apply(enum node_kind kind, struct sc_number number, struct value a,
			 struct value b)
{
	struct value result = {.is_signed = number.is_signed, .known = a.known && b.known};
	bool right = kind == NODE_SHIFT_RIGHT && number.bits == 32;

	result.bits = apply_bits(kind, right ? (uint32_t)a.bits : a.bits, b.bits);
	if (number.bits == 32)
		result.bits = number.is_signed ? (uint64_t)(int64_t)(int32_t)result.bits
					       : (uint32_t)result.bits;
	return result;
}

static struct value argument(const struct evaluation *e, const struct node *node)
{
	uint64_t bits = e->at->call->args[node->arg];

	if (node->number.bits == 32)
		bits = node->number.is_signed ? (uint64_t)(int64_t)(int32_t)bits : (uint32_t)bits;
	return (struct value){bits, node->number.is_signed, true};
}

static bool failed(const struct evaluation *e)
{
	return e->at->call->result < 0 && e->at->call->result >= -MAX_ERRNO;
}

static struct value number_of(const struct evaluation *e, const struct node *node)
{
	switch (node->kind) {
	case NODE_CONST:
		return value_const(node);
	case NODE_ARG:
		return argument(e, node);
	case NODE_RET:
		return (struct value){failed(e) ? UINT64_MAX : (uint64_t)e->at->call->result, true,
				      e->ended};
	case NODE_ERRNO:
		return (struct value){failed(e) ? (uint64_t)-e->at->call->result : 0, true,
				      e->ended};
	case NODE_PID:
		return (struct value){(uint64_t)e->at->process->pid, true, true};
	case NODE_TID:
		return (struct value){(uint64_t)e->at->process->tid, true, true};
	default:
		return value_apply(node->kind, node->number, number_of(e, node->left),
				   node->right ? number_of(e, node->right)
					       : (struct value){.known = true});
	}
}

struct value node_value(const struct node *node, const struct expr_call *at)
{
	struct evaluation e = {.at = at, .ended = at->call->ended};

	return number_of(&e, node);
}

/* ---- texts ---- */

/* Up to the NUL. False if there is none within reach. */
static bool read_string(const struct sc_memory *memory, taddr addr, struct bytes *out)
{
	while (out->count < TEXT_ROOM) {
		/* Not across a page that may not be there, and never far beyond the NUL. */
		size_t want = CHUNK - addr % CHUNK, got;
		unsigned char *nul;

		vec_reserve(out, want);
		got = memory->read(memory->context, addr, out->items + out->count, want);
		nul = got ? memchr(out->items + out->count, 0, got) : NULL;
		if (nul) {
			out->count = (size_t)(nul - out->items);
			return true;
		}
		if (got < want)
			return false;
		out->count += got;
		addr += got;
	}
	return false;
}

static uint64_t buffer_length(const struct evaluation *e, const struct sc_arg *arg)
{
	uint64_t length = arg->size, count = e->at->call->args[arg->size_arg];

	if (arg->size_kind == SC_S_CONST)
		return length;
	if (arg->size_kind == SC_S_ARG_RET) {
		if (failed(e))
			return 0;
		count = (uint64_t)e->at->call->result < count ? (uint64_t)e->at->call->result
							      : count;
	}
	return length && count > TEXT_ROOM / length ? TEXT_ROOM : count * length;
}

static bool read_buffer(const struct evaluation *e, const struct sc_arg *arg, taddr addr,
			struct bytes *out)
{
	size_t length = buffer_length(e, arg);

	vec_reserve(out, length + 1);
	out->count = e->at->memory->read(e->at->memory->context, addr, out->items, length);
	/* getcwd's result counts the NUL */
	if (arg->type == SC_T_PATH && out->count && !out->items[out->count - 1])
		out->count--;
	return out->count == length || arg->type == SC_T_PATH;
}

static bool read_argument(const struct evaluation *e, const struct node *node, struct bytes *out)
{
	const struct sc_arg *arg = &e->row->args[node->arg];
	taddr addr = e->at->call->args[node->arg];

	if (arg->size_kind == SC_S_CSTR)
		return read_string(e->at->memory, addr, out);
	return read_buffer(e, arg, addr, out);
}

static bool read_text(const struct evaluation *e, const struct node *node, struct bytes *out)
{
	const struct expr_process *process = e->at->process;

	if (node->source == TEXT_ARG)
		return read_argument(e, node, out);
	vec_reserve(out, 4096);
	if (node->source == TEXT_COMM && process->comm)
		out->count = process->comm(process->context, (char *)out->items, 4096);
	else if (node->source == TEXT_FD_PATH && process->fd_path)
		out->count = process->fd_path(process->context, (int)e->at->call->args[node->arg],
					      (char *)out->items, 4096);
	return out->count > 0;
}

/* Will the kernel write this text during the call? */
static bool is_output(const struct evaluation *e, const struct node *node)
{
	return node->source == TEXT_ARG && e->row->args[node->arg].dir == SC_OUT;
}

static enum expr_answer text_is(struct evaluation *e, const struct node *node)
{
	const struct bytes *pattern = &node->right->string;
	uint64_t bit = node->leaf == NO_LEAF ? 0 : 1ull << node->leaf;
	struct bytes text = {0};
	bool is;

	if (e->memo.known & bit)
		return e->memo.truth & bit ? EXPR_YES : EXPR_NO;
	if (is_output(e, node) && !e->ended)
		return EXPR_MAYBE;
	is = read_text(e, node, &text) && glob_match((const char *)pattern->items, pattern->count,
						     (const char *)text.items, text.count);
	vec_deinit(&text);
	if (!e->ended) {
		e->memo.known |= bit;
		e->memo.truth |= is ? bit : 0;
	}
	return is ? EXPR_YES : EXPR_NO;
}

/* ---- conditions ---- */

static enum expr_answer compare(const struct evaluation *e, const struct node *node)
{
	struct value left = number_of(e, node->left), right = number_of(e, node->right);

	if (!left.known || !right.known)
		return EXPR_MAYBE;
	return value_compare(node->kind, left, right) ? EXPR_YES : EXPR_NO;
}

static enum expr_answer not(enum expr_answer answer) {
	return answer == EXPR_MAYBE ? EXPR_MAYBE : answer == EXPR_NO ? EXPR_YES : EXPR_NO;
}

static enum expr_answer evaluate(struct evaluation *e, const struct node *node)
{
	/* what decides an "or", and what its negation decides an "and" */
	enum expr_answer decides = node->kind == NODE_OR ? EXPR_YES : EXPR_NO, left, right;

	switch (node->kind) {
	case NODE_BOOL:
		return node->bits ? EXPR_YES : EXPR_NO;
	case NODE_TEXT_IS:
		return text_is(e, node);
	case NODE_NOT:
		return not(evaluate(e, node->left));
	case NODE_AND:
	case NODE_OR:
		left = evaluate(e, node->left);
		if (left == decides)
			return left;
		right = evaluate(e, node->right);
		if (right == decides || left == not(decides))
			return right;
		return EXPR_MAYBE;
	default:
		return compare(e, node);
	}
}

/* ---- expressions ---- */

/* The first choice whose number is not below `nr`. */
static const struct choice *lower_bound(const struct expr *expr, int nr)
{
	size_t low = 0, high = expr->choices.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (expr->choices.items[middle].nr < nr)
			low = middle + 1;
		else
			high = middle;
	}
	return expr->choices.items + low;
}

void expr_choices(const struct expr *expr, int nr, const struct choice **begin,
		  const struct choice **end)
{
	if (!sc_row(nr))
		nr = OTHER_CALLS;
	*begin = lower_bound(expr, nr);
	*end = lower_bound(expr, nr + 1);
}

static enum expr_answer match(const struct expr *expr, struct evaluation *e)
{
	enum expr_answer included = EXPR_NO, excluded = EXPR_NO, answer;
	const struct choice *choice, *end;

	e->row = sc_row(e->at->call->nr);
	for (expr_choices(expr, e->at->call->nr, &choice, &end); choice < end; choice++) {
		enum expr_answer *sum = choice->exclude ? &excluded : &included;

		if (*sum == EXPR_YES)
			continue;
		answer = choice->when ? evaluate(e, choice->when) : EXPR_YES;
		if (answer != EXPR_NO)
			*sum = answer;
	}
	if (included == EXPR_NO || excluded == EXPR_YES)
		return EXPR_NO;
	return included == EXPR_YES && excluded == EXPR_NO ? EXPR_YES : EXPR_MAYBE;
}

enum expr_answer expr_match_entry(const struct expr *expr, const struct expr_call *at,
				  struct expr_memo *memo)
{
	struct evaluation e = {.at = at};
	enum expr_answer answer;

	if (memo)
		e.memo = *memo;
	answer = match(expr, &e);
	if (memo)
		*memo = e.memo;
	return answer;
}

bool expr_match_exit(const struct expr *expr, const struct expr_call *at,
		     const struct expr_memo *memo)
{
	struct evaluation e = {.at = at, .ended = true};

	if (memo)
		e.memo = *memo;
	return match(expr, &e) == EXPR_YES;
}

bool expr_may_match(const struct expr *expr, int nr)
{
	const struct choice *choice, *end;
	bool included = false;

	for (expr_choices(expr, nr, &choice, &end); choice < end; choice++) {
		if (choice->exclude && !choice->when)
			return false;
		included |= !choice->exclude;
	}
	return included;
}

/* Does the tree hold what is known only at the end? */
bool node_needs_result(const struct sc_row *row, const struct node *node)
{
	if (!node)
		return false;
	if (node->kind == NODE_RET || node->kind == NODE_ERRNO)
		return true;
	if (node->kind == NODE_TEXT_IS)
		return node->source == TEXT_ARG && row->args[node->arg].dir == SC_OUT;
	return node_needs_result(row, node->left) || node_needs_result(row, node->right);
}

bool expr_needs_result(const struct expr *expr, int nr)
{
	const struct choice *choice, *end;

	for (expr_choices(expr, nr, &choice, &end); choice < end; choice++)
		if (node_needs_result(sc_row(nr), choice->when))
			return true;
	return false;
}
