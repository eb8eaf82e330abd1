/* A lock-free stack with tagged heads (cmpxchg16b where the processor has it, always so on x86-64): threads
 * push and pop; who popped whose node, and how often the exchange had to be repeated. */
#include "torture.h"

#define THREADS 3
#define NODES	64

struct node {
	struct node *next;
	uint64_t by, value;
};

struct head {
	struct node *top;
	uint64_t tag;
} __attribute__((aligned(16)));

static struct head head;
static struct node nodes[THREADS][NODES];
static uint64_t rounds, popped[THREADS], pushed[THREADS], repeated[THREADS];
static struct seen seen[THREADS];

static bool exchange(struct head *expected, struct node *top)
{
	bool done_it;

	__asm__ volatile("lock cmpxchg16b %[head]\n\tsetz %[ok]"
			 : [head] "+m"(head), "+a"(expected->top),
			   "+d"(expected->tag), [ok] "=q"(done_it)
			 : "b"(top), "c"(expected->tag + 1)
			 : "memory", "cc");
	return done_it;
}

static struct head read_head(void)
{
	struct head h = {0};

	/* An exchange with what is there reads both halves at once. */
	__asm__ volatile("lock cmpxchg16b %[head]"
			 : [head] "+m"(head), "+a"(h.top), "+d"(h.tag)
			 : "b"(0ul), "c"(0ul)
			 : "memory", "cc");
	return h;
}

static void push(struct node *node, uint64_t me)
{
	struct head h = read_head();

	do {
		node->next = h.top;
		repeated[me]++;
	} while (!exchange(&h, node));
}

static struct node *pop(uint64_t me)
{
	struct head h = read_head();

	while (h.top) {
		struct node *next = *(struct node *volatile *)&h.top->next, *top = h.top;

		repeated[me]++;
		if (exchange(&h, next))
			return top;
	}
	return NULL;
}

static void *work(void *number)
{
	uint64_t me = (uintptr_t)number, other = me;

	for (unsigned i = 0; i < NODES; i++) {
		nodes[me][i] = (struct node){.by = me, .value = i + 1};
		push(&nodes[me][i], me);
		pushed[me] += i + 1;
	}
	for (uint64_t i = 0; i < rounds; i++) {
		struct node *node = pop(me);

		if (!node)
			continue;
		popped[me] += node->value;
		if (node->by != other)
			see(&seen[me], i, node->by << 32 | node->value);
		other = node->by;
		node->by = me;
		node->value = node->value * 5 + i;
		pushed[me] += node->value;
		push(node, me);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	uint64_t sum = 0;
	unsigned left = 0;

	rounds = sized(argc, argv, 3000000);
	run_threads(THREADS, work);
	for (struct node *node = head.top; node; node = node->next, left++)
		sum += node->value;
	for (unsigned i = 0; i < THREADS; i++) {
		sum += popped[i] - pushed[i];
		show("thread %u: repeated %lu, popped %lx", i, (unsigned long)repeated[i],
		     (unsigned long)popped[i]);
		seen_show("thread", i, &seen[i]);
	}
	show("same: %u nodes left, %lx", left, (unsigned long)sum);
	expect(left == THREADS * NODES && sum == 0, "no node was lost or doubled");
	return done();
}
