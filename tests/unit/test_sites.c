/* Where sites may be: code that overlaps is known by what leads up to it. This process's own memory
 * is what is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "softpmu/probe.h"

#define PAGE 4096

/* Two pages of code, the first of which is preceded by one that cannot be read; filled with
 * nops. */
static uint8_t *make_code(void)
{
	uint8_t *pages =
		mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(pages != MAP_FAILED);
	assert_int_equal(munmap(pages, PAGE), 0);
	return memset(pages + PAGE, 0x90, 2 * PAGE);
}

static bool is_overlapped(const uint8_t *at)
{
	struct tracee self;

	tracee_init(&self, getpid(), getpid());
	bool overlapped = softpmu_is_overlapped(&self, (taddr)(uintptr_t)at);

	tracee_deinit(&self);
	return overlapped;
}

/* mov $0x90ffc283, %eax, whose middle is add $-1, %edx; nop. add %rdx, %rsi; rol $3, %rsi */
static const uint8_t overlapping[] = {0xb8, 0x83, 0xc2, 0xff, 0x90, 0x48,
				      0x01, 0xd6, 0x48, 0xc1, 0xc6, 0x03};

static void check(uint8_t *at)
{
	memcpy(at, overlapping, sizeof(overlapping));
	assert_false(is_overlapped(at));
	assert_true(is_overlapped(at + 1));
	assert_false(is_overlapped(at + 5));
	assert_false(is_overlapped(at + 8));
	assert_true(is_overlapped(at + 9));
}

static void test_overlapping(void **state)
{
	check(make_code() + PAGE + 100);
}

static void test_overlapping_near_the_beginning(void **state)
{
	uint8_t *code = make_code();

	check(code + 20);
	check(code);
}

static void test_no_site_in_an_operand(void **state)
{
	struct softpmu_probes none = {0};
	struct softpmu_probe plan;
	struct tracee self;
	uint8_t *at = make_code() + PAGE;

	memcpy(at, overlapping, sizeof(overlapping));
	tracee_init(&self, getpid(), getpid());
	assert_false(softpmu_probe_plan(&self, &none, (taddr)(uintptr_t)at + 1, &plan));
	assert_true(softpmu_probe_plan(&self, &none, (taddr)(uintptr_t)at + 5, &plan));
	tracee_deinit(&self);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overlapping),
		cmocka_unit_test(test_overlapping_near_the_beginning),
		cmocka_unit_test(test_no_site_in_an_operand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
