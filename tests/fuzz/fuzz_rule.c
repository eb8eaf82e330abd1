/* Rules: whatever the text, it is understood or explained; what is understood fits every call that it can act on,
 * and can be asked what to do there. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "expr/rule.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

/* What parsing promises of an action, apart from calls. */
static void check_action(const struct rule *rule, const struct rule_action *action)
{
	switch (action->kind) {
	case RULE_EXIT:
		if (action->number > 255)
			abort();
		break;
	case RULE_FAIL:
		if (action->number < 1 || action->number > 4095)
			abort();
		break;
	case RULE_SIGNAL:
		if (action->number < 1 || action->number > 64)
			abort();
		break;
	case RULE_CALL:
		if (action->number > INT32_MAX || rule->after)
			abort();
		break;
	case RULE_PATH:
		if (rule->after || action->bytes.count < 2 ||
		    memchr(action->bytes.items, 0, action->bytes.count) !=
			    action->bytes.items + action->bytes.count - 1)
			abort();
		break;
	case RULE_SET:
		if (rule->after)
			abort();
		break;
	default:
		break;
	}
}

/* An action that is about an argument finds it in each call that the rule can match. */
static void check_call(const struct rule *rule, const struct rule_action *action, int nr)
{
	struct sc_call call = {.nr = nr, .args = {1, UINT64_MAX, 3, 1ull << 63, 0x80000, 6}};
	struct expr_process process = {.pid = 2, .tid = 3};
	struct expr_call at = {&call, NULL, &process};
	int arg = rule_arg(action, nr);
	bool is_about_one =
		action->kind == RULE_SET || action->kind == RULE_PATH || action->kind == RULE_DATA;

	if (arg < -1 || arg >= SC_ARGS)
		abort();
	if (is_about_one && arg < 0 && expr_may_match(rule->expr, nr))
		abort();
	if (action->kind != RULE_RETURN && action->kind != RULE_SET)
		return;
	call.ended = rule->after;
	call.result = -2;
	rule_value(action, &at);
}

/* Which of the first matches it acts on. */
static void check_due(struct rule *rule)
{
	for (uint64_t match = 1; match < 40; match++) {
		bool due = match == rule->first || (match > rule->first && rule->step &&
						    (match - rule->first) % rule->step == 0);

		if (rule_due(rule) != due)
			abort();
	}
}

static void check_rule(struct rule *rule)
{
	if (!rule->actions.count || !rule->first)
		abort();
	vec_foreach (&rule->actions, action) {
		check_action(rule, action);
		for (int nr = -1; nr < 340; nr++)
			check_call(rule, action, nr);
		check_call(rule, action, 100000);
	}
	check_due(rule);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	char *text _cleanup_free_ = xmalloc(length + 1);
	struct rule *rule;
	struct error *error;

	memcpy(text, input, length);
	text[length] = 0;
	error = rule_parse(text, &rule);
	if (error) {
		if (!strchr(error->text, '^'))
			abort();
		error_free(error);
		return 0;
	}
	check_rule(rule);
	rule_destroy(rule);
	return 0;
}
