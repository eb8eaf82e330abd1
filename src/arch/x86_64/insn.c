/* x86-64: instructions that read what differs from run to run, and how they are made to trap.
 *
 * rdtsc and rdtscp fault with #GP under PR_SET_TSC (prctl(2)); cpuid under ARCH_SET_CPUID
 * (arch_prctl(2)) where the processor or the hypervisor offers faulting. exec keeps the former and
 * drops the latter (arch_setup_new_exec() in arch/x86/kernel/process_64.c). */
#include <Zydis/Zydis.h>
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

#include "arch/x86_64/x86_64.h"

static bool decode(const uint8_t *bytes, size_t length, ZydisDecodedInstruction *insn)
{
	ZydisDecoder decoder;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	return ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder, NULL, bytes, length, insn));
}

enum arch_trap x86_64_trap_kind(const uint8_t *bytes, size_t length)
{
	ZydisDecodedInstruction insn;

	if (!decode(bytes, length, &insn))
		return ARCH_TRAP_NONE;
	switch (insn.mnemonic) {
	case ZYDIS_MNEMONIC_RDTSC:
	case ZYDIS_MNEMONIC_RDTSCP:
		return ARCH_TRAP_TIME;
	case ZYDIS_MNEMONIC_CPUID:
		return ARCH_TRAP_CPUID;
	default:
		return ARCH_TRAP_NONE;
	}
}

#define ANY_SUBLEAF UINT32_MAX

/* Features whose instructions give results that cannot be trapped, or that make memory
 * unpredictable: xsaveopt leaves alone what it believes to be in memory already, which depends on
 * task switches; xgetbv(1) shows what the processor believes to be in use. xsavec stays: without it
 * the C library's lazy binding takes the whole uncompacted area of the stack, 11 KB with AMX, which
 * small stacks have no room for. */
static const struct {
	uint32_t leaf, subleaf;
	unsigned word;
	uint32_t bits;
} hidden[] = {
	{1, ANY_SUBLEAF, 2, 1u << 30},		  /* rdrand */
	{7, 0, 1, 1u << 4 | 1u << 11 | 1u << 18}, /* hle, rtm, rdseed */
	{7, 0, 2, 1u << 5 | 1u << 22},		  /* waitpkg, rdpid */
	{7, 0, 3, 1u << 16},			  /* tsxldtrk */
	{0xd, 1, 0, 1u << 0 | 1u << 2 | 1u << 3}, /* xsaveopt, xgetbv(1), xsaves */
	{0x80000008, ANY_SUBLEAF, 1, 1u << 4},	  /* rdpru */
};

static void hide_features(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++)
		if (hidden[i].leaf == leaf &&
		    (hidden[i].subleaf == ANY_SUBLEAF || hidden[i].subleaf == subleaf))
			out[hidden[i].word] &= ~hidden[i].bits;
}

static void emulate_cpuid(struct regs *regs)
{
	uint32_t leaf = (uint32_t)regs->word[RAX], subleaf = (uint32_t)regs->word[RCX];
	uint32_t out[4];

	x86_64_cpuid(leaf, subleaf, out);
	hide_features(leaf, subleaf, out);
	regs->word[RAX] = out[0];
	regs->word[RBX] = out[1];
	regs->word[RCX] = out[2];
	regs->word[RDX] = out[3];
}

void x86_64_trap_emulate(const uint8_t *bytes, struct regs *regs)
{
	ZydisDecodedInstruction insn;

	if (!decode(bytes, 15, &insn))
		return;
	if (insn.mnemonic == ZYDIS_MNEMONIC_CPUID) {
		emulate_cpuid(regs);
	} else {
		unsigned aux = 0;
		uint64_t now = __rdtscp(&aux);

		regs->word[RAX] = (uint32_t)now;
		regs->word[RDX] = now >> 32;
		if (insn.mnemonic == ZYDIS_MNEMONIC_RDTSCP)
			regs->word[RCX] = aux;
	}
	regs->word[RIP] += insn.length;
}

bool x86_64_arm_time_trap(void)
{
	return prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0;
}

bool x86_64_arm_cpuid_trap(void)
{
	return syscall(SYS_arch_prctl, ARCH_SET_CPUID, 0) == 0;
}

void x86_64_cpuid_trap_call(int *nr, uint64_t args[SC_ARGS])
{
	memset(args, 0, sizeof(uint64_t) * SC_ARGS);
	*nr = SYS_arch_prctl;
	args[0] = ARCH_SET_CPUID;
}

size_t x86_64_identify_cpu(uint32_t (*leaves)[6], size_t room)
{
	static const uint32_t wanted[][2] = {
		{0, 0},		 {1, 0},	  {7, 0},	   {7, 1},
		{0xd, 0},	 {0xd, 1},	  {0x80000001, 0}, {0x80000002, 0},
		{0x80000003, 0}, {0x80000004, 0}, {0x80000008, 0},
	};
	size_t count = 0;

	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted) && count < room; i++) {
		uint32_t *to = leaves[count++];

		to[0] = wanted[i][0];
		to[1] = wanted[i][1];
		__cpuid_count(to[0], to[1], to[2], to[3], to[4], to[5]);
	}
	return count;
}
