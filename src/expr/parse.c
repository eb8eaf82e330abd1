/* From text to trees: conditions with their precedence, alternatives, exclusions.
 *
 *	expression  = alternative { "," alternative }
 *	alternative = [ "!" ] ( calls [ "(" condition ")" ] | condition )
 *	calls       = call | "(" call { "," call } ")"
 *	condition   = and { "||" and };  and = not { "&&" not };  not = { "!" } comparison
 *	comparison  = value [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) value ]
 *	value       = operators on names, numbers, strings: | ^ & (<< >>) (+ -) * and, before, - ~
 *
 * Bit operators bind more tightly than comparisons, unlike in C: flags & O_CREAT == 0 means what it
 * looks like.
 * Invariant: the depth of recursion is bounded by CONDITION_MAX and DEPTH_MAX. */
#include <stdlib.h>
#include <string.h>

#include "expr/node.h"
#include "util/cleanup.h"

#define DEPTH_MAX 100
#define TEXT_MAX  65536

struct parser {
	struct expr *expr;
	struct lexer *lexer;
	unsigned depth;
	size_t nodes; /* before this condition */
};

/* ---- nodes ---- */

struct node *node_new(struct expr *expr, enum node_kind kind, size_t at)
{
	struct node *node = xcalloc(1, sizeof(*node));

	node->kind = kind;
	node->at = at;
	node->leaf = NO_LEAF;
	vec_push(&expr->nodes, node);
	return node;
}

bool expr_too_large(const struct expr *expr)
{
	return expr->nodes.count + expr->choices.count > SIZE_LIMIT;
}

static struct node *new_here(struct parser *p, enum node_kind kind)
{
	return node_new(p->expr, kind, p->lexer->token.start);
}

static struct error *check_size(struct parser *p)
{
	if (p->depth > DEPTH_MAX)
		return lex_error(p->lexer, "too many brackets and signs within each other");
	if (p->expr->nodes.count - p->nodes > CONDITION_MAX)
		return lex_error(p->lexer, "the condition is too long");
	return NULL;
}

/* ---- conditions and values ---- */

struct operator_row {
	int sign;
	enum node_kind kind;
};

#define OPERATORS_MAX 6

/* From loose to tight. */
static const struct operator_row levels[][OPERATORS_MAX + 1] = {
	{{SIGN2('|', '|'), NODE_OR}},
	{{SIGN2('&', '&'), NODE_AND}},
	{{SIGN2('=', '='), NODE_EQUAL},
	 {SIGN2('!', '='), NODE_NOT_EQUAL},
	 {'<', NODE_LESS},
	 {SIGN2('<', '='), NODE_LESS_EQUAL},
	 {'>', NODE_GREATER},
	 {SIGN2('>', '='), NODE_GREATER_EQUAL}},
	{{'|', NODE_OR_BITS}},
	{{'^', NODE_XOR_BITS}},
	{{'&', NODE_AND_BITS}},
	{{SIGN2('<', '<'), NODE_SHIFT_LEFT}, {SIGN2('>', '>'), NODE_SHIFT_RIGHT}},
	{{'+', NODE_ADD}, {'-', NODE_SUBTRACT}},
	{{'*', NODE_MULTIPLY}},
};

#define LEVELS		 (sizeof(levels) / sizeof(*levels))
#define LEVEL_COMPARISON 2
#define LEVEL_VALUE	 3

static struct error *parse_level(struct parser *p, size_t level, struct node **out);

static struct error *parse_primary(struct parser *p, struct node **out)
{
	const struct token *token = &p->lexer->token;

	if (lex_accept(p->lexer, '(')) {
		try(parse_level(p, 0, out));
		return lex_expect(p->lexer, ')', "a closing bracket");
	}
	switch (token->kind) {
	case TOKEN_NAME:
		*out = new_here(p, NODE_NAME);
		(*out)->name = lex_name(p->lexer);
		break;
	case TOKEN_NUMBER:
		*out = new_here(p, NODE_CONST);
		(*out)->bits = token->number;
		(*out)->number = (struct sc_number){64, token->number <= INT64_MAX};
		break;
	case TOKEN_STRING:
		*out = new_here(p, NODE_STRING);
		(*out)->type = TYPE_TEXT;
		lex_string(p->lexer, true, &(*out)->string);
		break;
	default:
		return lex_error(p->lexer, "expected a name, a number or a string");
	}
	lex_next(p->lexer);
	return NULL;
}

static struct error *parse_unary(struct parser *p, struct node **out)
{
	struct node *node;

	if (!lex_at(p->lexer, '-') && !lex_at(p->lexer, '~'))
		return parse_primary(p, out);
	node = new_here(p, lex_at(p->lexer, '-') ? NODE_NEGATIVE : NODE_COMPLEMENT);
	lex_next(p->lexer);
	p->depth++;
	try(check_size(p));
	try(parse_unary(p, &node->left));
	p->depth--;
	*out = node;
	return NULL;
}

/* A negation reaches over the comparison behind it. */
static struct error *parse_not(struct parser *p, struct node **out)
{
	struct node *node;

	if (!lex_at(p->lexer, '!'))
		return parse_level(p, LEVEL_COMPARISON, out);
	node = new_here(p, NODE_NOT);
	lex_next(p->lexer);
	p->depth++;
	try(check_size(p));
	try(parse_not(p, &node->left));
	p->depth--;
	*out = node;
	return NULL;
}

static const struct operator_row *operator_at(const struct lexer *lexer, size_t level)
{
	for (const struct operator_row *row = levels[level]; row->sign; row++)
		if (lex_at(lexer, row->sign))
			return row;
	return NULL;
}

static struct error *parse_operand(struct parser *p, size_t level, struct node **out)
{
	if (level + 1 == LEVEL_COMPARISON)
		return parse_not(p, out);
	if (level + 1 == LEVELS)
		return parse_unary(p, out);
	return parse_level(p, level + 1, out);
}

static struct error *parse_level(struct parser *p, size_t level, struct node **out)
{
	const struct operator_row *operator;
	struct error *error;

	p->depth += level == 0;
	try(check_size(p));
	try(parse_operand(p, level, out));
	while ((operator= operator_at(p->lexer, level))) {
		struct node *node = new_here(p, operator->kind);

		lex_next(p->lexer);
		node->left = *out;
		*out = node;
		error = check_size(p);
		if (!error)
			error = parse_operand(p, level, &node->right);
		if (error)
			return error;
		if (level == LEVEL_COMPARISON && operator_at(p->lexer, level))
			return lex_error(p->lexer, "a comparison of a comparison: join them with "
						   "&&, or use brackets");
	}
	p->depth -= level == 0;
	return NULL;
}

struct error *condition_parse(struct expr *expr, struct lexer *lexer, struct node **out)
{
	struct parser parser = {.expr = expr, .lexer = lexer, .nodes = expr->nodes.count};

	return parse_level(&parser, 0, out);
}

struct error *value_parse(struct expr *expr, struct lexer *lexer, struct node **out)
{
	struct parser parser = {.expr = expr, .lexer = lexer, .nodes = expr->nodes.count};

	return parse_level(&parser, LEVEL_VALUE, out);
}

/* ---- alternatives ---- */

/* Is this the beginning of a condition that stands without a call? A name is a call's unless an
 * operator follows it; a bracket opens a list of calls if its first word is one of a list. */
static bool at_condition(const struct lexer *lexer)
{
	struct lexer ahead = *lexer;
	bool bracket = lex_accept(&ahead, '(');

	if (lex_at(&ahead, '%') || lex_at(&ahead, '*') || lex_at(&ahead, '?'))
		return false;
	if (ahead.token.kind == TOKEN_NUMBER && !bracket) {
		lex_next(&ahead);
		return ahead.token.kind == TOKEN_SIGN && !strchr("(),:", ahead.token.sign) &&
		       !lex_at(&ahead, SIGN2('=', '>'));
	}
	if (!lex_take_glob(&ahead))
		return bracket || lex_at(&ahead, '!') || lex_at(&ahead, '-') ||
		       lex_at(&ahead, '~') || ahead.token.kind == TOKEN_STRING;
	lex_next(&ahead);
	if (bracket)
		return !lex_at(&ahead, ',') && !lex_at(&ahead, ')');
	return ahead.token.kind == TOKEN_SIGN && ahead.token.sign != '(' &&
	       ahead.token.sign != ')' && ahead.token.sign != ',' && ahead.token.sign != ':' &&
	       ahead.token.sign != '*' && ahead.token.sign != SIGN2('=', '>');
}

static struct error *parse_calls(struct lexer *lexer, struct selection *selection)
{
	if (!lex_accept(lexer, '('))
		return selection_parse(lexer, selection);
	do
		try(selection_parse(lexer, selection));
	while (lex_accept(lexer, ','));
	return lex_expect(lexer, ')', "a comma or a closing bracket");
}

/* Binds the condition to each call and adds what results. */
static struct error *add_choices(struct expr *expr, const struct lexer *lexer,
				 const struct selection *selection, bool exclude,
				 const struct node *when)
{
	bool several = selection_count(selection) > 1;
	const struct node *lacks = NULL;
	bool added = false;

	for (size_t i = 0; i <= sc_row_count(); i++) {
		const struct sc_row *row = sc_row_at(i);
		struct choice choice = {.nr = row ? row->nr : OTHER_CALLS, .exclude = exclude};

		if (row ? !selection->rows[i] : !selection->other)
			continue;
		if (when) {
			try(bind_condition(expr, lexer, row, several, when, &lacks, &choice.when));
			if (!choice.when)
				continue;
		}
		if (expr_too_large(expr))
			return lex_error(lexer, "the expression is too long");
		vec_push(&expr->choices, choice);
		added = true;
	}
	if (!added && lacks)
		return lex_error_at(lexer, lacks->at,
				    "none of these calls has '%s' as an argument, together with "
				    "what else the condition names",
				    lacks->name);
	return NULL;
}

static struct error *parse_selected(struct expr *expr, struct lexer *lexer,
				    struct selection *selection, bool exclude)
{
	struct node *when = NULL;

	if (at_condition(lexer)) {
		selection_all(selection);
		try(condition_parse(expr, lexer, &when));
	} else {
		try(parse_calls(lexer, selection));
		if (lex_accept(lexer, '(') && !lex_accept(lexer, ')')) {
			try(condition_parse(expr, lexer, &when));
			try(lex_expect(lexer, ')', "an operator or a closing bracket"));
		}
	}
	return add_choices(expr, lexer, selection, exclude, when);
}

/* strace reads "!read,write" as "neither": here it would be of no use, so it is a mistake. The
 * choices are sorted. */
static bool excludes_something(const struct expr *expr)
{
	bool included = false, excluded = false;
	int nr = OTHER_CALLS;

	vec_foreach (&expr->choices, choice) {
		if (choice->nr != nr)
			included = excluded = false;
		nr = choice->nr;
		*(choice->exclude ? &excluded : &included) = true;
		if (included && excluded)
			return true;
	}
	return false;
}

static struct error *parse_alternative(struct expr *expr, struct lexer *lexer, bool *exclude)
{
	struct selection selection _cleanup_(selection_deinit);

	selection_init(&selection);
	/* "!" before a condition without a call would read as its negation: the same calls */
	*exclude = lex_accept(lexer, '!');
	if (*exclude && lex_at(lexer, '!'))
		return lex_error(lexer, "one ! is enough");
	return parse_selected(expr, lexer, &selection, *exclude);
}

static int by_number(const void *a, const void *b)
{
	const struct choice *x = a, *y = b;

	return (x->nr > y->nr) - (x->nr < y->nr);
}

static struct error *parse_alternatives(struct expr *expr, struct lexer *lexer)
{
	bool some = false, exclusions = false;
	size_t first_exclusion = 0;

	do {
		size_t at = lexer->token.start;
		bool exclude;

		try(parse_alternative(expr, lexer, &exclude));
		if (exclude && !exclusions)
			first_exclusion = at;
		exclusions |= exclude;
		some |= !exclude;
	} while (lex_accept(lexer, ','));
	if (!some) {
		struct selection all _cleanup_(selection_deinit);

		selection_init(&all);
		selection_all(&all);
		try(add_choices(expr, lexer, &all, false, NULL));
	}
	vec_reserve(&expr->choices, 1); /* %none: places in it are computed all the same */
	qsort(expr->choices.items, expr->choices.count, sizeof(struct choice), by_number);
	if (exclusions && !excludes_something(expr))
		return lex_error_at(lexer, first_exclusion,
				    "what ! excludes here is not named by the other alternatives; "
				    "for all calls but two write !(read, write)");
	return NULL;
}

/* Texts get the bits of a memo, per call. */
static void number_leaves(struct node *node, unsigned *next)
{
	if (!node)
		return;
	if (node->kind == NODE_TEXT_IS && *next < 64)
		node->leaf = (uint8_t)(*next)++;
	number_leaves(node->left, next);
	number_leaves(node->right, next);
}

static void number_all_leaves(struct expr *expr)
{
	unsigned next = 0;
	int nr = OTHER_CALLS - 1;

	vec_foreach (&expr->choices, choice) {
		if (choice->nr != nr)
			next = 0;
		nr = choice->nr;
		number_leaves(choice->when, &next);
	}
}

static struct error *parse_into(struct expr *expr, struct lexer *lexer)
{
	size_t start = lexer->token.start;

	try(parse_alternatives(expr, lexer));
	number_all_leaves(expr);
	expr->text = xasprintf("%.*s", (int)(lexer->token.start - start), lexer->text + start);
	for (char *end = expr->text + strlen(expr->text); end > expr->text && end[-1] == ' ';)
		*--end = 0;
	return NULL;
}

struct error *expr_parse_part(struct lexer *lexer, struct expr **out)
{
	struct expr *expr = xcalloc(1, sizeof(*expr));
	struct error *error = NULL;

	if (strlen(lexer->text) > TEXT_MAX)
		error = lex_error_at(lexer, 0, "it is longer than %d bytes", TEXT_MAX);
	if (!error)
		error = parse_into(expr, lexer);
	*out = error ? NULL : expr;
	if (error)
		expr_destroy(expr);
	return error;
}

struct error *expr_parse(const char *text, struct expr **out)
{
	struct lexer lexer;

	lex_start(&lexer, "expression", text);
	try(expr_parse_part(&lexer, out));
	if (lexer.token.kind == TOKEN_END)
		return NULL;
	expr_destroy(*out);
	*out = NULL;
	return lex_error(&lexer, "expected a comma or the end");
}

void expr_destroy(struct expr *expr)
{
	if (!expr)
		return;
	vec_foreach (&expr->nodes, node) {
		free((*node)->name);
		vec_deinit(&(*node)->string);
		free(*node);
	}
	vec_deinit(&expr->nodes);
	vec_deinit(&expr->choices);
	free(expr->text);
	free(expr);
}

const char *expr_text(const struct expr *expr)
{
	return expr->text;
}
