/* xgetbv, SSE, AVX2 and FMA arithmetic, MXCSR kept over calls; results hashed. */
#include "guest_task.h"
#include <cpuid.h>
#include <immintrin.h>

#define N 1024

static float in[N], out[N];

static __attribute__((target("avx2,fma"))) void with_avx2(void)
{
	__m256 scale = _mm256_set1_ps(1.25f), add = _mm256_set1_ps(-0.5f);
	__m256i seed = _mm256_set1_epi32(0x9e3779b9);

	for (int i = 0; i < N; i += 8) {
		__m256 x = _mm256_loadu_ps(in + i);
		x = _mm256_fmadd_ps(x, scale, add);
		__m256i bits = _mm256_castps_si256(x);
		bits = _mm256_xor_si256(bits,
					_mm256_srli_epi32(_mm256_mullo_epi32(bits, seed), 12));
		_mm256_storeu_ps(out + i, _mm256_castsi256_ps(bits));
		/* A system call between: the registers live across it. */
		if (i % 256 == 0)
			sched_yield();
	}
}

static void with_sse(void)
{
	__m128 scale = _mm_set1_ps(1.25f);

	for (int i = 0; i < N; i += 4)
		_mm_storeu_ps(out + i, _mm_sqrt_ps(_mm_mul_ps(_mm_loadu_ps(in + i), scale)));
}

static void check_mxcsr(unsigned rounding)
{
	unsigned mxcsr = 0x1f80 | rounding, after;
	volatile float one = 1.0f, three = 3.0f;

	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	volatile float third = one / three;
	sched_yield();
	free(malloc(100));
	close(open("/dev/null", O_RDONLY));
	__asm__ volatile("stmxcsr %0" : "=m"(after));
	mxcsr = 0x1f80;
	__asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
	expect((after & 0x6000) == rounding, "rounding %#x kept: 1/3 is %a", rounding, third);
}

int main(void)
{
	unsigned a, b, c, d, low, high;

	for (int i = 0; i < N; i++)
		in[i] = (float)i * 0.37f;
	with_sse();
	show("SSE: %016llx", (unsigned long long)hash_bytes(out, sizeof(out)));
	expect(out[0] == 0.0f, "square root of 0");
	for (unsigned rounding = 0; rounding <= 0x6000; rounding += 0x2000)
		check_mxcsr(rounding);
	__cpuid(1, a, b, c, d);
	if (!(c & (1u << 27)))
		skip("XSAVE");
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	show("XCR0 %08x:%08x", high, low);
	expect((low & 3) == 3, "x87 and SSE states are on");
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
		skip("AVX2");
	with_avx2();
	uint64_t first = hash_bytes(out, sizeof(out));
	with_avx2();
	expect(first == hash_bytes(out, sizeof(out)), "AVX2: %016llx", (unsigned long long)first);
	return done();
}
