/* 1 ms timer signals into code whose flags live over its loops' edges: chains of adc with dec and lea,
 * lahf that takes the auxiliary flag, setcc and cmov after the jump, the direction flag. Whatever
 * counts iterations in there must change no flag. */
#include "torture.h"

#define LIMBS 64

/* a += b, of LIMBS words: the carry passes through dec and jnz. */
static uint64_t add_long(uint64_t *a, const uint64_t *b)
{
	uint64_t count = LIMBS, carry;

	__asm__ volatile("clc\n"
			 "1:	mov (%[b]), %%rax\n"
			 "	adc %%rax, (%[a])\n"
			 "	lea 8(%[a]), %[a]\n"
			 "	lea 8(%[b]), %[b]\n"
			 "	dec %[n]\n"
			 "	jnz 1b\n"
			 "	setc %%al\n"
			 "	movzbl %%al, %%eax\n"
			 : [a] "+r"(a), [b] "+r"(b), [n] "+r"(count), "=&a"(carry)::"memory", "cc");
	return carry;
}

/* All six flags are folded into the sum in each round, as the addition of the round before left them:
 * the loop ends by jrcxz, which looks at no flag. */
static uint64_t fold_flags(uint64_t n, uint64_t seed)
{
	uint64_t sum = 0;

	__asm__ volatile("	mov %[seed], %%r8\n"
			 "	xor %%r9d, %%r9d\n"
			 "1:	lahf\n"
			 "	movzbl %%ah, %%eax\n"
			 "	lea (%%rax, %%r9, 4), %%r9\n"
			 "	seto %%al\n"
			 "	movzbl %%al, %%eax\n"
			 "	lea (%%rax, %%r9, 2), %%r9\n"
			 "	lea (%%r8, %%r9), %%r8\n"
			 "	lea -1(%%rcx), %%rcx\n"
			 "	add %[seed], %%r8\n"
			 "	jrcxz 2f\n"
			 "	jmp 1b\n"
			 "2:	mov %%r9, %[sum]\n"
			 : "+c"(n), [sum] "=r"(sum)
			 : [seed] "r"(seed)
			 : "rax", "r8", "r9", "cc");
	return sum;
}

/* The comparison is made before the jump back, its result taken behind it. */
static uint64_t compare_over_edge(uint64_t n)
{
	uint64_t sum = 0;

	__asm__ volatile("	xor %%r8d, %%r8d\n"
			 "	cmp $1, %%rcx\n"
			 "1:	setb %%al\n"
			 "	movzbl %%al, %%eax\n"
			 "	lea (%%r8, %%rax), %%r8\n"
			 "	cmovbe %%r8, %[sum]\n"
			 "	lea 3(%%r8), %%r8\n"
			 "	cmp %%r8d, %%ecx\n"
			 "	lea -1(%%rcx), %%rcx\n"
			 "	jrcxz 2f\n"
			 "	jmp 1b\n"
			 "2:	lea (%%r8, %[sum]), %[sum]\n"
			 : "+c"(n), [sum] "+r"(sum)::"rax", "r8", "cc");
	return sum;
}

/* Backwards while the direction flag is set, one element at a time: no repeat prefix. */
static void copy_backwards(uint8_t *to, const uint8_t *from, uint64_t n)
{
	to += n - 1;
	from += n - 1;
	__asm__ volatile("	std\n"
			 "1:	lodsb\n"
			 "	stosb\n"
			 "	dec %[n]\n"
			 "	jnz 1b\n"
			 "	cld\n"
			 : "+D"(to), "+S"(from), [n] "+r"(n)::"rax", "memory", "cc");
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 1000000), carries = 0, hash = 0;
	static uint64_t a[LIMBS], b[LIMBS];
	static uint8_t bytes[2][4096];

	for (int i = 0; i < LIMBS; i++)
		b[i] = 0xffffffffffffff00 - (uint64_t)i * 77;
	watched = a;
	watched_length = sizeof(a);
	tick_start(1000);
	for (uint64_t i = 0; i < n; i++) {
		carries += add_long(a, b);
		progress = i;
	}
	show("same: %lu carries, %lx", (unsigned long)carries,
	     (unsigned long)hash_bytes(a, sizeof(a)));
	show("same: flags %lx", (unsigned long)fold_flags(50 * n, 0x123456789abcdef));
	show("same: comparisons %lx", (unsigned long)compare_over_edge(100 * n));
	for (uint64_t i = 0; i < n / 50; i++) {
		bytes[0][i % 4096] ^= (uint8_t)i;
		copy_backwards(bytes[1], bytes[0], sizeof(bytes[0]));
		hash = mix(hash, bytes[1][(i * 7) % 4096]);
	}
	show("same: backwards %lx", (unsigned long)hash);
	tick_stop();
	tick_show();
	return done();
}
