/* One thread reads into a shared buffer while another watches it change, yielding in between. */
#include "guest_task.h"
#include <pthread.h>

#define SIZE  4096
#define CHUNK 256

static unsigned char buffer[SIZE];
static struct gate gate;
static int finished;
static int blocked;

static void *reader(void *arg)
{
	for (size_t off = 0; off < SIZE; off += CHUNK) {
		__atomic_store_n(&blocked, 1, __ATOMIC_SEQ_CST);
		/* The kernel writes here while the watcher looks. */
		ssize_t n = read(gate.rd, buffer + off, CHUNK);
		if (n != CHUNK)
			expect(false, "read: %zd", n);
	}
	__atomic_store_n(&finished, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *watcher(void *arg)
{
	uint64_t last = 0, history = 0xcbf29ce484222325;
	long changes = 0, looks = 0;

	do {
		uint64_t now = hash_bytes(buffer, SIZE);
		changes += now != last;
		history = (history ^ now) * 0x100000001b3;
		last = now;
		looks++;
		sched_yield();
	} while (!__atomic_load_n(&finished, __ATOMIC_SEQ_CST));
	show("%ld looks, %ld changes, history %016llx", looks, changes,
	     (unsigned long long)history);
	return NULL;
}

int main(void)
{
	pthread_t read_thread, watch_thread;
	unsigned char chunk[CHUNK];

	gate = gate_make();
	need_zero(pthread_create(&read_thread, NULL, reader, NULL));
	need_zero(pthread_create(&watch_thread, NULL, watcher, NULL));
	for (int i = 0; i < SIZE / CHUNK; i++) {
		memset(chunk, i + 1, sizeof(chunk));
		need(write(gate.wr, chunk, sizeof(chunk)));
		sched_yield();
	}
	pthread_join(read_thread, NULL);
	pthread_join(watch_thread, NULL);
	for (size_t i = 0; i < SIZE; i++)
		if (buffer[i] != i / CHUNK + 1) {
			expect(false, "byte %zu is %d", i, buffer[i]);
			break;
		}
	expect(blocked == 1, "hash %016llx", (unsigned long long)hash_bytes(buffer, SIZE));
	return done();
}
