/* Made code that is mapped twice, writable at one address and executable at another, as some JITs have it;
 * rewritten between runs; under 1 ms timer signals. The executable mapping is shared and read-only. */
#include "torture.h"
#include <sys/mman.h>

int main(int argc, char **argv)
{
	/* 1: add $K, %rsi; rol $9, %rsi; dec %rdi; jnz 1b; mov %rsi, %rax; ret */
	static const uint8_t loop[] = {0x48, 0x81, 0xc6, 0,    0,    0,	   0,	 0x48, 0xc1, 0xc6,
				       0x09, 0x48, 0xff, 0xcf, 0x75, 0xf0, 0x48, 0x89, 0xf0, 0xc3};
	uint64_t n = sized(argc, argv, 300), hash = 0;
	int fd = need(memfd_create("code", 0));

	need(ftruncate(fd, 4096));
	uint8_t *writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	uint8_t *executable = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);

	need((long)writable);
	need((long)executable);
	close(fd);
	watched = writable;
	watched_length = 64;
	tick_start(1000);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t k = (uint32_t)i * 77 + 1;

		progress = i;
		memcpy(writable, loop, sizeof(loop));
		memcpy(writable + 3, &k, 4);
		hash = mix(hash, ((uint64_t(*)(uint64_t, uint64_t))executable)(1000000, i));
	}
	tick_stop();
	hash = mix(hash, hash_bytes(executable, 32));
	show("same: %lx", (unsigned long)hash);
	tick_show();
	return done();
}
