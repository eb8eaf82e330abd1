/* The agent's memory in a tracee: its code, which the build has made, and room for its state and
 * records. */
#include <sys/mman.h>
#include <sys/syscall.h>

#include "abi/agent_abi.h"
#include "agent_blob.h"
#include "tracee/tracee.h"

static bool map(struct tracee *tracee, taddr at, uint64_t length, int prot)
{
	return tracee_callv(tracee, SYS_mmap, at, length, (uint64_t)prot,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1ull,
			    0) == (int64_t)at;
}

bool tracee_map_agent(struct tracee *tracee, const struct agent_state *state)
{
	return map(tracee, AGENT_CODE, AGENT_CODE_SIZE, PROT_READ | PROT_EXEC) &&
	       map(tracee, AGENT_DATA, AGENT_DATA_END - AGENT_DATA, PROT_READ | PROT_WRITE) &&
	       tracee_write(tracee, AGENT_CODE, agent_blob, sizeof(agent_blob)) ==
		       sizeof(agent_blob) &&
	       tracee_write(tracee, AGENT_DATA, state, sizeof(*state)) == sizeof(*state);
}
