/* A call as a thread's registers have it. */
#include "syscalls/syscalls.h"

#include <sys/syscall.h>

#include "arch/arch.h"

struct sc_call sc_call_of(int nr, const struct regs *regs)
{
	struct sc_call call = {.nr = nr};

	for (int i = 0; i < SC_ARGS; i++)
		call.args[i] = arch.call_arg(regs, i);
	return call;
}

/* By number: libwarp has no table of rows. close(2) has closed the descriptor, whatever it then ends
 * with: somebody else's may have its number by now. */
static const int done_all_the_same[] = {SYS_close};

bool sc_can_repeat(int nr)
{
	for (size_t i = 0; i < sizeof(done_all_the_same) / sizeof(*done_all_the_same); i++)
		if (done_all_the_same[i] == nr)
			return false;
	return true;
}
