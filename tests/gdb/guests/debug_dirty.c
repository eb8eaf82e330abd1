/* For a debugger: writes to much memory again and again, without any system call. */
#include <stdio.h>

#define SIZE (48u << 20)

static volatile unsigned char memory[SIZE];

int main(void)
{
	unsigned long sum = 0;

	for (unsigned round = 1; round <= 40; round++)
		for (unsigned i = 0; i < SIZE; i += 64)
			sum += memory[i] += (unsigned char)round;
	printf("%lu\n", sum);
	return 0;
}
