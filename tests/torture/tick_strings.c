/* 1 ms timer signals into string instructions and libc's memory functions: rep movs, stos, cmps, scas
 * of all widths, forwards and backwards, of small and large areas. They can be interrupted in their
 * middle: rcx, rsi and rdi then are where they got to. */
#include "torture.h"

#define LARGE (8u << 20)

static uint8_t *from, *to;

static void move_bytes(void *d, const void *s, size_t n)
{
	__asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n)::"memory");
}

static void move_words_backwards(uint64_t *d, const uint64_t *s, size_t n)
{
	const uint64_t *last_s = s + n - 1;
	uint64_t *last_d = d + n - 1;

	__asm__ volatile("std; rep movsq; cld" : "+D"(last_d), "+S"(last_s), "+c"(n)::"memory");
}

static void store_bytes(void *d, uint8_t value, size_t n)
{
	__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(value) : "memory");
}

static void store_words(void *d, uint64_t value, size_t n)
{
	__asm__ volatile("rep stosq" : "+D"(d), "+c"(n) : "a"(value) : "memory");
}

/* How many bytes are left when the areas differ, or when a byte was found. */
static size_t compare_bytes(const void *a, const void *b, size_t n)
{
	__asm__ volatile("cmp %%eax, %%eax; repe cmpsb"
			 : "+D"(a), "+S"(b), "+c"(n)::"memory", "cc");
	return n;
}

static size_t find_byte(const void *a, uint8_t value, size_t n)
{
	__asm__ volatile("repne scasb" : "+D"(a), "+c"(n) : "a"(value) : "memory", "cc");
	return n;
}

static uint64_t round_of_all(uint64_t i, uint64_t *x)
{
	size_t size = next_random(x) % (i % 4 ? 40000 : LARGE - 64) + 64;
	size_t at = next_random(x) % 64;
	uint64_t hash = 0;

	progress = i;
	watched = to + size / 2;
	move_bytes(to + at, from, size);
	store_bytes(to + size / 2, (uint8_t)i, size / 4);
	store_words(to, i * 0x0101010101010101, size / 64);
	move_words_backwards((uint64_t *)(to + 8), (uint64_t *)to, size / 16);
	hash = mix(hash, compare_bytes(to, from, size));
	from[size - 1] = 0xff;
	hash = mix(hash, find_byte(from, 0xff, size));
	from[size - 1] = (uint8_t)size;
	memmove(to + 33, to, size / 2);
	memcpy(from + size / 2, to, size / 8);
	hash = mix(hash, (uint64_t)memcmp(from, to, size) != 0);
	memset(to + size / 3, (int)i, size / 16);
	return mix(hash, hash_bytes(to, 2000));
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 800), x = 99, hash = 0;

	from = malloc(LARGE);
	to = malloc(LARGE);
	for (size_t i = 0; i < LARGE; i++)
		from[i] = (uint8_t)(i * 7 % 251);
	memset(to, 0, LARGE);
	watched_length = 256;
	tick_start(1000);
	for (uint64_t i = 0; i < n; i++)
		hash = mix(hash, round_of_all(i, &x));
	tick_stop();
	show("same: strings %lx %lx", (unsigned long)hash,
	     (unsigned long)hash_bytes(to, LARGE / 8));
	tick_show();
	return done();
}
