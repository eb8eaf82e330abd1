/* x86-64: cpuid, while it traps for ourselves too.
 *
 * Where a thread for which cpuid traps and one for which it does not share a core, each switch
 * between them writes a model specific register (__switch_to_xtra() in arch/x86/kernel/process.c),
 * which hypervisors intercept: 14 µs a stop on one of them, where the stop itself is 3. So who
 * traces such threads lets cpuid trap for itself as well, and executes the few of its own in a
 * handler. */
#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "arch/x86_64/x86_64.h"

static struct sigaction before;

static bool set_trap(bool on)
{
	return syscall(SYS_arch_prctl, ARCH_SET_CPUID, !on) == 0;
}

/* Async-signal-safe. Another thread's cpuid never comes here: the setting is a thread's own. */
static void on_fault(int signal, siginfo_t *info, void *context)
{
	static const uint8_t cpuid[] = {0x0f, 0xa2};
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	unsigned a, b, c, d;

	if (info->si_code != SI_KERNEL || memcmp((void *)regs[REG_RIP], cpuid, sizeof(cpuid))) {
		sigaction(SIGSEGV, &before, NULL); /* it comes again, to whom it belongs */
		return;
	}
	set_trap(false);
	__cpuid_count((unsigned)regs[REG_RAX], (unsigned)regs[REG_RCX], a, b, c, d);
	set_trap(true);
	regs[REG_RAX] = a;
	regs[REG_RBX] = b;
	regs[REG_RCX] = c;
	regs[REG_RDX] = d;
	regs[REG_RIP] += (greg_t)sizeof(cpuid);
}

void x86_64_share_cpuid_trap(bool on)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

	if (on) {
		sigaction(SIGSEGV, &action, &before);
		set_trap(true);
	} else {
		set_trap(false);
		sigaction(SIGSEGV, &before, NULL);
	}
}

/* What the processor says does not change while we stay on a core, and asking costs thousands of
 * cycles. */
#define KEPT 64

void x86_64_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	static _Thread_local struct {
		uint32_t leaf, subleaf, words[4];
	} kept[KEPT];
	static _Thread_local unsigned count;

	for (unsigned i = 0; i < count && i < KEPT; i++) {
		if (kept[i].leaf != leaf || kept[i].subleaf != subleaf)
			continue;
		memcpy(out, kept[i].words, sizeof(kept[i].words));
		return;
	}
	unsigned at = count++ % KEPT;

	__cpuid_count(leaf, subleaf, out[0], out[1], out[2], out[3]);
	kept[at].leaf = leaf;
	kept[at].subleaf = subleaf;
	memcpy(kept[at].words, out, sizeof(kept[at].words));
}
