/* System calls in code that the program changes while it runs: only the byte with the number. */
#include "guest.h"
#include <sys/mman.h>

#define OFTEN 40

static const uint8_t code[] = {
	0xb8, SYS_getpid, 0,	0, 0, /* mov $SYS_getpid, %eax */
	0x0f, 0x05,		      /* syscall */
	0x90, 0x90,	  0xc3,	      /* nop, nop, ret */
};

int main(void)
{
	uint8_t *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need((long)at);
	memcpy(at, code, sizeof(code));
	long (*call)(void) = (long (*)(void))(uintptr_t)at;

	for (int round = 0; round < 4; round++) {
		at[1] = round % 2 ? SYS_getppid : SYS_getpid;
		int right = 0;

		for (int i = 0; i < OFTEN; i++)
			right += call() == (round % 2 ? getppid() : getpid());
		expect(right == OFTEN, "round %d: %d calls", round, right);
	}
	expect(!memcmp(at + 2, code + 2, sizeof(code) - 2), "the code is what was written");
	return done();
}
