/* Threads made with clone() alone: CLEARTID joins, set_tid_address, robust list by hand. */
#include "guest_task.h"
#include <stddef.h>

#define THREADS 4
#define FLAGS                                                                               \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
	 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

/* As the kernel lays it out: the list, then where the futex word lies from an entry. */
struct robust {
	struct robust_list_head head;
	struct robust_list entry;
	int word;
};

static int tids[THREADS];
static int other_word;
static long sums[THREADS];
static struct robust robust;

/* No libc in here that needs thread-local storage: it still is the parent's. */
static int body(void *arg)
{
	int self = (int)(intptr_t)arg;
	long tid = syscall(SYS_gettid);

	for (int i = 0; i < 20; i++) {
		sums[self] += i;
		syscall(SYS_sched_yield);
	}
	if (self == 1)
		syscall(SYS_set_tid_address, &other_word);
	if (self == 2) {
		/* Dies as the owner of a robust futex. */
		robust.head.list.next = &robust.entry;
		robust.entry.next = &robust.head.list;
		robust.head.futex_offset =
			offsetof(struct robust, word) - offsetof(struct robust, entry);
		robust.word = (int)tid;
		syscall(SYS_set_robust_list, &robust.head, sizeof(robust.head));
	}
	syscall(SYS_exit, 0);
	return 0;
}

int main(void)
{
	int first_tids[THREADS];

	other_word = 1;
	for (intptr_t i = 0; i < THREADS; i++) {
		char *stack = map_stack();
		need(clone(body, stack + STACK_SIZE, FLAGS, (void *)i, &tids[i], NULL,
			   i == 1 ? NULL : &tids[i]));
		first_tids[i] = i == 1 ? tids[i] : 0;
	}
	for (int i = 0; i < THREADS; i++)
		futex_await(i == 1 ? &other_word : &tids[i], 0);
	for (int i = 0; i < THREADS; i++)
		expect_eq_long(sums[i], 190, "sum");
	show("thread 1 was %d", first_tids[1]);
	expect(tids[1] == first_tids[1], "its first word was not cleared");
	expect(robust.word & FUTEX_OWNER_DIED, "robust word %#x", (unsigned)robust.word);
	expect_errno(wait(NULL), ECHILD);
	expect_errno(syscall(SYS_set_robust_list, &robust.head, 8), EINVAL);
	return done();
}
