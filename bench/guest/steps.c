/* So many instructions and hardly any more: what a single step costs. Linked without libc. */
#include <stdint.h>

#ifndef COUNT
#define COUNT 1000000
#endif

__attribute__((noreturn)) void _start(void)
{
	__asm__ volatile("mov %0, %%ecx\n"
			 "1: dec %%ecx\n"
			 "jnz 1b\n"
			 "mov $60, %%eax\n"
			 "xor %%edi, %%edi\n"
			 "syscall\n"
			 :
			 : "i"(COUNT / 2));
	__builtin_unreachable();
}
