/* A planted bug for `record --chaos`: a free list without locks whose head has no tag. A thread that is
 * preempted between reading the head's successor and the exchange, while the other one takes two nodes
 * and gives the first one back, makes a node that is in use the head: ABA. Both threads stay on one core.
 * Ends with 1 when a node was handed out twice. */
#include "torture.h"
#include <stdatomic.h>

#define NODES  6
#define ROUNDS 12

struct node {
	struct node *_Atomic next;
	atomic_int in_use;
	uint64_t data;
};

static struct node nodes[NODES];
static struct node *_Atomic head;
static atomic_int doubled;

static __attribute__((noinline)) uint64_t compute(unsigned n, uint64_t x)
{
	for (unsigned i = 0; i < n; i++)
		next_random(&x);
	return x;
}

static struct node *take(void)
{
	struct node *top = atomic_load(&head), *next;

	do {
		if (!top)
			return NULL;
		next = atomic_load(&top->next);
		top->data = compute(10, top->data + 1); /* the window, made wider */
	} while (!atomic_compare_exchange_weak(&head, &top, next));
	if (atomic_exchange(&top->in_use, 1))
		atomic_store(&doubled, 1);
	return top;
}

static void give(struct node *node)
{
	struct node *top = atomic_load(&head);

	atomic_store(&node->in_use, 0);
	do
		atomic_store(&node->next, top);
	while (!atomic_compare_exchange_weak(&head, &top, node));
}

static void *work(void *number)
{
	volatile uint64_t x = (uintptr_t)number + 1;

	for (int i = 0; i < ROUNDS && !atomic_load(&doubled); i++) {
		struct node *a = take(), *b = take();

		x = compute(15, x);
		if (a)
			give(a);
		x = compute(40, x); /* holds on to b */
		if (b)
			give(b);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	stay_on_one_core();
	for (int i = 0; i < NODES; i++)
		give(&nodes[i]);
	run_threads(2, work);
	if (!atomic_load(&doubled))
		return 0;
	show("a node of the free list was handed out twice");
	return 1;
}
