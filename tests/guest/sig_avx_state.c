/* The upper halves of the ymm registers over a handler that spoils them. */
#include "guest_task.h"

static volatile int hits;

static __attribute__((target("avx"))) void handler(int sig, siginfo_t *si, void *uc)
{
	__asm__ volatile("vzeroall"
			 :
			 :
			 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
			   "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	hits++;
}

static __attribute__((target("avx"))) long raise_with_ymm(const uint8_t *in, uint8_t *out)
{
	long ret;
	long pid = getpid(), tid = syscall(SYS_gettid);

	__asm__ volatile("vmovdqu 0(%[in]), %%ymm0\n\t"
			 "vmovdqu 32(%[in]), %%ymm1\n\t"
			 "vmovdqu 64(%[in]), %%ymm8\n\t"
			 "vmovdqu 96(%[in]), %%ymm15\n\t"
			 "syscall\n\t"
			 "vmovdqu %%ymm0, 0(%[out])\n\t"
			 "vmovdqu %%ymm1, 32(%[out])\n\t"
			 "vmovdqu %%ymm8, 64(%[out])\n\t"
			 "vmovdqu %%ymm15, 96(%[out])\n\t"
			 "vzeroupper"
			 : "=a"(ret)
			 : "a"(SYS_tgkill), "D"(pid), "S"(tid),
			   "d"((long)SIGUSR1), [in] "r"(in), [out] "r"(out)
			 : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm8", "xmm15");
	return ret;
}

int main(void)
{
	uint8_t in[128], out[128];

	if (!__builtin_cpu_supports("avx"))
		skip("AVX");
	handle(SIGUSR1, handler, 0);
	for (int round = 1; round <= 10; round++) {
		for (int i = 0; i < 128; i++)
			in[i] = (uint8_t)(i * 37 + round);
		memset(out, 0, sizeof(out));
		expect_eq_long(raise_with_ymm(in, out), 0, "tgkill");
		expect_eq_long(hits, round, "handler calls");
		expect(memcmp(in, out, sizeof(in)) == 0, "ymm registers, hash %016llx",
		       (unsigned long long)hash_bytes(out, sizeof(out)));
	}
	return done();
}
