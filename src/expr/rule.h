/* Rules: which calls, and what becomes of them. docs/expressions.md explains the first half to
 * users, docs/warp-intercept.1 the second.
 *
 *	rule     = expression "=>" [ "before" | "after" ] action { "," action } { ":" modifier }
 *	modifier = "once" | "when" "=" N [ "+" [ STEP ] ]
 */
#ifndef WARP_EXPR_RULE_H
#define WARP_EXPR_RULE_H

#include "expr/expr.h"

enum rule_kind {
	RULE_EXIT,   /* the process ends with status `number` */
	RULE_FAIL,   /* the call is not made, or its result replaced: error `number` */
	RULE_RETURN, /* the same with a value: rule_value() */
	RULE_SET,    /* argument rule_arg() becomes rule_value() */
	RULE_CALL,   /* call `number` is made in its place */
	RULE_PATH,   /* path argument rule_arg() becomes `bytes`, which end with a NUL */
	RULE_DATA,   /* the buffer at rule_arg() is filled with `bytes` */
	RULE_DELAY,  /* `number` nanoseconds */
	RULE_SIGNAL, /* signal `number` for the caller */
	RULE_LOG,
};

struct node;

/* Of one call that the rule's expression names. */
struct rule_target {
	int nr; /* -1: every call that the table lacks */
	int arg;
	const struct node *value;
};

struct rule_action {
	enum rule_kind kind;
	uint64_t number;
	struct bytes bytes;
	struct vec(struct rule_target) targets; /* ascending nr */
};

struct rule {
	char *text;
	struct expr *expr;
	bool after;   /* acts on the result */
	bool decides; /* what the call results in: exit, fail, return or data is an action */
	struct vec(struct rule_action) actions;
	/* Of the matches counted from 1: the first that it acts on, and how many matches lie
	 * between those that follow (0: none follow). */
	uint64_t first, step;
	uint64_t matches; /* so far; rule_due() counts */
};

struct error *rule_parse(const char *text, struct rule **out);
void rule_destroy(struct rule *rule); /* NULL is fine */

/* Counts a match and tells whether the rule acts on it. */
bool rule_due(struct rule *rule);
/* Which argument the action is about at this call. */
int rule_arg(const struct rule_action *action, int nr);
/* The value of a RULE_RETURN or RULE_SET at this call. */
uint64_t rule_value(const struct rule_action *action, const struct expr_call *at);

#endif
