/* x86-64: the frame that the kernel builds for a signal handler (struct rt_sigframe in
 * arch/x86/include/asm/sigframe.h): return address, ucontext, siginfo, and above them, aligned, the
 * vector state with a trailing magic word. */
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <ucontext.h>

#include "arch/x86_64/x86_64.h"

#define TRAP_FLAG   0x100ull
#define FXSAVE_SIZE 512
#define SW_BYTES    464	  /* of struct _fpx_sw_bytes in the fxsave area */
#define FRAME_MAX   65536 /* larger than any vector state today (AMX: 11 KB) */

size_t x86_64_sigframe_size(const struct regs *regs, const struct sc_memory *memory)
{
	/* struct kernel's ucontext begins like libc's, up to the mask; siginfo follows it. */
	taddr frame = regs->word[RSP];
	size_t least = 8 + offsetof(ucontext_t, uc_sigmask) + 8 + 128;
	taddr fpstate = 0;
	uint32_t words[2];

	memory->read(memory->context, frame + 8 + offsetof(ucontext_t, uc_mcontext.fpregs),
		     &fpstate, sizeof(fpstate));
	if (fpstate < frame || fpstate - frame > FRAME_MAX)
		return least;
	if (memory->read(memory->context, fpstate + SW_BYTES, words, sizeof(words)) !=
	    sizeof(words))
		return least;
	size_t vector = FXSAVE_SIZE;

	if (words[0] == FP_XSTATE_MAGIC1 && words[1] >= FXSAVE_SIZE && words[1] <= FRAME_MAX)
		vector = words[1];
	return fpstate - frame + vector;
}

/* The kernel takes the trap flag for the program's own if the instruction to be stepped is popf or
 * iret (enable_single_step() in arch/x86/kernel/step.c), also when a handler comes before it. */
uint64_t x86_64_sigframe_step_mark(const struct regs *before, const struct regs *in, taddr *word)
{
	*word = in->word[RSP] + 8 + offsetof(ucontext_t, uc_mcontext.gregs[REG_EFL]);
	return before->word[EFLAGS] & TRAP_FLAG ? 0 : TRAP_FLAG;
}

/* The handler's return has taken the return address: the stack pointer is at the ucontext. */
taddr x86_64_sigreturn_mask(const struct regs *regs)
{
	return regs->word[RSP] + offsetof(ucontext_t, uc_sigmask);
}
