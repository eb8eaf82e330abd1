/*
 * Eight threads that allocate, check and free: arenas grow by mmap, shrink by munmap and
 * madvise.
 */
#include "guest_task.h"
#include <malloc.h>
#include <pthread.h>
#include <sys/random.h>

#define THREADS 8
#define SLOTS	40
#define ROUNDS	400

static uint64_t total_hash;

static void *body(void *arg)
{
	unsigned char *blocks[SLOTS] = {NULL};
	size_t sizes[SLOTS] = {0};
	uint64_t state, hash = 0;

	need(getrandom(&state, sizeof(state), 0));
	for (int i = 0; i < ROUNDS; i++) {
		state = state * 6364136223846793005 + 1442695040888963407;
		int slot = (int)(state >> 33) % SLOTS;
		size_t size = (state >> 40) % (i % 50 == 0 ? 300000 : 4000) + 1;
		unsigned char mark = (unsigned char)(slot + 1);

		if (blocks[slot] != NULL &&
		    (blocks[slot][0] != mark || blocks[slot][sizes[slot] - 1] != mark))
			expect(false, "block %d was changed", slot);
		if (i % 3 == 0 && blocks[slot] != NULL) {
			blocks[slot] = realloc(blocks[slot], size);
		} else {
			free(blocks[slot]);
			blocks[slot] = malloc(size);
		}
		sizes[slot] = size;
		memset(blocks[slot], mark, size);
		hash = hash * 31 + (uintptr_t)blocks[slot];
		if (i % 64 == 0)
			sched_yield();
	}
	for (int i = 0; i < SLOTS; i++)
		free(blocks[i]);
	malloc_trim(0);
	__atomic_fetch_add(&total_hash, hash, __ATOMIC_SEQ_CST);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		need_zero(pthread_create(&threads[i], NULL, body, NULL));
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	show("hash of all addresses %016llx", (unsigned long long)total_hash);
	struct mallinfo2 info = mallinfo2();
	show("arena %zu, mapped %zu in %zu, in use %zu", info.arena, info.hblkhd, info.hblks,
	     info.uordblks);
	expect(info.uordblks < 1 << 20, "nearly all was freed");
	return done();
}
