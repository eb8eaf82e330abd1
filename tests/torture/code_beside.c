/* Threads that are preempted in code with data right before and behind it, which it sums up: what looks like
 * a loop there is none. And in instructions that leave some flags as they were (bsf, shifts by nothing), between
 * those that set them and those that use them.
 * Timer signals, too: where they hit, sites are looked for.
 *	torture: record --chaos=5
 */
#include "torture.h"

#define THREADS 3

/* The data around its code: nops, and a jump back into them. */
uint64_t sum_around(uint64_t seed);
__asm__("	.text\n"
	"	.balign 64\n"
	"before:\n"
	"	.fill 64, 1, 0x90\n"
	"	.globl sum_around\n"
	"	.type sum_around, @function\n"
	"sum_around:\n"
	"	lea before(%rip), %rdx\n"
	"	xor %ecx, %ecx\n"
	"	mov %rdi, %rax\n"
	"1:	add (%rdx, %rcx, 8), %rax\n"
	"	rol $7, %rax\n"
	"	add behind - before(%rdx, %rcx, 8), %rax\n"
	"	inc %ecx\n"
	"	cmp $8, %ecx\n"
	"	jne 1b\n"
	"	ret\n"
	"behind:\n"
	"	.byte 0x90, 0x90, 0xff, 0xc9, 0x0f, 0x85\n" /* dec %ecx; jne into what is before */
	"	.long before + 16 - . - 4\n"
	"	.fill 22, 1, 0x90\n"
	"	.byte 0xeb, 0xe0\n" /* jmp 30 back */
	"	.fill 30, 1, 0x66\n");

/* The zero flag of bsf, carry and the others from before it; a shift by nothing that changes none. */
static uint64_t keep_flags(uint64_t n, uint64_t x)
{
	uint64_t sum = 0;

	__asm__ volatile("1:	mov %[x], %%rax\n"
			 "	shr $7, %%rax\n"
			 "	xor %%rax, %[x]\n"
			 "	and $0x30, %%eax\n"
			 "	bsf %%rax, %%rdx\n"
			 "	cmovz %%rcx, %%rdx\n"
			 "	xor %%ecx, %%ecx\n"
			 "	cmp %%rdx, %[x]\n"
			 "	mov %%edx, %%edx\n"
			 "	shl %%cl, %%rdx\n"
			 "	lea (%[sum], %%rdx, 2), %[sum]\n"
			 "	mov %[n], %%rcx\n"
			 "	adc %[x], %[sum]\n"
			 "	lea (%[x], %[x], 4), %[x]\n"
			 "	lea -1(%%rcx), %[n]\n"
			 "	jrcxz 2f\n"
			 "	jmp 1b\n"
			 "2:\n"
			 : [n] "+r"(n), [x] "+r"(x), [sum] "+r"(sum)
			 :
			 : "rax", "rcx", "rdx", "cc");
	return sum;
}

static uint64_t rounds, results[THREADS][2];

static void *work(void *number)
{
	uint64_t *to = results[(uintptr_t)number];

	for (uint64_t i = 0; i < rounds; i++) {
		to[0] = mix(to[0], sum_around(to[0] + i));
		if (i % 100 == 0)
			to[1] = mix(to[1], keep_flags(300, to[1] + i));
	}
	return NULL;
}

int main(int argc, char **argv)
{
	rounds = sized(argc, argv, 60000000);
	tick_start(1000);
	run_threads(THREADS, work);
	tick_stop();
	for (int i = 0; i < THREADS; i++)
		show("same: %lx %lx", (unsigned long)results[i][0], (unsigned long)results[i][1]);
	tick_show();
	return done();
}
