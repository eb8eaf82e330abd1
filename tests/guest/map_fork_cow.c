/*
 * Copy on write through three generations of processes, with pages changed on every side.
 */
#include "guest.h"
#include <sys/mman.h>

#define PAGES 64

static unsigned char *mem;

static void scribble(unsigned seed)
{
	for (int i = 0; i < 40; i++) {
		seed = seed * 1103515245 + 12345;
		mem[(seed >> 8) % (PAGES * 4096)] = seed;
	}
}

/* Each generation makes two children, which see what it wrote before and not what it wrote after. */
static void generation(int depth, unsigned id)
{
	pid_t pids[2];

	scribble(id);
	uint64_t before = hash_bytes(mem, PAGES * 4096);
	show("process %u: hash %016lx", id, (unsigned long)before);
	if (depth == 0)
		return;
	for (unsigned i = 0; i < 2; i++) {
		pids[i] = need(fork());
		if (pids[i] == 0) {
			if (hash_bytes(mem, PAGES * 4096) != before)
				expect(false, "the child sees other memory");
			generation(depth - 1, id * 2 + i);
			_exit(done());
		}
	}
	for (int i = 0; i < 2; i++)
		expect_child(pids[i], 0);
	expect(hash_bytes(mem, PAGES * 4096) == before, "process %u: unchanged by its children",
	       id);
}

int main(void)
{
	int p[2], status;
	unsigned char c = 0;

	mem = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need((long)mem);
	generation(2, 1);

	/* A child must not see stores that its parent made after the fork. */
	need(pipe(p));
	mem[5] = 10;
	pid_t pid = need(fork());
	if (pid == 0) {
		need(read(p[0], &c, 1));
		_exit(mem[5] + c);
	}
	mem[5] = 99;
	c = 1;
	need(write(p[1], &c, 1));
	need(waitpid(pid, &status, 0));
	expect_eq_long(WEXITSTATUS(status), 11, "what the child saw");
	return done();
}
