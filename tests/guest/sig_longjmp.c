/* siglongjmp() out of handlers, with and without the mask, from a fault and from a timer. */
#include "guest_task.h"
#include <setjmp.h>

static sigjmp_buf back;
static volatile int hits;

static void handler(int sig, siginfo_t *si, void *uc)
{
	hits++;
	siglongjmp(back, hits);
}

static bool blocked(int sig)
{
	sigset_t set;
	need(sigprocmask(SIG_BLOCK, NULL, &set));
	return sigismember(&set, sig) == 1;
}

int main(void)
{
	handle(SIGSEGV, handler, 0);
	handle(SIGALRM, handler, 0);
	/* Ten faults in a row, each left with a jump. */
	for (volatile int i = 1; i <= 10; i++) {
		int value = sigsetjmp(back, 1);
		if (value == 0) {
			*(volatile int *volatile)NULL = 1;
			expect(false, "went on after the fault");
		}
		expect_eq_long(value, i, "value of the jump");
		expect(!blocked(SIGSEGV), "the mask was restored");
	}
	/* Without the mask the signal stays blocked. */
	hits = 0;
	if (sigsetjmp(back, 0) == 0)
		raise(SIGALRM);
	expect_eq_long(hits, 1, "handler calls");
	expect(blocked(SIGALRM), "still blocked");
	mask_signal(SIG_UNBLOCK, SIGALRM);

	/* Out of a blocking call. */
	struct gate gate = gate_make();
	hits = 0;
	for (volatile int i = 1; i <= 3; i++) {
		int value = sigsetjmp(back, 1);
		if (value == 0) {
			tick(2);
			gate_wait(gate);
			expect(false, "the read ended");
		}
		tick(0);
		expect_eq_long(value, hits, "value of the jump");
		expect(value >= i, "jump %d", i);
	}
	return done();
}
