/* From names to arguments and constants: a condition as it reads for one call.
 *
 * Numbers have the width and sign that the kernel gives the argument. A constant compared with ==
 * or != takes the other side's type: -1 and 0xffffffff are the same descriptor. For an order it
 * must be a value that the type has. Comparisons are then of true values, whatever the signs.
 * Invariant: in a bound tree, a comparison's constant is on its right; what consists of constants
 * only is one NODE_CONST or NODE_BOOL; NODE_NAME, NODE_STRING (but in NODE_TEXT_IS), NODE_COMM and
 * NODE_PATH do not occur. */
#include <stdio.h>
#include <string.h>

#include "expr/node.h"
#include "expr/similar.h"
#include "util/cleanup.h"

struct binder {
	struct expr *expr;
	const struct lexer *lexer;
	const struct sc_row *row;
	bool several;
	const struct node *lacks;
};

static struct error *bind(struct binder *b, const struct node *from, struct node **out);

/* ---- names ---- */

static struct node *make(struct binder *b, enum node_kind kind, enum node_type type,
			 const struct node *like)
{
	struct node *node = node_new(b->expr, kind, like->at);

	node->type = type;
	node->number = (struct sc_number){64, true};
	return node;
}

static struct node *make_arg(struct binder *b, const struct node *from, unsigned arg)
{
	struct node *node = make(b, NODE_ARG, TYPE_NUMBER, from);

	node->arg = (uint8_t)arg;
	node->number = b->row && arg < b->row->nargs ? sc_arg_number(&b->row->args[arg])
						     : (struct sc_number){64, false};
	return node;
}

int argument_index(const struct sc_row *row, const char *name)
{
	for (unsigned i = 0; row && i < row->nargs; i++)
		if (!strcmp(row->args[i].name, name))
			return (int)i;
	if (name[0] == 'a' && name[1] >= '0' && name[1] < '0' + SC_ARGS && !name[2])
		return name[1] - '0';
	return row && !strcmp(name, "fd") ? row->fd_arg : -1;
}

static struct node *argument_by_name(struct binder *b, const struct node *from)
{
	int arg = argument_index(b->row, from->name);

	return arg < 0 ? NULL : make_arg(b, from, (unsigned)arg);
}

static bool is_path(const struct sc_arg *arg)
{
	return arg->type == SC_T_PATH && arg->dir == SC_IN;
}

static bool has_path(const struct sc_row *row)
{
	for (unsigned i = 0; row && i < row->nargs; i++)
		if (is_path(&row->args[i]))
			return true;
	return false;
}

static const struct {
	const char *name;
	enum node_kind kind;
	enum node_type type;
} things[] = {
	{"ret", NODE_RET, TYPE_NUMBER},	       {"errno", NODE_ERRNO, TYPE_NUMBER},
	{"pid", NODE_PID, TYPE_NUMBER},	       {"tid", NODE_TID, TYPE_NUMBER},
	{"caller_pid", NODE_PID, TYPE_NUMBER}, {"caller_tid", NODE_TID, TYPE_NUMBER},
	{"comm", NODE_COMM, TYPE_TEXT},
};

static struct node *thing_by_name(struct binder *b, const struct node *from)
{
	for (size_t i = 0; i < sizeof(things) / sizeof(*things); i++)
		if (!strcmp(things[i].name, from->name))
			return make(b, things[i].kind, things[i].type, from);
	if (!strcmp(from->name, "path") && has_path(b->row))
		return make(b, NODE_PATH, TYPE_TEXT, from);
	return NULL;
}

static struct node *make_const(struct binder *b, const struct node *from, struct value value)
{
	struct node *node = make(b, NODE_CONST, TYPE_NUMBER, from);

	node->bits = value.bits;
	node->number.is_signed = value.is_signed;
	return node;
}

/* Written as constants are. */
static bool is_capital(const char *name)
{
	return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(name);
}

static void look_at_constant(void *context, const char *name)
{
	similar_look(context, name);
}

/* What is known in its place. */
static struct error *unknown_constant(struct binder *b, const struct node *from)
{
	struct similar similar = similar_to(from->name, 6);
	char *what _cleanup_free_ =
		b->row && !b->several
			? xasprintf("%s has no argument '%s', and there is no constant of that "
				    "name",
				    b->row->name, from->name)
			: xasprintf("there is nothing named '%s'", from->name);

	sc_constant_names(look_at_constant, &similar);
	if (similar.found)
		return lex_error_at(b->lexer, from->at, "%s; do you mean '%s'?", what,
				    similar.found);
	if (!strncmp(from->name, "SIG", 3))
		return lex_error_at(b->lexer, from->at,
				    "%s; signals have the names that signal(7) lists, such as "
				    "SIGTERM",
				    what);
	if (*from->name == 'E')
		return lex_error_at(b->lexer, from->at,
				    "%s; errors have the names that errno(3) lists, such as ENOENT",
				    what);
	return lex_error_at(b->lexer, from->at,
			    "%s; constants have the names that warp trace prints, such as "
			    "O_RDONLY or PROT_EXEC",
			    what);
}

static struct error *unknown_name(struct binder *b, const struct node *from)
{
	char *names _cleanup_free_ = xstrdup("");

	if (is_capital(from->name))
		return unknown_constant(b, from);
	if (!b->row)
		return lex_error_at(b->lexer, from->at, "there is nothing named '%s'", from->name);
	if (b->several)
		return lex_error_at(b->lexer, from->at,
				    "no system call has an argument '%s', and there is nothing "
				    "else of that name (expressions.md lists what there is)",
				    from->name);
	if (!b->row->nargs)
		return lex_error_at(b->lexer, from->at,
				    "%s has no argument '%s': it has none at all", b->row->name,
				    from->name);
	for (unsigned i = 0; i < b->row->nargs; i++) {
		char *more = xasprintf("%s%s%s", names, i ? ", " : "", b->row->args[i].name);

		free(names);
		names = more;
	}
	return lex_error_at(b->lexer, from->at, "%s has no argument '%s'; its arguments are %s",
			    b->row->name, from->name, names);
}

/* Does any call have an argument of this name? Then it may be missing in some calls of a class. */
static bool is_some_argument(const char *name)
{
	if (!strcmp(name, "path") || !strcmp(name, "fd"))
		return true;
	for (size_t i = 0; i < sc_row_count(); i++)
		for (unsigned arg = 0; arg < sc_row_at(i)->nargs; arg++)
			if (!strcmp(sc_row_at(i)->args[arg].name, name))
				return true;
	return false;
}

/* Where one call is named, its own arguments come first: kill(pid == 1). Where several are, pid is
 * the caller in all of them. */
static struct error *bind_name(struct binder *b, const struct node *from, struct node **out)
{
	int64_t value;

	*out = b->several ? thing_by_name(b, from) : argument_by_name(b, from);
	if (!*out)
		*out = b->several ? argument_by_name(b, from) : thing_by_name(b, from);
	if (!*out && sc_constant(from->name, &value))
		*out = make_const(b, from, (struct value){(uint64_t)value, true, true});
	if (*out)
		return NULL;
	if (!b->several || !is_some_argument(from->name))
		return unknown_name(b, from);
	b->lacks = from;
	*out = make_const(b, from, (struct value){0});
	return NULL;
}

/* ---- numbers ---- */

static struct error *want_number(struct binder *b, const struct node *node)
{
	if (node->type == TYPE_NUMBER)
		return NULL;
	return lex_error_at(b->lexer, node->at,
			    node->type == TYPE_TEXT
				    ? "this is a text: it can only be compared, with == or !="
				    : "this is a condition, and a number is needed");
}

struct value value_const(const struct node *node)
{
	return (struct value){node->bits, node->number.is_signed, true};
}

static bool is_const(const struct node *node)
{
	return node->kind == NODE_CONST;
}

/* Does the constant have a bit pattern of this width? */
static bool fits_pattern(const struct node *node, struct sc_number number)
{
	if (number.bits == 64)
		return true;
	if (node->number.is_signed)
		return (int64_t)node->bits >= INT32_MIN && (int64_t)node->bits <= UINT32_MAX;
	return node->bits <= UINT32_MAX;
}

/* Is it a value of the type? */
static bool fits_value(const struct node *node, struct sc_number number)
{
	struct value low = {number.is_signed ? (uint64_t)INT64_MIN : 0, number.is_signed, true};
	struct value high = {number.is_signed ? INT64_MAX : UINT64_MAX, number.is_signed, true};

	if (number.bits == 32) {
		low.bits = number.is_signed ? (uint64_t)(int64_t)INT32_MIN : 0;
		high.bits = number.is_signed ? INT32_MAX : UINT32_MAX;
	}
	return value_compare(NODE_GREATER_EQUAL, value_const(node), low) &&
	       value_compare(NODE_LESS_EQUAL, value_const(node), high);
}

/* The constant's bit pattern as a value of the type. */
static void convert(struct node *node, struct sc_number number)
{
	if (number.bits == 32)
		node->bits = number.is_signed ? (uint64_t)(int64_t)(int32_t)node->bits
					      : (uint32_t)node->bits;
	node->number = number;
}

static struct error *too_wide(struct binder *b, const struct node *constant,
			      struct sc_number number)
{
	return lex_error_at(b->lexer, constant->at,
			    "this is compared with %d bits that are %ssigned, which never have "
			    "this value",
			    number.bits, number.is_signed ? "" : "un");
}

static bool is_bits(enum node_kind kind)
{
	return kind == NODE_AND_BITS || kind == NODE_OR_BITS || kind == NODE_XOR_BITS ||
	       kind == NODE_COMPLEMENT || kind == NODE_SHIFT_LEFT || kind == NODE_SHIFT_RIGHT;
}

/* The type of an operator's result. Bits have no sign and the width of the wider operand that is no
 * constant; arithmetic is in 64 bits, with a sign if both operands have one. */
static struct error *type_operator(struct binder *b, struct node *node)
{
	struct node *left = node->left, *right = node->right;
	bool shift = node->kind == NODE_SHIFT_LEFT || node->kind == NODE_SHIFT_RIGHT;

	if (!is_bits(node->kind)) {
		node->number.is_signed =
			left->number.is_signed && (!right || right->number.is_signed);
		if (node->kind == NODE_NEGATIVE)
			node->number.is_signed = true;
		return NULL;
	}
	if (!right || shift || (is_const(right) && !is_const(left)))
		node->number = left->number;
	else if (is_const(left) && !is_const(right))
		node->number = right->number;
	else
		node->number.bits = left->number.bits > right->number.bits ? left->number.bits
									   : right->number.bits;
	node->number.is_signed = is_const(left) && (!right || is_const(right)) &&
				 left->number.is_signed && (!right || right->number.is_signed);
	if (shift)
		return NULL;
	if (!fits_pattern(left, node->number) && is_const(left))
		return too_wide(b, left, node->number);
	if (right && is_const(right) && !fits_pattern(right, node->number))
		return too_wide(b, right, node->number);
	return NULL;
}

static struct error *bind_operator(struct binder *b, const struct node *from, struct node **out)
{
	struct node *node = make(b, from->kind, TYPE_NUMBER, from);

	try(bind(b, from->left, &node->left));
	try(want_number(b, node->left));
	if (from->right) {
		try(bind(b, from->right, &node->right));
		try(want_number(b, node->right));
	}
	try(type_operator(b, node));
	*out = node;
	if (is_const(node->left) && (!node->right || is_const(node->right)))
		*out = make_const(b, from,
				  value_apply(node->kind, node->number, value_const(node->left),
					      node->right ? value_const(node->right)
							  : (struct value){.known = true}));
	return NULL;
}

/* ---- comparisons ---- */

static struct node *text_leaf(struct binder *b, const struct node *from, enum text_source source,
			      unsigned arg, struct node *string)
{
	struct node *node = make(b, NODE_TEXT_IS, TYPE_CONDITION, from);

	node->source = source;
	node->arg = (uint8_t)arg;
	node->right = string;
	return node;
}

/* Any of the call's paths. */
static struct node *path_leaves(struct binder *b, const struct node *from, struct node *string)
{
	struct node *all = NULL;

	for (unsigned i = 0; i < b->row->nargs; i++) {
		struct node *leaf;

		if (!is_path(&b->row->args[i]))
			continue;
		leaf = text_leaf(b, from, TEXT_ARG, i, string);
		if (all) {
			struct node * or = make(b, NODE_OR, TYPE_CONDITION, from);

			or->left = all;
			or->right = leaf;
			all = or ;
		} else {
			all = leaf;
		}
	}
	return all;
}

static bool points_at_text(const struct sc_arg *arg)
{
	return arg->dir != SC_VALUE && arg->dir != SC_INOUT &&
	       (arg->size_kind == SC_S_CSTR || sc_arg_is_bytes(arg) || arg->type == SC_T_PATH ||
		arg->type == SC_T_STR || arg->type == SC_T_XATTR_VALUE);
}

static struct error *bind_text(struct binder *b, const struct node *text, struct node *string,
			       struct node **out)
{
	const struct sc_arg *arg = NULL;

	if (text->kind == NODE_ARG && b->row && text->arg < b->row->nargs)
		arg = &b->row->args[text->arg];
	if (text->kind == NODE_COMM)
		*out = text_leaf(b, text, TEXT_COMM, 0, string);
	else if (text->kind == NODE_PATH)
		*out = path_leaves(b, text, string);
	else if (arg && (arg->type == SC_T_FD || arg->type == SC_T_DIRFD))
		*out = text_leaf(b, text, TEXT_FD_PATH, text->arg, string);
	else if (arg && points_at_text(arg))
		*out = text_leaf(b, text, TEXT_ARG, text->arg, string);
	else if (b->lacks)
		*out = make(b, NODE_BOOL, TYPE_CONDITION, text);
	else
		return lex_error_at(b->lexer, text->at,
				    "this has no text that could be compared with a string");
	return NULL;
}

static struct node *negate(struct binder *b, struct node *condition)
{
	struct node *node = make(b, NODE_NOT, TYPE_CONDITION, condition);

	node->left = condition;
	return node;
}

static struct error *compare_texts(struct binder *b, struct node *node, struct node **out)
{
	struct node *text = node->left, *string = node->right;

	if (text->kind == NODE_STRING) {
		text = node->right;
		string = node->left;
	}
	if (node->kind != NODE_EQUAL && node->kind != NODE_NOT_EQUAL)
		return lex_error_at(b->lexer, node->at, "texts are compared with == or != only");
	if (string->kind != NODE_STRING || text->kind == NODE_STRING)
		return lex_error_at(b->lexer, node->at,
				    "a text is compared with a string, as in comm == \"cc1\"");
	try(bind_text(b, text, string, out));
	if (node->kind == NODE_NOT_EQUAL)
		*out = negate(b, *out);
	return NULL;
}

static enum node_kind mirror(enum node_kind kind)
{
	switch (kind) {
	case NODE_LESS:
		return NODE_GREATER;
	case NODE_LESS_EQUAL:
		return NODE_GREATER_EQUAL;
	case NODE_GREATER:
		return NODE_LESS;
	case NODE_GREATER_EQUAL:
		return NODE_LESS_EQUAL;
	default:
		return kind;
	}
}

static struct error *compare_numbers(struct binder *b, struct node *node, struct node **out)
{
	bool order = node->kind != NODE_EQUAL && node->kind != NODE_NOT_EQUAL;

	try(want_number(b, node->left));
	try(want_number(b, node->right));
	*out = node;
	if (is_const(node->left) && is_const(node->right)) {
		*out = make(b, NODE_BOOL, TYPE_CONDITION, node);
		(*out)->bits = value_compare(node->kind, value_const(node->left),
					     value_const(node->right));
		return NULL;
	}
	if (is_const(node->left)) {
		struct node *constant = node->left;

		node->left = node->right;
		node->right = constant;
		node->kind = mirror(node->kind);
	}
	if (!is_const(node->right))
		return NULL;
	if (order ? !fits_value(node->right, node->left->number)
		  : !fits_pattern(node->right, node->left->number))
		return too_wide(b, node->right, node->left->number);
	convert(node->right, node->left->number);
	return NULL;
}

static struct error *bind_comparison(struct binder *b, const struct node *from, struct node **out)
{
	struct node *node = make(b, from->kind, TYPE_CONDITION, from);

	try(bind(b, from->left, &node->left));
	try(bind(b, from->right, &node->right));
	if (node->left->type == TYPE_TEXT || node->right->type == TYPE_TEXT)
		return compare_texts(b, node, out);
	return compare_numbers(b, node, out);
}

/* ---- conditions ---- */

/* A number as a condition: is it not zero? */
static struct error *as_condition(struct binder *b, struct node **node)
{
	struct node *comparison;

	if ((*node)->type == TYPE_CONDITION)
		return NULL;
	if ((*node)->type == TYPE_TEXT)
		return lex_error_at(b->lexer, (*node)->at,
				    "a text is no condition: compare it with a string");
	comparison = make(b, NODE_NOT_EQUAL, TYPE_CONDITION, *node);
	comparison->left = *node;
	comparison->right = make_const(b, *node, (struct value){0, true, true});
	return compare_numbers(b, comparison, node);
}

static struct error *bind_logic(struct binder *b, const struct node *from, struct node **out)
{
	struct node *node = make(b, from->kind, TYPE_CONDITION, from);

	try(bind(b, from->left, &node->left));
	try(as_condition(b, &node->left));
	if (from->right) {
		try(bind(b, from->right, &node->right));
		try(as_condition(b, &node->right));
	}
	*out = node;
	return NULL;
}

static struct error *bind_literal(struct binder *b, const struct node *from, struct node **out)
{
	if (from->kind == NODE_CONST) {
		*out = make_const(b, from, value_const(from));
		return NULL;
	}
	*out = make(b, NODE_STRING, TYPE_TEXT, from);
	vec_append(&(*out)->string, from->string.items, from->string.count);
	return NULL;
}

static struct error *bind(struct binder *b, const struct node *from, struct node **out)
{
	switch (from->kind) {
	case NODE_NAME:
		return bind_name(b, from, out);
	case NODE_CONST:
	case NODE_STRING:
		return bind_literal(b, from, out);
	case NODE_NOT:
	case NODE_AND:
	case NODE_OR:
		return bind_logic(b, from, out);
	case NODE_EQUAL:
	case NODE_NOT_EQUAL:
	case NODE_LESS:
	case NODE_LESS_EQUAL:
	case NODE_GREATER:
	case NODE_GREATER_EQUAL:
		return bind_comparison(b, from, out);
	default:
		return bind_operator(b, from, out);
	}
}

struct error *bind_condition(struct expr *expr, const struct lexer *lexer, const struct sc_row *row,
			     bool several, const struct node *from, const struct node **lacks,
			     struct node **out)
{
	struct binder binder = {.expr = expr, .lexer = lexer, .row = row, .several = several};
	struct node *node;

	try(bind(&binder, from, &node));
	try(as_condition(&binder, &node));
	if (binder.lacks)
		*lacks = binder.lacks;
	*out = binder.lacks ? NULL : node;
	return NULL;
}

struct error *bind_value(struct expr *expr, const struct lexer *lexer, const struct sc_row *row,
			 bool several, const struct node *from, struct node **out)
{
	struct binder binder = {.expr = expr, .lexer = lexer, .row = row, .several = several};

	try(bind(&binder, from, out));
	if (binder.lacks)
		return lex_error_at(lexer, binder.lacks->at, "%s has no argument '%s'",
				    row ? row->name : "a call without a name", binder.lacks->name);
	return want_number(&binder, *out);
}
