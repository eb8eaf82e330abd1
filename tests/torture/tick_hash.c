/* 1 ms timer signals into hash tables: open addressing that grows, and chains from malloc. */
#include "torture.h"

struct node {
	struct node *next;
	uint64_t key, value;
};

#define CHAINS 4096

static struct node *chains[CHAINS];
static uint64_t *slots, slot_count;

static void insert_open(uint64_t key);

static void grow(void)
{
	uint64_t *old = slots, old_count = slot_count;

	slot_count = slot_count ? slot_count * 2 : 1024;
	slots = calloc(slot_count, sizeof(*slots));
	for (uint64_t i = 0; i < old_count; i++)
		if (old[i])
			insert_open(old[i]);
	free(old);
}

static void insert_open(uint64_t key)
{
	uint64_t at = mix(0, key) % slot_count;

	while (slots[at] && slots[at] != key)
		at = (at + 1) % slot_count;
	slots[at] = key;
}

static void insert_chain(uint64_t key)
{
	struct node **at = &chains[mix(1, key) % CHAINS];

	while (*at && (*at)->key != key)
		at = &(*at)->next;
	if (!*at) {
		*at = calloc(1, sizeof(**at));
		(*at)->key = key;
	}
	(*at)->value++;
}

static void remove_chain(uint64_t key)
{
	struct node **at = &chains[mix(1, key) % CHAINS];

	while (*at && (*at)->key != key)
		at = &(*at)->next;
	if (*at) {
		struct node *node = *at;

		*at = node->next;
		free(node);
	}
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 1000000), x = 5, used = 0, hash = 0;

	watched = chains;
	watched_length = 2048;
	tick_start(1000);
	for (uint64_t i = 0; i < n; i++) {
		uint64_t key = next_random(&x) % 100000 + 1;

		if (2 * i >= slot_count)
			grow();
		insert_open(next_random(&x) | 1);
		if (i % 3)
			insert_chain(key);
		else
			remove_chain(key);
		progress = i;
	}
	tick_stop();
	for (uint64_t i = 0; i < slot_count; i++) {
		used += slots[i] != 0;
		hash = mix(hash, slots[i]);
	}
	for (unsigned i = 0; i < CHAINS; i++)
		for (struct node *node = chains[i]; node; node = node->next)
			hash = mix(mix(hash, node->key), node->value);
	show("same: %lu slots used, %lx", (unsigned long)used, (unsigned long)hash);
	tick_show();
	return done();
}
