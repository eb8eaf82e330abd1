/* The architecture's part in running instead of stepping: where a thread goes after an instruction. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arch/arch.h"
#include "arch/x86_64/x86_64.h"

#define PC	 0x401000
#define CARRY	 (1u << 0)
#define PARITY	 (1u << 2)
#define ZERO	 (1u << 6)
#define SIGN	 (1u << 7)
#define OVERFLOW (1u << 11)

/* An instruction's bytes, and no more. */
#define FLOW(bytes)  flow(bytes, sizeof(bytes) - 1, NULL)
#define KNOWN(bytes) flow(bytes, sizeof(bytes) - 1, &(struct regs){0})

static unsigned insn_length;
static taddr target;

static enum arch_flow flow(const char *bytes, size_t length, const struct regs *regs)
{
	return arch.flow((const uint8_t *)bytes, length, regs, PC, &insn_length, &target);
}

static void test_straight(void **state)
{
	assert_int_equal(FLOW("\x90"), ARCH_FLOW_ON);
	assert_int_equal(insn_length, 1);
	assert_int_equal(FLOW("\x48\x01\xd8"), ARCH_FLOW_ON); /* add rax, rbx */
	assert_int_equal(insn_length, 3);
	assert_int_equal(FLOW("\xf3\xa4"), ARCH_FLOW_ON);	       /* rep movsb: all rounds */
	assert_int_equal(FLOW("\x9c"), ARCH_FLOW_ON);		       /* pushfq */
	assert_int_equal(FLOW("\x0f\x44\xc1"), ARCH_FLOW_ON);	       /* cmove eax, ecx */
	assert_int_equal(FLOW("\xf3\x0f\x1e\xfa"), ARCH_FLOW_ON);      /* endbr64 */
	assert_int_equal(FLOW("\xc5\xf9\xef\xc0"), ARCH_FLOW_ON);      /* vpxor xmm0 */
	assert_int_equal(FLOW("\x64\x48\x8b\x04\x25\x00\x00\x00\x00"), /* mov rax, fs:0 */
			 ARCH_FLOW_ON);
	assert_int_equal(insn_length, 9);
}

static void test_ends(void **state)
{
	/* ret, ret 8, retf, iretq, call rax, jmp rax, call [rip], far jmp [rax] */
	assert_int_equal(KNOWN("\xc3"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\xc2\x08\x00"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\xcb"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\x48\xcf"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\xff\xd0"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\xff\xe0"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\xff\x15\x00\x00\x00\x00"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\xff\x28"), ARCH_FLOW_STEP);
	/* syscall, sysenter, int 0x80, int3, int1 */
	assert_int_equal(KNOWN("\x0f\x05"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\x0f\x34"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\xcd\x80"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\xcc"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\xf1"), ARCH_FLOW_STEP);
	/* loop, loope, loopne, jrcxz, xbegin */
	assert_int_equal(KNOWN("\xe2\xfe"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\xe1\xfe"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\xe0\xfe"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\xe3\xfe"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\xc7\xf8\x00\x00\x00\x00"), ARCH_FLOW_STEP);
	/* popfq; mov ss, eax */
	assert_int_equal(KNOWN("\x9d"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\x8e\xd0"), ARCH_FLOW_STEP);
	/* jmp and call with an operand size prefix */
	assert_int_equal(KNOWN("\x66\xe9\x00\x00\x00\x00"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN("\x66\xe8\x00\x00\x00\x00"), ARCH_FLOW_STEP);
}

static void test_no_instruction(void **state)
{
	assert_int_equal(KNOWN("\x06"), ARCH_FLOW_STEP); /* push es: not in 64-bit mode */
	assert_int_equal(insn_length, 0);
	assert_int_equal(KNOWN("\x48\x01"), ARCH_FLOW_STEP); /* cut off, as at a page's end */
	assert_int_equal(KNOWN("\xe9\x00\x00"), ARCH_FLOW_STEP);
	assert_int_equal(KNOWN(""), ARCH_FLOW_STEP);
}

static void test_jumps(void **state)
{
	assert_int_equal(KNOWN("\xeb\x10"), ARCH_FLOW_TO);
	assert_int_equal(target, PC + 2 + 0x10);
	assert_int_equal(KNOWN("\xeb\xfe"), ARCH_FLOW_TO); /* to itself */
	assert_int_equal(target, PC);
	assert_int_equal(KNOWN("\xe9\x00\xff\xff\xff"), ARCH_FLOW_TO);
	assert_int_equal(target, PC + 5 - 0x100);
	assert_int_equal(KNOWN("\xe8\x00\x01\x00\x00"), ARCH_FLOW_TO);
	assert_int_equal(target, PC + 5 + 0x100);
	/* one stops before them where registers are not known */
	assert_int_equal(FLOW("\xeb\x10"), ARCH_FLOW_STEP);
	assert_int_equal(FLOW("\xe8\x00\x01\x00\x00"), ARCH_FLOW_STEP);
	assert_int_equal(FLOW("\x74\x10"), ARCH_FLOW_STEP);
}

/* Flags that make jumps with an even opcode jump; those with the odd one behind do the opposite. */
static void test_conditions(void **state)
{
	static const struct {
		uint8_t code;
		unsigned flags;
		bool jumps;
	} cases[] = {
		{0x70, OVERFLOW, true},
		{0x70, CARRY | ZERO | SIGN | PARITY, false},
		{0x72, CARRY, true},
		{0x72, OVERFLOW | ZERO, false},
		{0x74, ZERO, true},
		{0x74, CARRY | SIGN, false},
		{0x76, CARRY, true},
		{0x76, ZERO, true},
		{0x76, SIGN | OVERFLOW, false},
		{0x78, SIGN, true},
		{0x78, ZERO, false},
		{0x7a, PARITY, true},
		{0x7a, SIGN, false},
		{0x7c, SIGN, true},
		{0x7c, OVERFLOW, true},
		{0x7c, SIGN | OVERFLOW, false},
		{0x7c, ZERO, false},
		{0x7e, ZERO, true},
		{0x7e, SIGN, true},
		{0x7e, SIGN | OVERFLOW, false},
		{0x7e, SIGN | OVERFLOW | ZERO, true},
		{0x7e, 0, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct regs regs = {.word[EFLAGS] = cases[i].flags | 2};

		for (unsigned odd = 0; odd < 2; odd++) {
			const char near[] = {(char)(cases[i].code + odd), 0x20};
			const char far[] = {0x0f, (char)(cases[i].code + 0x10 + odd), 0, 1, 0, 0};
			bool jumps = cases[i].jumps != odd;

			assert_int_equal(flow(near, 2, &regs), jumps ? ARCH_FLOW_TO : ARCH_FLOW_ON);
			assert_int_equal(target, jumps ? PC + 2 + 0x20 : 0);
			assert_int_equal(flow(far, 6, &regs), jumps ? ARCH_FLOW_TO : ARCH_FLOW_ON);
			assert_int_equal(target, jumps ? PC + 6 + 0x100 : 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_straight),       cmocka_unit_test(test_ends),
		cmocka_unit_test(test_no_instruction), cmocka_unit_test(test_jumps),
		cmocka_unit_test(test_conditions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
