/* Threads that spin while the process changes under them: others end, the first one ends before the rest, one
 * maps and unmaps memory, and at last exit_group ends those that still compute. */
#include "torture.h"
#include <sys/mman.h>

static volatile uint64_t stage, spins[4];
static uint64_t rounds;
static struct seen seen[4];

/* Waits for its stage by spinning; the next one waits for it. */
static void *one_stage(void *number)
{
	uint64_t me = (uintptr_t)number;

	while (stage != me)
		spins[me]++;
	see(&seen[me], me, spins[me]);
	for (uint64_t i = 0; i < rounds; i++) {
		uint8_t *page = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		page[i % 65536] = 1;
		munmap(page, 65536);
	}
	stage = me + 1;
	return NULL;
}

static void *forever(void *number)
{
	volatile uint64_t *count = number;

	for (;;)
		++*count;
	return NULL;
}

static void *the_end(void *number)
{
	static volatile uint64_t counts[2];
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, forever, (void *)&counts[i]);
	while (counts[0] < 1000000 || counts[1] < 1000000)
		pause_cpu();
	show("counts %lu %lu", (unsigned long)counts[0], (unsigned long)counts[1]);
	exit(done());
}

int main(int argc, char **argv)
{
	pthread_t thread;

	rounds = sized(argc, argv, 1000);
	run_threads(4, one_stage);
	show("same: stage %lu", (unsigned long)stage);
	for (unsigned i = 0; i < 4; i++)
		seen_show("thread", i, &seen[i]);
	pthread_create(&thread, NULL, the_end, NULL);
	pthread_exit(NULL);
}
