/* What repeated samples must remember of a process, so that its timeouts come although it is looked
 * at again and again. */
#ifndef WARP_LIVE_REGS_HISTORY_H
#define WARP_LIVE_REGS_HISTORY_H

#include <stdint.h>

#include "arch/arch.h"
#include "live/engine.h"
#include "util/vec.h"

/* A thread in a call whose timeout begins anew when it is interrupted. */
struct regs_wait {
	pid_t tid;
	taddr sp, pc;
	struct sc_call call;
	uint64_t since_ns;
	int switches; /* its voluntary context switches at the last sample */
};

struct regs_history {
	struct vec(struct regs_wait) waits;
};

/* A thread was stopped for a sample. If it has been in such a call for longer than the call's
 * timeout, the call is given the result of that. */
void regs_history_note(struct regs_history *history, struct live_task *task,
		       struct arch_state *state, uint64_t now_ns);
void regs_history_deinit(struct regs_history *history);

#endif
