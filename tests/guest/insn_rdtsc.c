/* rdtsc and rdtscp: the counter never goes back, in one thread and from one thread to the next. */
#include "guest_task.h"
#include <pthread.h>
#include <x86intrin.h>

static unsigned long long last;
static int backwards;

static void *body(void *arg)
{
	for (int i = 0; i < 20; i++) {
		unsigned aux;
		unsigned long long now = i % 2 ? __rdtscp(&aux) : __rdtsc();
		if (now < last)
			backwards++;
		last = now;
	}
	return NULL;
}

int main(void)
{
	unsigned eax, edx, ecx;
	pthread_t thread;

	unsigned long long start = __rdtsc();
	for (int i = 0; i < 50; i++) {
		unsigned long long now = __rdtsc();
		if (i < 10)
			show("rdtsc %llu (+%llu)", now, now - start);
		expect(now > start, "later than before");
		start = now;
	}
	__asm__ volatile("rdtscp" : "=a"(eax), "=d"(edx), "=c"(ecx));
	show("rdtscp %u:%u, aux %#x", edx, eax, ecx);
	/* The instructions clear the upper halves. */
	unsigned long rax = ~0ul, rdx = ~0ul;
	__asm__ volatile("rdtsc" : "+a"(rax), "+d"(rdx));
	expect(rax >> 32 == 0 && rdx >> 32 == 0, "rax %#lx, rdx %#lx", rax, rdx);

	/* One after the other, on whatever processor they run. */
	last = __rdtsc();
	for (int i = 0; i < 8; i++) {
		need_zero(pthread_create(&thread, NULL, body, NULL));
		pthread_join(thread, NULL);
	}
	body(NULL);
	expect_eq_long(backwards, 0, "steps backwards");
	return done();
}
