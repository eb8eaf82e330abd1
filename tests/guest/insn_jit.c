/* Code made at run time: written, run, changed and run again; in memory writable and executable. */
#include "guest_task.h"

/* mov $value, %eax; add $add, %eax; ret */
static size_t emit(unsigned char *code, int value, int add)
{
	code[0] = 0xb8;
	memcpy(code + 1, &value, 4);
	code[5] = 0x05;
	memcpy(code + 6, &add, 4);
	code[10] = 0xc3;
	return 11;
}

/* mov $39, %eax; syscall; mov %rax, %rdi; mov %rdi, %rax; ret */
static const unsigned char calling[] = {0xb8, 0x27, 0,	  0,	0,    0x0f, 0x05,
					0x48, 0x89, 0xc7, 0x48, 0x89, 0xf8, 0xc3};

int main(void)
{
	unsigned char *code =
		mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int (*function)(void) = (int (*)(void))code;

	need((long)code);
	/* Never writable and executable at a time. */
	for (int i = 0; i < 20; i++) {
		need(mprotect(code, 8192, PROT_READ | PROT_WRITE));
		emit(code, i, 1000 * i);
		need(mprotect(code, 8192, PROT_READ | PROT_EXEC));
		int result = function();
		if (result != 1001 * i)
			expect(false, "round %d: %d", i, result);
	}
	show("code at %p", (void *)code);

	if (mprotect(code, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) == -1)
		skip("memory that is writable and executable");
	for (int i = 0; i < 1000; i++) {
		emit(code, i, i);
		int result = function();
		if (result != 2 * i)
			expect(false, "round %d: %d", i, result);
	}
	/* A system call in it; then the same place holds something else. */
	for (int i = 0; i < 5; i++) {
		memcpy(code, calling, sizeof(calling));
		expect_eq_long(function(), getpid(), "getpid in made code");
		emit(code, 7, i);
		expect_eq_long(function(), 7 + i, "other code at its place");
	}
	/* Mapped twice, written through one address and run at the other. */
	int fd = need(memfd_create("code", 0));
	need(ftruncate(fd, 4096));
	unsigned char *writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	unsigned char *executable = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	need((long)writable);
	need((long)executable);
	for (int i = 0; i < 10; i++) {
		emit(writable, i, 5);
		expect_eq_long(((int (*)(void))executable)(), i + 5, "through two mappings");
	}
	return done();
}
