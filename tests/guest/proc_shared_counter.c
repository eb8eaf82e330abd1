/* Processes that share a mapping: an atomic counter, and a lock made of a futex. */
#include "guest_task.h"

#define PROCESSES 6
#define ROUNDS	  40

struct shared {
	int lock;
	int plain;
	int atomic;
	int last_owner[PROCESSES * ROUNDS];
};

static void lock(int *word)
{
	int seen = 0;
	if (__atomic_compare_exchange_n(word, &seen, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0)
		futex(word, FUTEX_WAIT, 2, NULL);
}

static void unlock(int *word)
{
	if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2)
		futex(word, FUTEX_WAKE, 1, NULL);
}

int main(void)
{
	pid_t pids[PROCESSES];
	struct shared *sh =
		mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need((long)sh);
	for (int p = 0; p < PROCESSES; p++) {
		pids[p] = need(fork());
		if (pids[p] != 0)
			continue;
		for (int i = 0; i < ROUNDS; i++) {
			__atomic_fetch_add(&sh->atomic, 1, __ATOMIC_RELAXED);
			lock(&sh->lock);
			sh->last_owner[sh->plain] = p;
			if (i % 10 == 0)
				sched_yield();
			sh->plain++;
			unlock(&sh->lock);
		}
		_exit(0);
	}
	for (int p = 0; p < PROCESSES; p++)
		expect_child(pids[p], 0);
	expect_eq_long(sh->atomic, PROCESSES * ROUNDS, "atomic counter");
	expect_eq_long(sh->plain, PROCESSES * ROUNDS, "counter under the lock");
	show("order of the owners: %016llx",
	     (unsigned long long)hash_bytes(sh->last_owner, sizeof(sh->last_owner)));
	return done();
}
