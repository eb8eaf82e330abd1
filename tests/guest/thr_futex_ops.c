/* futex() operations: bitsets, requeue, wake-op, time limits, errors. */
#include "guest_task.h"
#include <pthread.h>

#define WAITERS 4

static int first, second;
static int waiting, woken;

static void *body(void *arg)
{
	unsigned bits = 1u << (intptr_t)arg;

	__atomic_fetch_add(&waiting, 1, __ATOMIC_SEQ_CST);
	while (syscall(SYS_futex, &first, FUTEX_WAIT_BITSET, 0, NULL, NULL, bits) == -1)
		if (errno != EINTR)
			expect(false, "FUTEX_WAIT_BITSET");
	__atomic_fetch_add(&woken, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Wake until so many were woken: a waiter may not have gone to sleep yet. */
static long wake_bits(unsigned bits)
{
	long n;
	while ((n = syscall(SYS_futex, &first, FUTEX_WAKE_BITSET, 1, NULL, NULL, bits)) == 0)
		sched_yield();
	return n;
}

int main(void)
{
	pthread_t threads[WAITERS];
	struct timespec ms = {0, 2000000}, past = {1, 0};

	for (intptr_t i = 0; i < WAITERS; i++)
		need_zero(pthread_create(&threads[i], NULL, body, (void *)i));
	while (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) < WAITERS)
		sched_yield();
	expect_eq_long(wake_bits(1u << 2), 1, "woken by its bit");
	pthread_join(threads[2], NULL);
	expect_eq_long(woken, 1, "threads awake");
	expect_eq_long(syscall(SYS_futex, &first, FUTEX_WAKE_BITSET, 9, NULL, NULL, 1u << 20), 0,
		       "woken by another bit");
	/* Move the others to the second word, one at a time, then wake them there. */
	for (int moved = 0; moved < WAITERS - 1;) {
		long n = syscall(SYS_futex, &first, FUTEX_CMP_REQUEUE, 0, INT_MAX, &second, 0);
		if (n == 0)
			sched_yield();
		moved += (int)need(n);
	}
	expect_errno(syscall(SYS_futex, &first, FUTEX_CMP_REQUEUE, 0, 1, &second, 7), EAGAIN);
	expect_eq_long(futex(&first, FUTEX_WAKE, 9, NULL), 0, "waiters on the first word");
	expect_eq_long(futex(&second, FUTEX_WAKE, 1, NULL), 1, "woken on the second word");
	/* second = 5, and wake one more there, since it was 0. */
	int op = FUTEX_OP(FUTEX_OP_SET, 5, FUTEX_OP_CMP_EQ, 0);
	expect_eq_long(syscall(SYS_futex, &first, FUTEX_WAKE_OP, 1, 1L, &second, op), 1,
		       "woken by FUTEX_WAKE_OP");
	expect_eq_long(second, 5, "the second word");
	expect_eq_long(futex(&second, FUTEX_WAKE, 9, NULL), 1, "the last");
	for (int i = 0; i < WAITERS; i++)
		if (i != 2)
			pthread_join(threads[i], NULL);
	expect_eq_long(woken, WAITERS, "threads awake");

	expect_errno(futex(&first, FUTEX_WAIT, 1, NULL), EAGAIN);
	expect_errno(futex(&first, FUTEX_WAIT, 0, &ms), ETIMEDOUT);
	expect_errno(syscall(SYS_futex, &first, FUTEX_WAIT_BITSET, 0, &past, NULL, -1), ETIMEDOUT);
	expect_errno(futex((char *)&first + 1, FUTEX_WAIT, 0, NULL), EINVAL);
	expect_errno(syscall(SYS_futex, &first, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
	expect_errno(futex((void *)8, FUTEX_WAIT, 0, NULL), EFAULT);
	expect_errno(futex(&first, 99, 0, NULL), ENOSYS);
	return done();
}
