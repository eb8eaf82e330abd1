/* x86-64: what is executed next, told from an instruction and the registers. */
#include <Zydis/Zydis.h>

#include "arch/x86_64/x86_64.h"

/* Flags that conditions test (SDM 1, 3.4.3.1). */
#define CARRY	 (1u << 0)
#define PARITY	 (1u << 2)
#define ZERO	 (1u << 6)
#define SIGN	 (1u << 7)
#define OVERFLOW (1u << 11)

/* Condition codes as jumps have them in the low half of their opcode (SDM 2, appendix B.1.4). */
static bool holds(unsigned code, uint64_t flags)
{
	bool less = !(flags & SIGN) != !(flags & OVERFLOW), on;

	switch (code >> 1) {
	case 0:
		on = flags & OVERFLOW;
		break;
	case 1:
		on = flags & CARRY;
		break;
	case 2:
		on = flags & ZERO;
		break;
	case 3:
		on = flags & (CARRY | ZERO);
		break;
	case 4:
		on = flags & SIGN;
		break;
	case 5:
		on = flags & PARITY;
		break;
	case 6:
		on = less;
		break;
	default:
		on = less || flags & ZERO;
		break;
	}
	return code & 1 ? !on : on;
}

/* Jcc rel8, Jcc rel32. */
static bool is_conditional(const ZydisDecodedInstruction *insn)
{
	return insn->meta.category == ZYDIS_CATEGORY_COND_BR &&
	       ((insn->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && insn->opcode >> 4 == 7) ||
		(insn->opcode_map == ZYDIS_OPCODE_MAP_0F && insn->opcode >> 4 == 8));
}

/* Instructions after which the next one is not always that behind them, or is not stopped at (the
 * one behind a write to ss, SDM 3A, 6.8.3), or which set the trap flag. */
static bool is_plain(const ZydisDecodedInstruction *insn)
{
	switch (insn->meta.category) {
	case ZYDIS_CATEGORY_CALL:
	case ZYDIS_CATEGORY_COND_BR:
	case ZYDIS_CATEGORY_UNCOND_BR:
	case ZYDIS_CATEGORY_RET:
	case ZYDIS_CATEGORY_INTERRUPT:
	case ZYDIS_CATEGORY_SYSCALL:
	case ZYDIS_CATEGORY_SYSRET:
	case ZYDIS_CATEGORY_SYSTEM:
	case ZYDIS_CATEGORY_UINTR:
		return false;
	default:
		break;
	}
	switch (insn->mnemonic) {
	case ZYDIS_MNEMONIC_POPF:
	case ZYDIS_MNEMONIC_POPFD:
	case ZYDIS_MNEMONIC_POPFQ:
	case ZYDIS_MNEMONIC_XABORT:
	case ZYDIS_MNEMONIC_XEND:
		return false;
	case ZYDIS_MNEMONIC_MOV:
		return insn->opcode_map != ZYDIS_OPCODE_MAP_DEFAULT || insn->opcode != 0x8e;
	default:
		return true;
	}
}

enum arch_flow x86_64_flow(const uint8_t *bytes, size_t length, const struct regs *regs, taddr pc,
			   unsigned *insn_length, taddr *target)
{
	ZydisDecodedInstruction insn;
	ZydisDecoder decoder;

	*insn_length = 0;
	*target = 0;
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	if (ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder, NULL, bytes, length, &insn)))
		return ARCH_FLOW_STEP;
	*insn_length = insn.length;
	if (is_plain(&insn))
		return ARCH_FLOW_ON;
	bool conditional = is_conditional(&insn);
	bool fixed = conditional || insn.mnemonic == ZYDIS_MNEMONIC_JMP ||
		     insn.mnemonic == ZYDIS_MNEMONIC_CALL;

	/* with an operand size prefix makers' processors differ */
	if (!regs || !fixed || !insn.raw.imm[0].is_relative ||
	    insn.attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE)
		return ARCH_FLOW_STEP;
	if (conditional && !holds(insn.opcode & 15, regs->word[EFLAGS]))
		return ARCH_FLOW_ON;
	*target = pc + insn.length + (taddr)insn.raw.imm[0].value.s;
	return ARCH_FLOW_TO;
}
