/* Code that changes while it is being run, under 1 ms timer signals: a loop whose constant is rewritten
 * in each round, a loop that rewrites an instruction of itself, functions made anew at the same place. */
#include "torture.h"
#include <sys/mman.h>

typedef uint64_t (*function)(uint64_t count, uint64_t x);

static uint8_t *code;

/* 1: imul $K, %rsi, %rsi; add $K, %rsi; dec %rdi; jnz 1b; mov %rsi, %rax; ret */
static void make_loop(uint8_t *at, uint32_t k)
{
	static const uint8_t loop[] = {0x48, 0x69, 0xf6, 0,    0,    0,	   0,	 0x48,
				       0x81, 0xc6, 0,	 0,    0,    0,	   0x48, 0xff,
				       0xcf, 0x75, 0xed, 0x48, 0x89, 0xf0, 0xc3};

	memcpy(at, loop, sizeof(loop));
	memcpy(at + 3, &k, 4);
	memcpy(at + 10, &k, 4);
}

/* 1: addl $1, 3(%rip) [the constant of the next instruction]; add $C, %rsi; dec; jnz 1b; mov; ret */
static void make_changing(uint8_t *at)
{
	static const uint8_t loop[] = {0x81, 0x05, 0x03, 0,    0,    0,	   1,	 0,   0,
				       0,    0x48, 0x81, 0xc6, 9,    0,	   0,	 0,   0x48,
				       0xff, 0xcf, 0x75, 0xea, 0x48, 0x89, 0xf0, 0xc3};

	memcpy(at, loop, sizeof(loop));
}

/* The same work as a chain of `length` instructions, another one each time. */
static void make_chain(uint8_t *at, uint32_t seed, unsigned length)
{
	for (unsigned i = 0; i < length; i++) {
		uint32_t k = seed * 2654435761u + i;
		const uint8_t add[] = {0x48, 0x81, (uint8_t)(i % 3 ? 0xc6 : 0xf6)}; /* add, xor */

		memcpy(at, add, 3);
		memcpy(at + 3, &k, 4);
		at += 7;
	}
	memcpy(at, (const uint8_t[]){0x48, 0xff, 0xcf}, 3); /* dec %rdi */
	int32_t back = -(int32_t)(7 * length + 3 + 6);
	memcpy(at + 3, (const uint8_t[]){0x0f, 0x85}, 2); /* jnz */
	memcpy(at + 5, &back, 4);
	memcpy(at + 9, (const uint8_t[]){0x48, 0x89, 0xf0, 0xc3}, 4);
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 400), hash = 0;

	code = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
	if (code == MAP_FAILED)
		skip("memory that is writable and executable");
	watched = code;
	watched_length = 64;
	tick_start(1000);
	for (uint64_t i = 0; i < n; i++) {
		progress = i;
		make_loop(code, (uint32_t)i | 1);
		hash = mix(hash, ((function)code)(300000, i));
		if (i % 4 == 0) {
			make_changing(code);
			hash = mix(hash, ((function)code)(1000, i));
		}
		make_chain(code, (uint32_t)i, 1 + i % 300);
		hash = mix(hash, ((function)code)(3000, i));
		if (i % 16 == 0) {
			need(mprotect(code, 8192, PROT_READ | PROT_EXEC));
			hash = mix(hash, ((function)code)(3000, i));
			need(mprotect(code, 8192, PROT_READ | PROT_WRITE | PROT_EXEC));
		}
	}
	tick_stop();
	hash = mix(hash, hash_bytes(code, 128));
	show("same: %lx", (unsigned long)hash);
	tick_show();
	return done();
}
