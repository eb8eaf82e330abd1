/*
 * The futex call by itself: wait, wake, timeouts, bitsets, requeue, wake_op, priority inheritance,
 * between this process and children that wait in shared memory.
 */
#include "guest.h"
#include <linux/futex.h>
#include <sys/mman.h>
#include <time.h>

struct shared {
	uint32_t a, b, lock, woken;
	uint32_t bits;
};

static struct shared *s;

static long futex(uint32_t *word, int op, uint32_t val, const void *timeout, uint32_t *word2,
		  uint32_t val3)
{
	return syscall(SYS_futex, word, op, val, timeout, word2, val3);
}

/* A child that waits at a word once; there is no event that says it sleeps, so wakers try again. */
static pid_t waiter(uint32_t *word, uint32_t bits)
{
	pid_t pid = need(fork());
	if (pid == 0) {
		long r = futex(word, FUTEX_WAIT_BITSET, 0, NULL, NULL, bits);
		__atomic_fetch_add(&s->woken, 1, __ATOMIC_SEQ_CST);
		_exit(r == 0 ? 0 : 1);
	}
	return pid;
}

static void wake_until(uint32_t *word, uint32_t bits, int count)
{
	for (int total = 0; total < count;)
		total += need(futex(word, FUTEX_WAKE_BITSET, 1, NULL, NULL, bits));
}

static void timeouts(void)
{
	struct timespec ts = {0, 2000000}, past = {1, 0};

	expect_errno(futex(&s->a, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN);
	expect_errno(futex(&s->a, FUTEX_WAIT, 0, &ts, NULL, 0), ETIMEDOUT);
	expect_errno(futex(&s->a, FUTEX_WAIT_BITSET, 0, &past, NULL, ~0U), ETIMEDOUT);
	expect_errno(futex(&s->a, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 1),
		     ETIMEDOUT);
	expect_errno(futex(&s->a, FUTEX_WAIT_BITSET, 0, &past, NULL, 0), EINVAL);
	expect_errno(futex((uint32_t *)((char *)&s->a + 1), FUTEX_WAKE, 1, NULL, NULL, 0), EINVAL);
	expect_errno(futex((uint32_t *)8, FUTEX_WAIT, 0, &ts, NULL, 0), EFAULT);
	expect_errno(futex(&s->a, 99, 0, NULL, NULL, 0), ENOSYS);
	expect_eq_long(futex(&s->a, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0), 0, "none to wake");
}

int main(void)
{
	s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need((long)s);
	timeouts();

	pid_t one = waiter(&s->a, 1), two = waiter(&s->a, 2);
	wake_until(&s->a, 2, 1);
	expect_child(two, 0);
	expect_eq_long(s->woken, 1, "woken by its bit");
	wake_until(&s->a, 1, 1);
	expect_child(one, 0);

	/* Requeue from a to b until it has moved one; then wake it there. */
	one = waiter(&s->a, ~0U);
	long moved;
	while ((moved = futex(&s->a, FUTEX_REQUEUE, 0, (void *)10L, &s->b, 0)) == 0)
		;
	expect_eq_long(moved, 1, "requeued");
	expect_eq_long(futex(&s->a, FUTEX_WAKE, 10, NULL, NULL, 0), 0, "none is left at a");
	expect_eq_long(futex(&s->b, FUTEX_WAKE, 10, NULL, NULL, 0), 1, "one at b");
	expect_child(one, 0);
	expect_errno(futex(&s->a, FUTEX_CMP_REQUEUE, 1, (void *)1L, &s->b, 55), EAGAIN);

	/* wake_op: b += 5, wake at a, and at b when its old value was 0. */
	int op = FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 0);
	expect_eq_long(futex(&s->a, FUTEX_WAKE_OP, 1, (void *)1L, &s->b, op), 0, "FUTEX_WAKE_OP");
	expect_eq_long(s->b, 5, "b");
	expect_eq_long(futex(&s->lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0), 0, "FUTEX_LOCK_PI");
	expect_eq_long(s->lock & FUTEX_TID_MASK, getpid(), "the owner in the word");
	expect_errno(futex(&s->lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0), EDEADLK);
	expect_eq_long(futex(&s->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0), 0, "FUTEX_UNLOCK_PI");
	expect_eq_long(s->lock, 0, "the word");
	expect_eq_long(s->woken, 3, "woken in all");
	return done();
}
