/* Who makes a call, for expressions: name and descriptors of a live thread, out of /proc. */
#ifndef WARP_LIVE_CALLER_H
#define WARP_LIVE_CALLER_H

#include "expr/expr.h"

struct live_task;

/* Valid as long as the task. Nothing is read before an expression asks. */
struct expr_process live_caller(struct live_task *task);

#endif
