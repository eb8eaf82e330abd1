/* Threads whose registers hold known values, for looking at them and changing them from outside.
 *
 * regs_known N: N threads load pattern(thread, kind, register, word) into all their registers and
 * spin, without changing one, until a line comes on standard input; then each prints what its
 * registers hold. */
#include <cpuid.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GENERAL 15
#define AREA	4096
#define PARTS	0xe7ull /* x87, SSE, AVX, AVX-512 */

enum kind {
	KIND_GENERAL,
	KIND_STACK,
	KIND_VECTOR,
	KIND_MASK
};

static const char *const names[GENERAL] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8",
					   "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

/* The assembly below knows this layout. */
struct image {
	uint64_t in[GENERAL], out[GENERAL];
	uint64_t parts;
	uint8_t *in_area, *out_area;
};

_Static_assert(offsetof(struct image, parts) == 240, "layout");
_Static_assert(offsetof(struct image, out_area) == 256, "layout");

void hold(struct image *image);
volatile int go, ready;

/* Loads everything, spins, stores everything. The stack keeps the image's address. */
__asm__(".globl hold\n.type hold, @function\nhold:\n"
	"push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n push %rdi\n"
	"mov 240(%rdi), %rax\n xor %edx, %edx\n mov 248(%rdi), %rcx\n xrstor64 (%rcx)\n"
	"mov 0(%rdi), %rax\n mov 8(%rdi), %rbx\n mov 16(%rdi), %rcx\n mov 24(%rdi), %rdx\n"
	"mov 32(%rdi), %rsi\n mov 48(%rdi), %rbp\n mov 56(%rdi), %r8\n mov 64(%rdi), %r9\n"
	"mov 72(%rdi), %r10\n mov 80(%rdi), %r11\n mov 88(%rdi), %r12\n mov 96(%rdi), %r13\n"
	"mov 104(%rdi), %r14\n mov 112(%rdi), %r15\n mov 40(%rdi), %rdi\n"
	"lock incl ready(%rip)\n"
	".globl spin\n.type spin, @function\nspin: pause\n cmpl $0, go(%rip)\n je spin\n"
	".size spin, . - spin\n"
	"push %rdi\n mov 8(%rsp), %rdi\n"
	"mov %rax, 120(%rdi)\n mov %rbx, 128(%rdi)\n mov %rcx, 136(%rdi)\n mov %rdx, 144(%rdi)\n"
	"mov %rsi, 152(%rdi)\n mov %rbp, 168(%rdi)\n mov %r8, 176(%rdi)\n mov %r9, 184(%rdi)\n"
	"mov %r10, 192(%rdi)\n mov %r11, 200(%rdi)\n mov %r12, 208(%rdi)\n mov %r13, 216(%rdi)\n"
	"mov %r14, 224(%rdi)\n mov %r15, 232(%rdi)\n pop %rax\n mov %rax, 160(%rdi)\n"
	"mov 240(%rdi), %rax\n xor %edx, %edx\n mov 256(%rdi), %rcx\n xsave64 (%rcx)\n"
	"fninit\n vzeroupper\n cld\n"
	"pop %rdi\n pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n"
	".size hold, . - hold\n");

static uint64_t pattern(unsigned thread, enum kind kind, unsigned reg, unsigned word)
{
	return 0x9e3779b97f4a7c15ull * (1 + thread * 10000 + kind * 1000 + reg * 10 + word);
}

static uint32_t offset_of(unsigned part)
{
	unsigned a, b = 0, c, d;

	__cpuid_count(0xd, part, a, b, c, d);
	return b;
}

static uint64_t enabled_parts(void)
{
	uint32_t low, high;

	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low & PARTS;
}

static void put_words(uint8_t *to, unsigned thread, unsigned reg, unsigned first, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t word = pattern(thread, KIND_VECTOR, reg, first + i);

		memcpy(to + 8 * i, &word, 8);
	}
}

static void fill_float(uint8_t *area, unsigned thread)
{
	uint16_t control = 0x27f, status = 3 << 11;
	uint32_t mxcsr = 0x5f80; /* rounds up */

	memcpy(area, &control, 2);
	memcpy(area + 2, &status, 2);
	area[4] = 0xff;
	memcpy(area + 24, &mxcsr, 4);
	for (unsigned i = 0; i < 8; i++) {
		uint64_t mantissa = pattern(thread, KIND_STACK, i, 0) | 1ull << 63;
		uint16_t exponent = (uint16_t)(0x3fff + i);

		memcpy(area + 32 + 16 * i, &mantissa, 8);
		memcpy(area + 40 + 16 * i, &exponent, 2);
	}
}

static void fill_vectors(uint8_t *area, unsigned thread, uint64_t parts)
{
	for (unsigned i = 0; i < 16; i++) {
		put_words(area + 160 + 16 * i, thread, i, 0, 2);
		if (parts & 4)
			put_words(area + offset_of(2) + 16 * i, thread, i, 2, 2);
		if (parts & 0x40)
			put_words(area + offset_of(6) + 32 * i, thread, i, 4, 4);
		if (parts & 0x80)
			put_words(area + offset_of(7) + 64 * i, thread, 16 + i, 0, 8);
	}
	for (unsigned i = 0; i < 8 && parts & 0x20; i++) {
		uint64_t mask = pattern(thread, KIND_MASK, i, 0);

		memcpy(area + offset_of(5) + 8 * i, &mask, 8);
	}
}

static void *run(void *context)
{
	unsigned thread = (unsigned)(uintptr_t)context;
	struct image *image = calloc(1, sizeof(*image));

	image->parts = enabled_parts();
	image->in_area = aligned_alloc(64, AREA);
	image->out_area = aligned_alloc(64, AREA);
	memset(image->in_area, 0, AREA);
	memset(image->out_area, 0, AREA);
	memcpy(image->in_area + 512, &image->parts, 8);
	for (unsigned i = 0; i < GENERAL; i++)
		image->in[i] = pattern(thread, KIND_GENERAL, i, 0);
	fill_float(image->in_area, thread);
	fill_vectors(image->in_area, thread, image->parts);
	printf("thread %u tid %d\n", thread, gettid());
	fflush(stdout);
	hold(image);
	flockfile(stdout);
	printf("end %u", thread);
	for (unsigned i = 0; i < GENERAL; i++)
		printf(" %s=%#" PRIx64, names[i], image->out[i]);
	printf(" area=");
	for (unsigned i = 0; i < AREA; i++)
		printf("%02x", image->out_area[i]);
	printf("\n");
	funlockfile(stdout);
	return NULL;
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
	pthread_t threads[64];
	char line[16];

	for (unsigned i = 0; i < count && i < 64; i++)
		pthread_create(&threads[i], NULL, run, (void *)(uintptr_t)i);
	while (ready < (int)count)
		sched_yield();
	printf("layout %#" PRIx64 " %u %u %u %u\nready\n", enabled_parts(), offset_of(2),
	       offset_of(5), offset_of(6), offset_of(7));
	fflush(stdout);
	if (read(0, line, sizeof(line)) < 0)
		return 1;
	go = 1;
	for (unsigned i = 0; i < count && i < 64; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
