/* Loops that can hardly be patched, under 1 ms timer signals: instructions that overlap, so that the
 * loop goes through the same bytes in two ways; jump targets one byte apart; a loop on a page's edge. */
#include "torture.h"
#include <sys/mman.h>

/* The second time round, the loop enters the middle of "mov $0x90ffc283, %eax": add $-1, %edx; nop. */
static uint64_t overlapping(uint64_t n)
{
	uint64_t x = 0, middle = 0;

	__asm__ volatile("	lea 2f+1(%%rip), %[m]\n"
			 "1:	test $1, %[n]\n"
			 "	jz 2f\n"
			 "	jmp *%[m]\n"
			 "2:	.byte 0xb8, 0x83, 0xc2, 0xff, 0x90\n"
			 "	add %%rdx, %[x]\n"
			 "	rol $3, %[x]\n"
			 "	dec %[n]\n"
			 "	jnz 1b\n"
			 : [n] "+r"(n), [x] "+r"(x), [m] "=&r"(middle)
			 :
			 : "rax", "rdx", "cc");
	return x;
}

/* Enters a row of one-byte instructions at each of them in turn. */
static uint64_t row_of_targets(uint64_t n)
{
	uint64_t x = 1, target = 0;

	__asm__ volatile("1:	lea 2f(%%rip), %[t]\n"
			 "	mov %[n], %%rcx\n"
			 "	and $7, %%ecx\n"
			 "	add %%rcx, %[t]\n"
			 "	jmp *%[t]\n"
			 "2:	nop; cmc; stc; nop; cmc; clc; cmc; nop\n"
			 "	adc $3, %[x]\n"
			 "	rol $5, %[x]\n"
			 "	dec %[n]\n"
			 "	jnz 1b\n"
			 : [n] "+r"(n), [x] "+r"(x), [t] "=&r"(target)
			 :
			 : "rcx", "cc");
	return x;
}

/* 1: lea (%rsi,%rsi,2), %rsi; rol $7, %rsi; dec %rdi; jnz 1b; mov %rsi, %rax; ret, over two pages. */
static uint64_t on_the_edge(uint64_t n, unsigned before)
{
	static const uint8_t loop[] = {0x48, 0x8d, 0x34, 0x76, 0x48, 0xc1, 0xc6, 0x07, 0x48,
				       0xff, 0xcf, 0x75, 0xf3, 0x48, 0x89, 0xf0, 0xc3};
	static uint8_t *pages;

	if (!pages)
		pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
	need(mprotect(pages, 8192, PROT_READ | PROT_WRITE));
	memcpy(pages + 4096 - before, loop, sizeof(loop));
	need(mprotect(pages, 8192, PROT_READ | PROT_EXEC));
	return ((uint64_t(*)(uint64_t, uint64_t))(pages + 4096 - before))(n, before);
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 400), hash = 0;

	tick_start(1000);
	for (uint64_t i = 0; i < n; i++) {
		progress = i;
		hash = mix(hash, overlapping(500000 + i));
		hash = mix(hash, row_of_targets(200000 + i));
		hash = mix(hash, on_the_edge(500000, (unsigned)(i % 16)));
	}
	tick_stop();
	show("same: %lx", (unsigned long)hash);
	tick_show();
	return done();
}
