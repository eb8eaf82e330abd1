/* Signals into the tightest loops there are: a jump to itself, dec and jnz, loop, jrcxz, pause, each left
 * by the handler or by its count. Hardly any of it has room for a jump of five bytes. */
#include "torture.h"
#include <setjmp.h>

static sigjmp_buf away;
static volatile sig_atomic_t flag, leave;

static void on_tick(int signal, siginfo_t *info, void *context)
{
	tick_note(signal, info, context);
	flag++;
	if (leave)
		siglongjmp(away, 1);
}

/* "jmp ." ends only by the handler. */
static void jump_to_itself(void)
{
	if (!sigsetjmp(away, 1)) {
		leave = 1;
		__asm__ volatile("1: jmp 1b");
	}
	leave = 0;
}

static void wait_for_flag(void)
{
	sig_atomic_t before = flag;

	while (flag == before)
		;
	before = flag;
	while (flag == before)
		pause_cpu();
}

static uint64_t count_down(uint64_t n)
{
	uint64_t left = n;

	__asm__ volatile("1: dec %0; jnz 1b" : "+r"(left)::"cc");
	n -= left;
	__asm__ volatile("1: loop 1b" : "=c"(left) : "0"(n / 8) : "cc");
	n += left;
	__asm__ volatile("1: lea -1(%%rcx), %%rcx; jrcxz 2f; jmp 1b; 2:"
			 : "=c"(left)
			 : "0"(n / 2)
			 : "cc");
	n += left;
	__asm__ volatile("1: sub $1, %%eax; ja 1b" : "=a"(left) : "0"((uint32_t)n / 2) : "cc");
	return n + (uint32_t)left;
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 40), sum = 0;

	tick_handle(SIGALRM, SA_RESTART, on_tick);
	tick_timer(ITIMER_REAL, 1000);
	for (uint64_t i = 0; i < n; i++) {
		progress = i;
		jump_to_itself();
		wait_for_flag();
		sum += count_down(5000000);
	}
	tick_stop();
	show("same: sum %lu", (unsigned long)sum);
	tick_show();
	return done();
}
