/* Handlers that do not return: siglongjmp out of them, from the ordinary stack and from the alternate one, and
 * a handler that moves the program counter in its frame. */
#include "torture.h"
#include <setjmp.h>

static sigjmp_buf away;
static volatile sig_atomic_t how, moved;
static volatile uint64_t abandoned;

extern const char spin_start[], spin_end[];

static void on_tick(int signal, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	tick_note(signal, info, context);
	if (how == 1)
		siglongjmp(away, 1);
	if (how == 2 && u->uc_mcontext.gregs[REG_RIP] >= (greg_t)spin_start &&
	    u->uc_mcontext.gregs[REG_RIP] < (greg_t)spin_end) {
		moved++;
		u->uc_mcontext.gregs[REG_RIP] = (greg_t)spin_end;
	}
}

static __attribute__((noinline)) uint64_t spin(uint64_t count)
{
	__asm__ volatile(".globl spin_start, spin_end\n"
			 "spin_start:\n"
			 "	add $3, %0\n"
			 "	xor $5, %0\n"
			 "	jmp spin_start\n"
			 "spin_end:\n"
			 : "+r"(count)::"cc");
	return count;
}

static __attribute__((noinline)) void forever(uint64_t x)
{
	for (;;)
		abandoned = mix(abandoned, x++);
}

static __attribute__((noinline)) void leave_by_jump(uint64_t i)
{
	if (!sigsetjmp(away, 1)) {
		how = 1;
		forever(i);
	}
}

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 200), hash = 0;
	static char stack[1 << 16];
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};

	need(sigaltstack(&alternate, NULL));
	for (uint64_t i = 0; i < n; i++) {
		progress = i;
		tick_handle(SIGALRM, i % 2 ? SA_ONSTACK : 0, on_tick);
		tick_timer(ITIMER_REAL, 1000);
		leave_by_jump(i);
		how = 2;
		hash = mix(hash, spin(i));
		hash = mix(hash, abandoned);
		how = 0;
	}
	tick_stop();
	show("same: moved %d", (int)moved);
	show("hash %lx", (unsigned long)hash);
	tick_show();
	return done();
}
