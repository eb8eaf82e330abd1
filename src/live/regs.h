/* A look at all threads of a running process: it is suspended, looked at, and let go as it was.
 * What takes long (names of addresses, stacks) is made from copies afterwards. */
#ifndef WARP_LIVE_REGS_H
#define WARP_LIVE_REGS_H

#include "arch/arch.h"
#include "live/regs_history.h"
#include "live/symbols.h"
#include "util/error.h"
#include "util/vec.h"

struct regs_thread {
	pid_t tid;
	char name[64]; /* as in /proc/TID/comm */
	char state;    /* letter of /proc/TID/stat before the suspension; 0: it was not there yet */
	bool readable; /* it could be stopped: `registers` and what follows from them are there */
	int signal;    /* is about to be delivered; 0: none */
	taddr pc;      /* 0: not known */
	char *call;    /* the call it is in, as trace shows it; NULL: none. Owned */
	int call_nr;
	bool call_narrow; /* made through the 32-bit gate */
	uint64_t call_args[SC_ARGS];
	struct arch_state registers;
	struct bytes stack; /* a copy of it, from `stack_at` on */
	taddr stack_at;
};

struct regs_sample {
	pid_t pid;
	char name[64];
	struct vec(struct regs_thread) threads; /* in the order of their ids, the leader first */
	struct arch_layout layout;
	uint64_t paused_ns; /* how long it was suspended */
};

struct regs_options {
	unsigned flavors;	 /* bits 1 << enum arch_flavor: which to read */
	bool stacks;		 /* copy the stacks */
	const char *const *sets; /* "REG=VALUE", for the thread that is named */
	size_t set_count;
	struct regs_history *history; /* of the samples before; NULL if this is the only one */
};

/* Takes a sample of the process that thread `tid` belongs to, after having set registers of that
 * thread. Signals that would end us are held off meanwhile. Errors: those of engine_attach; a
 * register or value that cannot be; then nothing has been changed. On success `sample` is the
 * caller's. */
struct error *regs_sample_take(pid_t tid, const struct regs_options *options,
			       struct regs_sample *sample);
void regs_sample_deinit(struct regs_sample *sample);

/* Unwinds the copied stack; memory beyond the copy is the process's of now. */
size_t regs_thread_unwind(const struct regs_thread *thread, struct live_symbols *symbols,
			  struct live_frame *frames, size_t room);

#endif
