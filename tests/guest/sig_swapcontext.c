/* makecontext(), swapcontext(), setcontext(): three coroutines, each with its own signal mask. */
#include "guest_task.h"
#include <ucontext.h>

static ucontext_t home, contexts[3];
static int trace[64];
static int count;

static void coroutine(int self, int step)
{
	sigset_t set;

	for (int i = 0; i < 4; i++) {
		trace[count++] = self * 100 + i * step;
		need(sigprocmask(SIG_BLOCK, NULL, &set));
		if (sigismember(&set, SIGRTMIN + self) != 1)
			expect(false, "mask of coroutine %d", self);
		need(swapcontext(&contexts[self], &contexts[(self + 1) % 3]));
	}
	/* The first one to end returns through uc_link. */
}

static void prepare(int i)
{
	char *stack = map_stack();

	need(getcontext(&contexts[i]));
	contexts[i].uc_stack.ss_sp = stack;
	contexts[i].uc_stack.ss_size = STACK_SIZE;
	contexts[i].uc_link = &home;
	sigemptyset(&contexts[i].uc_sigmask);
	sigaddset(&contexts[i].uc_sigmask, SIGRTMIN + i);
	makecontext(&contexts[i], (void (*)(void))coroutine, 2, i, i + 1);
	show("stack %d at %p", i, (void *)stack);
}

static void check_trace(void)
{
	expect_eq_long(count, 12, "steps taken");
	for (int i = 0; i < count; i++) {
		int self = i % 3;
		if (trace[i] != self * 100 + i / 3 * (self + 1))
			expect(false, "step %d is %d", i, trace[i]);
	}
}

int main(void)
{
	static volatile int rounds;

	for (int i = 0; i < 3; i++)
		prepare(i);
	need(swapcontext(&home, &contexts[0]));
	check_trace();
	/* setcontext() goes back to a place seen before. */
	need(getcontext(&home));
	rounds++;
	if (rounds < 5)
		setcontext(&home);
	expect_eq_long(rounds, 5, "rounds");
	return done();
}
