/* For a debugger: instructions of one byte beside each other, at the ends of functions that touch. */
#include <stdio.h>

void first(void);
void second(void);

__asm__(".text\n"
	".globl first, second\n"
	".type first, @function\n"
	".type second, @function\n"
	"first:\n"
	"	push %rbp\n"
	"	push %rbx\n"
	"	lea 1(%rbx), %rbx\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n"
	"second:\n"
	"	lea 2(%rax), %rax\n"
	"	nop\n"
	"	ret\n");

int main(void)
{
	for (int i = 0; i < 40; i++) {
		first();
		second();
	}
	printf("called\n");
	return 0;
}
