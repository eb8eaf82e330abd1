/* Faults with handlers amid 1 ms timer signals: page by page of protected memory becomes writable in the
 * SIGSEGV handler, integer divisions by zero are skipped in the SIGFPE handler. */
#include "torture.h"
#include <sys/mman.h>

#define PAGES 64

static uint8_t *area;
static volatile uint64_t faults, divisions;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	uint8_t *page = (uint8_t *)((uintptr_t)info->si_addr & ~4095ul);

	if (page < area || page >= area + PAGES * 4096) {
		expect(false, "a fault at %p", info->si_addr);
		_exit(1);
	}
	faults++;
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void on_division(int signal, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	divisions++;
	u->uc_mcontext.gregs[REG_RIP] += 2; /* div %ecx */
	u->uc_mcontext.gregs[REG_RAX] = 7;
}

static uint32_t divide(uint32_t a, uint32_t b)
{
	uint32_t high = 0;

	__asm__ volatile("div %%ecx" : "+a"(a), "+d"(high) : "c"(b) : "cc");
	return a;
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 1000), hash = 0;

	area = mmap(NULL, PAGES * 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need((long)area);
	watched = area;
	watched_length = 512;
	tick_handle(SIGSEGV, 0, on_fault);
	tick_handle(SIGFPE, 0, on_division);
	tick_start(1000);
	for (uint64_t i = 0; i < n; i++) {
		progress = i;
		need(mprotect(area, PAGES * 4096, PROT_READ));
		for (uint64_t k = 0; k < PAGES * 4096; k += 3)
			area[k] += (uint8_t)(k ^ i);
		for (uint32_t k = 0; k < 3000; k++)
			hash = mix(hash, divide((uint32_t)hash | 1, k % 100));
	}
	tick_stop();
	show("same: %lx, area %lx, %lu faults, %lu divisions", (unsigned long)hash,
	     (unsigned long)hash_bytes(area, PAGES * 4096), (unsigned long)faults,
	     (unsigned long)divisions);
	tick_show();
	return done();
}
