/* Threads in the same function of a library, which is unloaded and loaded again, and between its loads other
 * code lies at its place; under 1 ms timer signals.
 * torture: beside */
#include "torture.h"
#include <dlfcn.h>
#include <libgen.h>
#include <sys/mman.h>

#define THREADS 3

static uint64_t (*work_loop)(uint64_t, uint64_t);
static uint64_t (*work_touch)(volatile uint64_t *, uint64_t);
static uint64_t results[THREADS], surprises[THREADS], rounds;
static volatile uint64_t shared;

static void *work(void *number)
{
	uintptr_t i = (uintptr_t)number;

	results[i] = mix(results[i], work_loop(rounds, i + 1));
	surprises[i] += work_touch(&shared, rounds / 4);
	return NULL;
}

/* Something else where the library was, if the place is free: a loop of our own. */
static uint64_t occupy(uint8_t *place, uint64_t n)
{
	/* 1: lea 5(%rsi,%rsi,4), %rsi; dec %rdi; jnz 1b; mov %rsi, %rax; ret */
	static const uint8_t loop[] = {0x48, 0x8d, 0x74, 0xb6, 0x05, 0x48, 0xff,
				       0xcf, 0x75, 0xf6, 0x48, 0x89, 0xf0, 0xc3};
	uint8_t *page = (uint8_t *)((uintptr_t)place & ~4095ul);
	uint8_t *got = mmap(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (got != page)
		return 0;
	memcpy(place, loop, sizeof(loop));
	uint64_t result = ((uint64_t(*)(uint64_t, uint64_t))place)(n, 3);

	munmap(page, 8192);
	return result;
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 12), other = 0;
	char path[PATH_MAX + 32], self[PATH_MAX];

	snprintf(self, sizeof(self), "%s", argv[0]);
	snprintf(path, sizeof(path), "%s/libtorture_work.so", dirname(self));
	rounds = 4000000;
	tick_start(1000);
	for (uint64_t i = 0; i < n; i++) {
		void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);

		if (!library) {
			expect(false, "%s", dlerror());
			return done();
		}
		progress = i;
		work_loop = (uint64_t(*)(uint64_t, uint64_t))dlsym(library, "work_loop");
		work_touch =
			(uint64_t(*)(volatile uint64_t *, uint64_t))dlsym(library, "work_touch");
		run_threads(THREADS, work);
		dlclose(library);
		other = mix(other, occupy((uint8_t *)work_loop, 3000000));
	}
	tick_stop();
	show("same: %lx %lx %lx, other %lx", (unsigned long)results[0], (unsigned long)results[1],
	     (unsigned long)results[2], (unsigned long)other);
	show("shared %lu, surprises %lu %lu %lu", (unsigned long)shared,
	     (unsigned long)surprises[0], (unsigned long)surprises[1], (unsigned long)surprises[2]);
	tick_show();
	return done();
}
