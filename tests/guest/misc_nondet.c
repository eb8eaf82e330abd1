/*
 * Everything in one place that differs from run to run: addresses, pids, clocks, random bytes, the
 * stack protector's canary, hash orders, counters of the kernel.
 */
#include "guest.h"
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

static int global;

static unsigned long canary(void)
{
	unsigned long value;
	__asm__ volatile("movq %%fs:0x28, %0" : "=r"(value));
	return value;
}

int main(void)
{
	int local = 0;
	struct timespec ts;
	unsigned char bytes[16];
	struct rusage ru;
	char name[64] = "";

	show("stack %p, heap %p, data %p, code %p, libc %p, vDSO %lx", (void *)&local, malloc(10),
	     (void *)&global, (void *)(uintptr_t)main, (void *)(uintptr_t)&fopen,
	     getauxval(AT_SYSINFO_EHDR));
	show("pid %d, parent %d, canary %lx", getpid(), getppid(), canary());
	hexdump("AT_RANDOM", (void *)getauxval(AT_RANDOM), 16);
	expect(memcmp((char *)getauxval(AT_RANDOM) + 1, (char[8]){0}, 7) != 0, "it is random");
	for (int clock = 0; clock <= 7; clock++)
		if (clock_gettime(clock, &ts) == 0)
			show("clock %d: %ld.%09ld", clock, ts.tv_sec, ts.tv_nsec);
	for (int i = 0; i < 4; i++) {
		need(getrandom(bytes, sizeof(bytes), 0));
		hexdump("getrandom", bytes, sizeof(bytes));
	}
	srand(time(NULL) ^ getpid());
	show("rand %d %d %d", rand(), rand(), rand());
	/* A shuffle and a sort steered by random numbers: the path taken must repeat. */
	unsigned order[64];
	for (unsigned i = 0; i < 64; i++)
		order[i] = i;
	unsigned swaps = 0;
	for (unsigned i = 63; i > 0; i--) {
		unsigned r;
		need(getrandom(&r, sizeof(r), 0));
		unsigned j = r % (i + 1), t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
	for (unsigned i = 0; i < 64; i++)
		for (unsigned j = 0; j + 1 < 64 - i; j++)
			if (order[j] > order[j + 1]) {
				unsigned t = order[j];
				order[j] = order[j + 1];
				order[j + 1] = t;
				swaps++;
			}
	show("%u swaps", swaps);
	expect(order[0] == 0 && order[63] == 63, "sorted");
	need(getrusage(RUSAGE_SELF, &ru));
	show("faults %ld, switches %ld, system time %ld us", ru.ru_minflt, ru.ru_nvcsw,
	     (long)ru.ru_stime.tv_usec);
	gethostname(name, sizeof(name) - 1);
	show("host %s", name);
	FILE *f = fopen("/proc/sys/kernel/random/uuid", "r");
	if (f && fgets(name, sizeof(name), f))
		show("uuid %.36s", name);
	return done();
}
