/*
 * Memory after fork(): private pages copied on write, shared ones seen by both, holes by
 * madvise.
 */
#include "guest_task.h"

#define SIZE (2 << 20)

static unsigned char *map(int flags)
{
	void *p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
	need((long)p);
	return p;
}

int main(void)
{
	unsigned char *private = map(MAP_PRIVATE), *shared = map(MAP_SHARED);
	unsigned char *wiped = map(MAP_PRIVATE);

	for (size_t i = 0; i < SIZE; i += 512) {
		private[i] = (unsigned char)(i >> 9);
		shared[i] = private[i];
		wiped[i] = 0xee;
	}
	uint64_t before = hash_bytes(private, SIZE);
	need(madvise(wiped, SIZE, MADV_WIPEONFORK));
	show("private %p shared %p wiped %p", (void *)private, (void *)shared, (void *)wiped);
	pid_t pid = need(fork());
	if (pid == 0) {
		expect(hash_bytes(private, SIZE) == before, "private copy is equal");
		expect(wiped[0] == 0 && wiped[SIZE / 2] == 0, "MADV_WIPEONFORK wiped it");
		for (size_t i = 0; i < SIZE; i += 4096) {
			private[i] ^= 0xff;
			shared[i] ^= 0xff;
		}
		expect(hash_bytes(private, SIZE) != before, "private copy changed");
		_exit(done());
	}
	expect_child(pid, 0);
	expect(hash_bytes(private, SIZE) == before, "parent's pages unchanged");
	expect(wiped[0] == 0xee, "not wiped in the parent");
	expect(shared[4096] == (private[4096] ^ 0xff), "shared page changed by the child");
	expect(hash_bytes(shared, SIZE) != before, "shared mapping changed");
	return done();
}
