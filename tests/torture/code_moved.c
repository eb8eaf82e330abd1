/* 1 ms timer signals into code of a file that the program moves (mremap), then replaces (mmap over it), then
 * takes its permission to run away and gives it back: at each place it computes the same. */
#include "torture.h"
#include <sys/mman.h>

#define PAGE 4096u

extern const char code_begin[], code_end[];
__asm__("	.section .rodata\n"
	"code_begin:\n"
	"	mov %rdi, %rcx\n"
	"	xor %eax, %eax\n"
	"1:	lea (%rax, %rax, 4), %rax\n"
	"	add %rcx, %rax\n"
	"	ror $3, %rax\n"
	"	xor %rcx, %rax\n"
	"	dec %rcx\n"
	"	jnz 1b\n"
	"	ret\n"
	"code_end:\n"
	"	.text\n");

static uint64_t n;

static void compute(const char *where, char *code)
{
	uint64_t (*function)(uint64_t) = (uint64_t(*)(uint64_t))(void *)code;

	for (int i = 0; i < 3; i++)
		show("same: %s %lx", where, (unsigned long)function(n + (unsigned)i));
}

static char *map_code(int fd, char *at)
{
	char *code =
		mmap(at, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | (at ? MAP_FIXED : 0), fd, 0);

	expect(code != MAP_FAILED, "mapping code: %s", strerror(errno));
	return code;
}

int main(int argc, char **argv)
{
	int fd = open("code", O_RDWR | O_CREAT | O_TRUNC, 0700);

	n = sized(argc, argv, 20000000);
	need(fd);
	need(ftruncate(fd, PAGE));
	need(pwrite(fd, code_begin, (size_t)(code_end - code_begin), 0));
	char *code = map_code(fd, NULL);
	char *room = mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	tick_start(1000);
	compute("first", code);
	char *moved = mremap(code, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room + PAGE);

	expect(moved == room + PAGE, "moving code: %s", strerror(errno));
	compute("moved", moved);
	map_code(fd, moved);
	compute("replaced", moved);
	need(mprotect(moved, PAGE, PROT_READ));
	expect(!memcmp(moved, code_begin, (size_t)(code_end - code_begin)), "code that is read");
	need(mprotect(moved, PAGE, PROT_READ | PROT_EXEC));
	compute("again", moved);
	need(madvise(moved, PAGE, MADV_DONTNEED));
	compute("dropped", moved);
	tick_stop();
	need(munmap(moved, PAGE));
	tick_show();
	return done();
}
