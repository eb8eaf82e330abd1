/* A call as a thread's registers have it. */
#include "syscalls/syscalls.h"

#include "arch/arch.h"

struct sc_call sc_call_of(int nr, const struct regs *regs)
{
	struct sc_call call = {.nr = nr};

	for (int i = 0; i < SC_ARGS; i++)
		call.args[i] = arch.call_arg(regs, i);
	return call;
}
