/* The architecture's part in finding places: windows that a jump can cover, and the stub that compares
 * registers, which is executed here in this very process. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmocka.h>

#include "arch/arch.h"

static unsigned window(const char *bytes, size_t length)
{
	return arch.window((const uint8_t *)bytes, length);
}

static void test_windows(void **state)
{
	/* mov eax, imm32: exactly a jump */
	assert_int_equal(window("\xb8\x01\x00\x00\x00\x90", 6), 5);
	/* nop x 5 */
	assert_int_equal(window("\x90\x90\x90\x90\x90\x90", 6), 5);
	/* add rax, rbx; add rcx, rdx: 6 bytes */
	assert_int_equal(window("\x48\x01\xd8\x48\x01\xd1\x90", 7), 6);
	/* a conditional jump at the end and a direct call can be copied, other calls and ret cannot */
	assert_int_equal(window("\x48\x01\xd8\x75\xf0\x90", 6), 5);
	assert_int_equal(window("\xe8\x00\x00\x00\x00\x90", 6), 5);
	assert_int_equal(window("\x48\x01\xd8\xe8\x00\x00\x00\x00", 8), 8);
	assert_int_equal(window("\xff\xd0\x48\x01\xd8\x90", 6), 0);
	assert_int_equal(window("\x48\x01\xd8\xc3\x90\x90", 6), 0);
	/* what follows a short jump is not ours to move */
	assert_int_equal(window("\xeb\x10\x90\x90\x90\x90", 6), 0);
	/* system calls and rdtsc are events */
	assert_int_equal(window("\x0f\x05\x90\x90\x90\x90", 6), 0);
	assert_int_equal(window("\x0f\x31\x90\x90\x90\x90", 6), 0);
	/* cut off */
	assert_int_equal(window("\x48\x01", 2), 0);
}

static void test_window_starts(void **state)
{
	const uint8_t two[] = {0x48, 0x01, 0xd8, 0x48, 0x01, 0xd1};
	const uint8_t nops[] = {0x90, 0x90, 0x90, 0x90, 0x90};
	const uint8_t one[] = {0xb8, 1, 0, 0, 0};

	assert_int_equal(arch.window_starts(two, 6), 1u << 3);
	assert_int_equal(arch.window_starts(nops, 5), 0x1e);
	assert_int_equal(arch.window_starts(one, 5), 0);
}

/* ---- executing a stub ---- */

static volatile int traps;

static void on_trap(int signal, siginfo_t *info, void *context)
{
	traps++; /* the stub goes on behind its trap */
}

#define STUB_AT	    0x60000000ul
#define FUNCTION_AT 0x60010000ul
#define SCRATCH_AT  0x60020000ul

static void *map_at(unsigned long at)
{
	void *page = mmap((void *)at, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	assert_ptr_equal(page, (void *)at);
	return page;
}

/* mov rax, rdi; add rax, rsi (the window: 6 bytes); ret */
static const uint8_t function[] = {0x48, 0x89, 0xf8, 0x48, 0x01, 0xf0, 0xc3};

static uint64_t call(uint64_t a, uint64_t b)
{
	return ((uint64_t(*)(uint64_t, uint64_t))FUNCTION_AT)(a, b);
}

/* Compares only rdi and rsi: all other registers are taken out of the order by a value that fits
 * whatever they hold, which cannot be; so the order names these two alone, again and again. */
static size_t make_stub(struct arch_stub *stub, uint64_t rdi, uint64_t rsi, uint8_t *code)
{
	static uint8_t order[TRACE_REGS];
	struct regs values = {0};

	for (int i = 0; i < TRACE_REGS; i++) {
		bool is_rsi = i & 1;

		for (int r = 0; r < TRACE_REGS; r++)
			if (!strcmp(arch.reg_names[r], is_rsi ? "rsi" : "rdi")) {
				order[i] = (uint8_t)r;
				values.word[r] = is_rsi ? rsi : rdi;
			}
	}
	stub->order = order;
	return arch.compare_stub(stub, &values, code, 4096);
}

static void test_stub(void **state)
{
	struct sigaction act = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO}, old;
	uint8_t *at = map_at(STUB_AT), *code = map_at(FUNCTION_AT);
	volatile uint64_t *scratch = map_at(SCRATCH_AT);
	uint8_t window_bytes[sizeof(function)];
	struct arch_stub stub = {
		.at = STUB_AT,
		.pc = FUNCTION_AT,
		.window = window_bytes,
		.length = 6,
		.scratch = SCRATCH_AT,
		.counter = SCRATCH_AT + 32,
		.words = {{SCRATCH_AT + 64, 77}},
		.word_count = 1,
	};

	memcpy(code, function, sizeof(function));
	memcpy(window_bytes, function, sizeof(function));
	assert_true(make_stub(&stub, 40, 2, at));
	arch.make_jump(code, FUNCTION_AT, STUB_AT, 6);
	sigaction(SIGTRAP, &act, &old);
	scratch[8] = 77;
	assert_int_equal(call(1, 2), 3);
	assert_int_equal(traps, 0); /* rdi differs */
	assert_int_equal(call(40, 3), 43);
	assert_int_equal(traps, 0); /* rsi differs */
	assert_int_equal(call(40, 2), 42);
	assert_int_equal(traps, 1);
	scratch[8] = 78;
	assert_int_equal(call(40, 2), 42);
	assert_int_equal(traps, 1); /* the word of memory differs */
	assert_int_equal(stub.copies[3], stub.copies[0] + 3);
	assert_int_equal(stub.copies[1], 0);
	sigaction(SIGTRAP, &old, NULL);
}

/* A call's copy pushes the address behind the program's own call: low addresses and high ones, whose
 * lower half is negative. */
static void test_stub_with_call(void **state)
{
	/* call f; inc %rax; ret; f: mov (%rsp), %rax; ret */
	static const uint8_t caller[] = {0xe8, 4,    0,	   0,	 0,    0x48, 0xff,
					 0xc0, 0xc3, 0x48, 0x8b, 0x04, 0x24, 0xc3};
	static const unsigned long places[] = {0x60040000, 0x7f0160040000, 0x7f01e0040000};
	volatile uint64_t *scratch = map_at(0x60030000);

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		uint8_t *code = map_at(places[i]), *at = map_at(places[i] + 0x10000);
		struct arch_stub stub = {
			.at = places[i] + 0x10000,
			.pc = places[i],
			.window = caller,
			.length = 5,
			.known = sizeof(caller),
			.scratch = 0x60030000,
			.counter = 0x60030020,
		};

		memcpy(code, caller, sizeof(caller));
		scratch[4] = 1000;
		assert_int_not_equal(arch.count_stub(&stub, at, 4096), 0);
		arch.make_jump(code, places[i], stub.at, stub.length);
		assert_int_equal(((uint64_t(*)(void))places[i])(), places[i] + 5 + 1);
		assert_int_equal(scratch[4], 999);
	}
}

/* mov $0x90ffc283, %eax; add %edx, %eax; ret. One byte further: add $-1, %edx; nop. */
static void test_stub_of_overlapping_code(void **state)
{
	static const uint8_t overlapping[] = {0xb8, 0x83, 0xc2, 0xff, 0x90, 0x01, 0xd0, 0xc3};
	uint8_t at[512];
	struct arch_stub stub = {
		.at = STUB_AT,
		.pc = FUNCTION_AT,
		.window = overlapping,
		.length = 5,
		.known = sizeof(overlapping),
		.scratch = SCRATCH_AT,
		.counter = SCRATCH_AT + 32,
		.flags_dead = true,
	};

	assert_true(arch.count_stub(&stub, at, sizeof(at)));
	/* By its copy; then the nop's, which is the end of the window, and on in the program. */
	const uint8_t *copy = at + (stub.copies[1] - STUB_AT);

	assert_int_not_equal(stub.copies[1], 0);
	assert_memory_equal(copy, overlapping + 1, 3);
	int32_t displacement;

	assert_int_not_equal(stub.copies[4], 0);
	memcpy(&displacement, copy + 4, sizeof(displacement));
	assert_int_equal(stub.copies[1] + 3 + ARCH_JUMP + displacement, stub.copies[4]);
}

static void test_stub_without_room(void **state)
{
	uint8_t code[64];
	struct arch_stub stub = {.at = STUB_AT,
				 .pc = FUNCTION_AT,
				 .window = function,
				 .length = 6,
				 .scratch = SCRATCH_AT,
				 .counter = SCRATCH_AT + 32};
	static uint8_t order[TRACE_REGS];
	struct regs values = {0};

	for (int i = 0; i < TRACE_REGS; i++)
		order[i] = (uint8_t)i;
	stub.order = order;
	assert_int_equal(arch.compare_stub(&stub, &values, code, sizeof(code)), 0);
}

static void test_relative_copy_out_of_reach(void **state)
{
	/* mov rax, [rip + 0x10]: cannot be copied 100 GB away */
	const uint8_t load[] = {0x48, 0x8b, 0x05, 0x10, 0, 0, 0};
	static uint8_t order[TRACE_REGS], code[4096];
	struct arch_stub stub = {.at = FUNCTION_AT + (100ul << 30),
				 .pc = FUNCTION_AT,
				 .window = load,
				 .length = 7,
				 .order = order,
				 .scratch = SCRATCH_AT,
				 .counter = SCRATCH_AT + 32};
	struct regs values = {0};

	for (int i = 0; i < TRACE_REGS; i++)
		order[i] = (uint8_t)i;
	assert_int_equal(arch.compare_stub(&stub, &values, code, sizeof(code)), 0);
	stub.at = FUNCTION_AT + 0x10000;
	assert_int_not_equal(arch.compare_stub(&stub, &values, code, sizeof(code)), 0);
}

/* Where some flags mean something already and others do not yet, none may be cleared. */
static void test_dead_flags(void **state)
{
	/* mov %rax, %rdx; xor %ecx, %ecx: all are dead up to the end of xor. */
	static const uint8_t dead[] = {0x48, 0x89, 0xc2, 0x31, 0xc9};
	/* bsf %rax, %rdx; cmovz %rcx, %rdx; xor %ecx, %ecx: the zero flag is bsf's. */
	static const uint8_t partly[] = {0x48, 0x0f, 0xbc, 0xd0, 0x48,
					 0x0f, 0x44, 0xd1, 0x31, 0xc9};
	/* cmovz %rcx, %rdx; xor %ecx, %ecx: the zero flag is from before. */
	static const uint8_t live[] = {0x48, 0x0f, 0x44, 0xd1, 0x31, 0xc9};

	assert_int_equal(arch.flags_dead(dead, sizeof(dead)), sizeof(dead));
	assert_int_equal(arch.flags_dead(partly, sizeof(partly)), 0);
	assert_int_equal(arch.flags_dead(live, sizeof(live)), 0);
}

static void test_trapped_instructions(void **state)
{
	struct regs regs = {0};

	assert_int_equal(arch.trap_kind((const uint8_t *)"\x0f\x31\x90", 3), ARCH_TRAP_TIME);
	assert_int_equal(arch.trap_kind((const uint8_t *)"\x0f\x01\xf9", 3), ARCH_TRAP_TIME);
	assert_int_equal(arch.trap_kind((const uint8_t *)"\x0f\xa2\x90", 3), ARCH_TRAP_CPUID);
	assert_int_equal(arch.trap_kind((const uint8_t *)"\x90\x90\x90", 3), ARCH_TRAP_NONE);
	arch.set_pc(&regs, 1000);
	arch.trap_emulate(
		(const uint8_t *)"\x0f\xa2\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90",
		&regs);
	assert_int_equal(arch.pc(&regs), 1002);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_window_starts),
		cmocka_unit_test(test_stub_with_call),
		cmocka_unit_test(test_stub),
		cmocka_unit_test(test_stub_of_overlapping_code),
		cmocka_unit_test(test_stub_without_room),
		cmocka_unit_test(test_relative_copy_out_of_reach),
		cmocka_unit_test(test_dead_flags),
		cmocka_unit_test(test_trapped_instructions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
