/* Timeouts of calls that we have made again: see interrupted_for_us() in call.c. The kernel would
 * begin them anew, and signals that come faster than the timeout would keep it from ever coming. So
 * such a call is made again with what is left.
 *
 * Invariant: the program's own timespec stays as it is, others may look at it. */
#include <time.h>

#include "record/session.h"
#include "syscalls/timeout.h"

/* A timespec. The kernel reads it as soon as the call has begun, and others of the address space get
 * the turn after that only: settled() in call.c. */
#define SHORTENED (WARP_DATA_PAGE + 0xc00)

static void set_timeout(struct rec_task *t, const struct sc_timeout *timeout, uint64_t ns)
{
	const struct timespec time = {.tv_sec = (time_t)(ns / 1000000000),
				      .tv_nsec = (long)(ns % 1000000000)};
	uint64_t value = (ns + 999999) / 1000000;

	if (!timeout->milliseconds) {
		value = SHORTENED;
		if (tracee_write(&t->tracee, value, &time, sizeof(time)) != sizeof(time))
			return;
	}
	arch.set_call_arg(tracee_regs_mut(&t->tracee), timeout->arg, value);
	t->call.shortened = true;
}

void rec_shorten_timeout(struct rec_task *t)
{
	struct rec_call *c = &t->call;
	const struct sc_timeout *timeout = sc_timeout(c->call.nr);

	if (!timeout)
		return;
	const struct sc_memory memory = tracee_memory(&t->tracee);
	uint64_t now = rec_now();

	if (!t->timed_since_ns) {
		t->timed_since_ns = now;
		return;
	}
	uint64_t whole = sc_timeout_ns(timeout, &c->call, &memory);
	uint64_t spent = now - t->timed_since_ns;

	if (whole != UINT64_MAX)
		set_timeout(t, timeout, whole > spent ? whole - spent : 0);
}
