/* AMX: the tiles work after ARCH_REQ_XCOMP_PERM, keep their contents over calls, handlers and fork, and
 * come back with sigreturn; in a program executed afterwards the permission is gone. */
#include "guest_task.h"
#include <cpuid.h>

#define GET_XCOMP_PERM 0x1022
#define REQ_XCOMP_PERM 0x1023
#define TILE_DATA      18

static uint8_t tile[16][64], out[16][64];
static const long stride = 64;

static void configure(void)
{
	uint8_t config[64] __attribute__((aligned(64))) = {1};

	for (int i = 0; i < 8; i++) {
		config[16 + 2 * i] = 64; /* bytes a row */
		config[48 + i] = 16;	 /* rows */
	}
	__asm__ volatile("ldtilecfg %0" ::"m"(config));
}

static void fill(int seed)
{
	for (size_t i = 0; i < sizeof(tile); i++)
		((uint8_t *)tile)[i] = (uint8_t)(i * 7 + (size_t)seed);
	__asm__ volatile("tileloadd (%0,%1,1), %%tmm1" ::"r"(tile), "r"(stride) : "memory");
}

static bool holds(int seed)
{
	__asm__ volatile("tilestored %%tmm1, (%0,%1,1)" ::"r"(out), "r"(stride) : "memory");
	for (size_t i = 0; i < sizeof(out); i++)
		if (((uint8_t *)out)[i] != (uint8_t)(i * 7 + (size_t)seed))
			return false;
	return true;
}

static void on_signal(int signal)
{
	/* A handler begins with empty tiles, unconfigured (the frame holds the others). */
	configure();
	fill(100);
	show("in the handler");
	expect(holds(100), "the handler's own tile");
}

int main(int argc, char **argv)
{
	unsigned a, b, c, d;
	unsigned long permitted = 0;

	if (argc > 1) {
		need(syscall(SYS_arch_prctl, GET_XCOMP_PERM, &permitted));
		expect(!(permitted >> TILE_DATA & 1), "no permission after exec: %#lx", permitted);
		return done();
	}
	__cpuid_count(7, 0, a, b, c, d);
	if (!(d >> 24 & 1))
		skip("this processor has no AMX");
	if (syscall(SYS_arch_prctl, REQ_XCOMP_PERM, TILE_DATA) < 0)
		skip("this kernel gives no permission for AMX: %s", strerror(errno));
	need(syscall(SYS_arch_prctl, GET_XCOMP_PERM, &permitted));
	show("permitted %#lx", permitted);
	configure();
	fill(1);
	show("after a call");
	expect(holds(1), "the tile after a call");
	need((long)signal(SIGUSR1, on_signal) == -1 ? -1 : 0);
	raise(SIGUSR1);
	expect(holds(1), "the tile after a handler");
	pid_t pid = need(fork());
	if (pid == 0) {
		configure();
		fill(2);
		getppid();
		expect(holds(2), "a child's tile");
		_exit(done());
	}
	expect_child(pid, 0);
	expect(holds(1), "the tile after a fork");
	__asm__ volatile("tilerelease");
	need(execl("/proc/self/exe", argv[0], "again", NULL));
	return 1;
}
