/* 1 ms timer signals into SSE, AVX2 and AVX-512 loops, as far as the processor has them, with vector
 * state that lives in registers only for long. The handler uses vector registers, too. */
#include "torture.h"

typedef uint64_t v2 __attribute__((vector_size(16)));
typedef uint64_t v4 __attribute__((vector_size(32)));
typedef uint64_t v8 __attribute__((vector_size(64)));

#define KERNEL(name, type, isa)                                                    \
	static __attribute__((target(isa), noinline)) uint64_t name(uint64_t n)    \
	{                                                                          \
		type a = {1, 2}, b = {3, 5}, c = a ^ b, d = a + b;                 \
		uint64_t hash = 0, out[sizeof(type) / 8];                          \
                                                                                   \
		for (uint64_t i = 0; i < n; i++) {                                 \
			a += b ^ (c << 3);                                         \
			b ^= d >> 5;                                               \
			c -= a + i;                                                \
			d = (d + c) ^ a;                                           \
			__asm__ volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d)); \
		}                                                                  \
		a ^= b + c + d;                                                    \
		memcpy(out, &a, sizeof(a));                                        \
		for (unsigned i = 0; i < sizeof(type) / 8; i++)                    \
			hash = mix(hash, out[i]);                                  \
		return hash;                                                       \
	}

KERNEL(sse, v2, "sse2")
KERNEL(avx2, v4, "avx2")
KERNEL(avx512, v8, "avx512f")

static double handler_vector[8];

static void on_tick(int signal, siginfo_t *info, void *context)
{
	tick_note(signal, info, context);
	for (int i = 0; i < 8; i++)
		handler_vector[i] = handler_vector[i] * 0.5 + i;
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 60000000);

	tick_handle(SIGALRM, SA_RESTART, on_tick);
	tick_timer(ITIMER_REAL, 1000);
	show("same: sse %lx", (unsigned long)sse(n));
	if (__builtin_cpu_supports("avx2"))
		show("same: avx2 %lx", (unsigned long)avx2(n));
	if (__builtin_cpu_supports("avx512f"))
		show("same: avx512 %lx", (unsigned long)avx512(n));
	tick_stop();
	show("handler %a", handler_vector[7]);
	tick_show();
	return done();
}
