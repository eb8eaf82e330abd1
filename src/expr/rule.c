/* Parsing of rules.
 * Invariant: a rule fits all calls that its expression can match: it names arguments that they
 * have, and nothing after a call that only makes sense before it. */
#include "expr/rule.h"

#include <stdlib.h>
#include <string.h>

#include "expr/node.h"
#include "util/cleanup.h"

#define MAX_ERRNO  4095
#define MAX_SIGNAL 64

struct action_row;

struct rule_parser {
	struct rule *rule;
	struct lexer *lexer;
	const struct action_row *row; /* of the action at hand */
};

typedef struct error *parse_action(struct rule_parser *p, struct rule_action *action);

static parse_action parse_constant, parse_return, parse_set, parse_call, parse_path, parse_data,
	parse_delay, parse_nothing;

/* What an action is called, when it can act, and how its brackets are read. */
static const struct action_row {
	const char *name;
	enum rule_kind kind;
	bool before, after;
	parse_action *parse;
	uint64_t least, most; /* parse_constant */
} action_rows[] = {
	{"exit", RULE_EXIT, true, true, parse_constant, 0, 255},
	{"fail", RULE_FAIL, true, true, parse_constant, 1, MAX_ERRNO},
	{"return", RULE_RETURN, true, true, parse_return, 0, 0},
	{"set", RULE_SET, true, false, parse_set, 0, 0},
	{"call", RULE_CALL, true, false, parse_call, 0, 0},
	{"path", RULE_PATH, true, false, parse_path, 0, 0},
	{"data", RULE_DATA, true, true, parse_data, 0, 0},
	{"delay", RULE_DELAY, true, true, parse_delay, 0, 0},
	{"signal", RULE_SIGNAL, true, true, parse_constant, 1, MAX_SIGNAL},
	{"log", RULE_LOG, true, true, parse_nothing, 0, 0},
};

#define ACTIONS (sizeof(action_rows) / sizeof(*action_rows))

/* ---- the calls of a rule ---- */

/* The next number above `nr` that the expression can match, in *next; false if there is none.
 * Begins with OTHER_CALLS - 1. */
static bool next_call(const struct expr *expr, int nr, int *next)
{
	vec_foreach (&expr->choices, choice)
		if (choice->nr > nr && !choice->exclude) {
			*next = choice->nr;
			return true;
		}
	return false;
}

static bool several_calls(const struct expr *expr)
{
	int first, second;

	return next_call(expr, OTHER_CALLS - 1, &first) && next_call(expr, first, &second);
}

static const char *call_name(int nr)
{
	const struct sc_row *row = sc_row(nr);

	return row ? row->name : "a call without a name";
}

static const struct rule_target *find_target(const struct rule_action *action, int nr)
{
	if (!sc_row(nr))
		nr = OTHER_CALLS;
	vec_foreach (&action->targets, target)
		if (target->nr == nr)
			return target;
	return NULL;
}

/* ---- values and names in brackets ---- */

/* A value that is the same for all calls. */
static struct error *parse_constant(struct rule_parser *p, struct rule_action *action)
{
	size_t at = p->lexer->token.start;
	struct node *written, *bound;
	struct value value;

	try(value_parse(p->rule->expr, p->lexer, &written));
	try(bind_value(p->rule->expr, p->lexer, NULL, false, written, &bound));
	if (bound->kind != NODE_CONST)
		return lex_error_at(p->lexer, at, "a constant is needed here");
	value = value_const(bound);
	if (value.bits < p->row->least || value.bits > p->row->most)
		return lex_error_at(p->lexer, at, "%s takes a number from %d to %d", p->row->name,
				    (int)p->row->least, (int)p->row->most);
	action->number = value.bits;
	return NULL;
}

static struct error *bind_targets(struct rule_parser *p, struct rule_action *action, size_t at,
				  const char *name, const struct node *written)
{
	struct expr *expr = p->rule->expr;
	bool several = several_calls(expr);

	for (int nr = OTHER_CALLS - 1; next_call(expr, nr, &nr);) {
		struct rule_target target = {.nr = nr, .arg = -1};
		struct node *bound;

		if (name)
			target.arg = argument_index(sc_row(nr), name);
		if (name && target.arg < 0)
			return lex_error_at(p->lexer, at, "%s has no argument '%s'", call_name(nr),
					    name);
		try(bind_value(expr, p->lexer, sc_row(nr), several, written, &bound));
		if (!p->rule->after && node_needs_result(sc_row(nr), bound))
			return lex_error_at(p->lexer, written->at,
					    "the value depends on the result: write => after "
					    "before the action");
		target.value = bound;
		vec_push(&action->targets, target);
	}
	return NULL;
}

static struct error *parse_return(struct rule_parser *p, struct rule_action *action)
{
	struct node *written;

	try(value_parse(p->rule->expr, p->lexer, &written));
	return bind_targets(p, action, 0, NULL, written);
}

static void add_action(struct rule *rule, struct rule_action action)
{
	vec_push(&rule->actions, action);
}

/* One assignment. Further ones are actions of their own. */
static struct error *parse_assignment(struct rule_parser *p, struct rule_action *action)
{
	char *name _cleanup_free_ = NULL;
	size_t at = p->lexer->token.start;
	struct node *written;

	if (p->lexer->token.kind != TOKEN_NAME)
		return lex_error(p->lexer, "expected the name of an argument");
	name = lex_name(p->lexer);
	lex_next(p->lexer);
	try(lex_expect(p->lexer, '=', "= behind the argument's name"));
	try(value_parse(p->rule->expr, p->lexer, &written));
	return bind_targets(p, action, at, name, written);
}

static struct error *parse_set(struct rule_parser *p, struct rule_action *action)
{
	try(parse_assignment(p, action));
	while (lex_accept(p->lexer, ',')) {
		struct rule_action more = {.kind = RULE_SET};
		struct error *error = parse_assignment(p, &more);

		add_action(p->rule, more);
		if (error)
			return error;
	}
	return NULL;
}

static struct error *parse_call(struct rule_parser *p, struct rule_action *action)
{
	char *name _cleanup_free_ = NULL;
	const struct sc_row *row;

	if (p->lexer->token.kind == TOKEN_NUMBER && p->lexer->token.number <= INT32_MAX) {
		action->number = p->lexer->token.number;
		lex_next(p->lexer);
		return NULL;
	}
	if (p->lexer->token.kind != TOKEN_NAME)
		return lex_error(p->lexer, "expected a system call's name or number");
	name = lex_name(p->lexer);
	row = sc_row_by_name(name);
	if (!row)
		return lex_error(p->lexer, "there is no system call '%s'", name);
	action->number = (uint64_t)row->nr;
	lex_next(p->lexer);
	return NULL;
}

/* ---- strings for memory ---- */

static bool is_path(const struct sc_arg *arg)
{
	return arg->type == SC_T_PATH && arg->dir == SC_IN;
}

static bool is_buffer(const struct sc_arg *arg)
{
	return arg->dir == SC_OUT || arg->dir == SC_INOUT;
}

/* The argument with this name, else the first that is fit for the action; -1 if there is none. */
static int memory_argument(const struct sc_row *row, const char *name,
			   bool (*fit)(const struct sc_arg *))
{
	for (unsigned i = 0; row && i < row->nargs; i++)
		if (fit(&row->args[i]) && (!name || !strcmp(row->args[i].name, name)))
			return (int)i;
	return -1;
}

/* [ NAME "=" ] STRING */
static struct error *parse_memory(struct rule_parser *p, struct rule_action *action,
				  bool (*fit)(const struct sc_arg *), const char *what)
{
	char *name _cleanup_free_ = NULL;
	size_t at = p->lexer->token.start;

	if (p->lexer->token.kind == TOKEN_NAME) {
		name = lex_name(p->lexer);
		lex_next(p->lexer);
		try(lex_expect(p->lexer, '=', "= behind the argument's name"));
	}
	if (p->lexer->token.kind != TOKEN_STRING)
		return lex_error(p->lexer, "expected a string");
	lex_string(p->lexer, false, &action->bytes);
	lex_next(p->lexer);
	for (int nr = OTHER_CALLS - 1; next_call(p->rule->expr, nr, &nr);) {
		struct rule_target target = {.nr = nr,
					     .arg = memory_argument(sc_row(nr), name, fit)};

		if (target.arg < 0)
			return lex_error_at(p->lexer, at, "%s has no %s%s%s", call_name(nr), what,
					    name ? " " : "", name ? name : "");
		vec_push(&action->targets, target);
	}
	return NULL;
}

static struct error *parse_path(struct rule_parser *p, struct rule_action *action)
{
	size_t at = p->lexer->token.start;

	try(parse_memory(p, action, is_path, "path argument"));
	if (!action->bytes.count || memchr(action->bytes.items, 0, action->bytes.count) ||
	    action->bytes.count >= 4096)
		return lex_error_at(p->lexer, at, "a path has 1 to 4095 bytes, and no NUL in them");
	vec_push(&action->bytes, 0);
	return NULL;
}

static struct error *parse_data(struct rule_parser *p, struct rule_action *action)
{
	return parse_memory(p, action, is_buffer, "output argument");
}

static struct error *parse_delay(struct rule_parser *p, struct rule_action *action)
{
	return lex_take_duration(p->lexer, &action->number);
}

static struct error *parse_nothing(struct rule_parser *p, struct rule_action *action)
{
	return NULL;
}

/* ---- the rule ---- */

static struct error *parse_brackets(struct rule_parser *p, struct rule_action *action)
{
	if (p->row->kind == RULE_LOG)
		return NULL;
	try(lex_expect(p->lexer, '(', "an opening bracket"));
	try(p->row->parse(p, action));
	return lex_expect(p->lexer, ')', "a closing bracket");
}

static struct error *parse_one(struct rule_parser *p)
{
	char *name _cleanup_free_ = NULL;
	struct rule_action action = {0};
	struct error *error;
	size_t i;

	if (p->lexer->token.kind != TOKEN_NAME)
		return lex_error(p->lexer, "expected an action");
	name = lex_name(p->lexer);
	for (i = 0; i < ACTIONS && strcmp(action_rows[i].name, name); i++)
		;
	if (i == ACTIONS)
		return lex_error(p->lexer,
				 "there is no action '%s'; the actions are exit fail return set "
				 "call path data delay signal log",
				 name);
	p->row = &action_rows[i];
	if (p->rule->after && !p->row->after)
		return lex_error(p->lexer, "%s makes no sense after the call", name);
	lex_next(p->lexer);
	action.kind = p->row->kind;
	error = parse_brackets(p, &action);
	add_action(p->rule, action);
	return error;
}

/* Does the action decide what the call results in? */
static bool is_final(const struct rule_action *action)
{
	return action->kind == RULE_EXIT || action->kind == RULE_FAIL ||
	       action->kind == RULE_RETURN || action->kind == RULE_DATA;
}

static struct error *check_together(struct rule *rule, const struct lexer *lexer, size_t at)
{
	unsigned finals = 0, others = 0;

	vec_foreach (&rule->actions, action) {
		finals += is_final(action);
		others += action->kind == RULE_SET || action->kind == RULE_CALL ||
			  action->kind == RULE_PATH;
	}
	rule->decides = finals;
	if (finals > 1)
		return lex_error_at(lexer, at,
				    "of exit, fail, return and data a rule can have one");
	if (finals && others)
		return lex_error_at(lexer, at,
				    "set, call and path are of no use where the call is not made");
	return NULL;
}

static struct error *check_result(const struct rule *rule, const struct lexer *lexer, size_t at)
{
	for (int nr = OTHER_CALLS - 1; !rule->after && next_call(rule->expr, nr, &nr);)
		if (expr_needs_result(rule->expr, nr))
			return lex_error_at(lexer, at,
					    "the expression depends on the result: write => after "
					    "before the action");
	return NULL;
}

static bool accept_word(struct lexer *lexer, const char *word)
{
	char *name _cleanup_free_ = lex_name(lexer);

	if (lexer->token.kind != TOKEN_NAME || strcmp(name, word))
		return false;
	lex_next(lexer);
	return true;
}

static struct error *parse_number(struct lexer *lexer, uint64_t *number)
{
	if (lexer->token.kind != TOKEN_NUMBER || !lexer->token.number)
		return lex_error(lexer, "expected a number from 1 on");
	*number = lexer->token.number;
	lex_next(lexer);
	return NULL;
}

static struct error *parse_modifier(struct rule *rule, struct lexer *lexer)
{
	rule->first = 1;
	rule->step = 0;
	if (accept_word(lexer, "once"))
		return NULL;
	if (!accept_word(lexer, "when"))
		return lex_error(lexer, "expected once or when behind the colon");
	try(lex_expect(lexer, '=', "= behind when"));
	try(parse_number(lexer, &rule->first));
	if (!lex_accept(lexer, '+'))
		return NULL;
	rule->step = 1;
	return lexer->token.kind == TOKEN_NUMBER ? parse_number(lexer, &rule->step) : NULL;
}

static struct error *parse_rule(struct rule *rule, struct lexer *lexer)
{
	struct rule_parser parser = {.rule = rule, .lexer = lexer};
	size_t at;

	try(expr_parse_part(lexer, &rule->expr));
	try(lex_expect(lexer, SIGN2('=', '>'), "=> and an action"));
	rule->after = accept_word(lexer, "after");
	if (!rule->after)
		accept_word(lexer, "before");
	at = lexer->token.start;
	do
		try(parse_one(&parser));
	while (lex_accept(lexer, ','));
	try(check_together(rule, lexer, at));
	try(check_result(rule, lexer, at));
	while (lex_accept(lexer, ':'))
		try(parse_modifier(rule, lexer));
	if (lexer->token.kind != TOKEN_END)
		return lex_error(lexer, "expected a comma, :when= or the end");
	return NULL;
}

struct error *rule_parse(const char *text, struct rule **out)
{
	struct rule *rule = xcalloc(1, sizeof(*rule));
	struct lexer lexer;
	struct error *error;

	rule->text = xstrdup(text);
	rule->first = rule->step = 1;
	lex_start(&lexer, "rule", rule->text);
	error = parse_rule(rule, &lexer);
	*out = error ? NULL : rule;
	if (error)
		rule_destroy(rule);
	return error;
}

void rule_destroy(struct rule *rule)
{
	if (!rule)
		return;
	vec_foreach (&rule->actions, action) {
		vec_deinit(&action->bytes);
		vec_deinit(&action->targets);
	}
	vec_deinit(&rule->actions);
	expr_destroy(rule->expr);
	free(rule->text);
	free(rule);
}

bool rule_due(struct rule *rule)
{
	uint64_t match = ++rule->matches;

	if (match <= rule->first)
		return match == rule->first;
	return rule->step && (match - rule->first) % rule->step == 0;
}

int rule_arg(const struct rule_action *action, int nr)
{
	const struct rule_target *target = find_target(action, nr);

	return target ? target->arg : -1;
}

uint64_t rule_value(const struct rule_action *action, const struct expr_call *at)
{
	const struct rule_target *target = find_target(action, at->call->nr);

	return target ? node_value(target->value, at).bits : 0;
}
