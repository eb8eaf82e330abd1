/* Rewriting the system calls of a program: warp intercept. */
#ifndef WARP_LIVE_INTERCEPT_H
#define WARP_LIVE_INTERCEPT_H

#include "expr/rule.h"

struct intercept_options {
	char *const *argv;
	struct rule *const *rules; /* looked at in this order */
	size_t rule_count;
	const char *output; /* a file for the lines of `log`; NULL: standard error */
};

/* Runs the program under the rules. *status is its wait status. */
struct error *live_intercept(const struct intercept_options *options, int *status);

#endif
