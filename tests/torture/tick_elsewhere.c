/* 1 ms timer signals into loops whose registers are the same each time around: all that changes is a word
 * in shared memory, or one behind many megabytes of private memory. Where a handler was entered shows in
 * that word only. The first place in each loop, before there are sites, is told by its state. */
#include "torture.h"
#include <sys/mman.h>

#define PAGE	 4096u
#define RESIDENT 6000u

static volatile uint64_t *counter;

static void note_counter(int signal, siginfo_t *info, void *context)
{
	tick_note(signal, info, context);
	tick_list[(tick_count - 1) % TICKS_KEPT].progress = *counter;
}

/* Up to the limit. No register changes from one round to the next. Each use is code of its own. */
__attribute__((always_inline)) static inline void count_up(volatile uint64_t *at, uint64_t limit)
{
	__asm__ volatile("1:	incq (%[at])\n"
			 "	testq $-1, (%[at])\n"
			 "	nopl 0(%%rax)\n"
			 "	cmpq %[limit], (%[at])\n"
			 "	jne 1b\n" ::[at] "r"(at),
			 [limit] "r"(limit)
			 : "cc", "memory");
}

static char *map_pages(size_t count, int flags)
{
	char *pages =
		mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	expect(pages != MAP_FAILED, "%zu pages", count);
	for (size_t i = 0; i < count; i++)
		pages[i * PAGE] = (char)i;
	return pages;
}

int main(int argc, char **argv)
{
	uint64_t limit = sized(argc, argv, 800000000);
	char *shared = map_pages(4, MAP_SHARED), *large = map_pages(RESIDENT, MAP_PRIVATE);
	volatile uint64_t *words[] = {(uint64_t *)(shared + 2 * PAGE + 8),
				      (uint64_t *)(large + (RESIDENT - 1) * PAGE + 8)};

	tick_handle(SIGALRM, SA_RESTART, note_counter);
	counter = words[0];
	tick_timer(ITIMER_REAL, 3000);
	count_up(words[0], limit);
	show("same: %lu", (unsigned long)*words[0]);
	counter = words[1];
	count_up(words[1], limit);
	show("same: %lu", (unsigned long)*words[1]);
	tick_stop();
	tick_show();
	return done();
}
