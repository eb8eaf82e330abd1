/* A handler that calls exec: the new image starts with the signal blocked. */
#include "guest_task.h"

static int round_number;

static void handler(int sig, siginfo_t *si, void *uc)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", round_number + 1);
	execl("/proc/self/exe", "sig_handler_exec", number, NULL);
	_exit(1);
}

int main(int argc, char **argv)
{
	sigset_t set;

	round_number = argc > 1 ? atoi(argv[1]) : 0;
	need(sigprocmask(SIG_BLOCK, NULL, &set));
	show("image %d, pid %d, mask has SIGUSR1 %d SIGSEGV %d", round_number, getpid(),
	     sigismember(&set, SIGUSR1), sigismember(&set, SIGSEGV));
	switch (round_number) {
	case 0:
		handle(SIGUSR1, handler, 0);
		raise(SIGUSR1);
		break;
	case 1:
		expect(sigismember(&set, SIGUSR1) == 1, "SIGUSR1 is blocked");
		mask_signal(SIG_UNBLOCK, SIGUSR1);
		/* From a fault, on the alternate stack. */
		static char alternate[65536];
		stack_t ss = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
		need(sigaltstack(&ss, NULL));
		handle(SIGSEGV, handler, SA_ONSTACK);
		if (done() == 0)
			*(volatile int *volatile)NULL = 1;
		break;
	default:
		expect(sigismember(&set, SIGSEGV) == 1, "SIGSEGV is blocked");
		expect(sigismember(&set, SIGUSR1) == 0, "SIGUSR1 is not");
		return done();
	}
	expect(false, "the handler did not exec");
	return 1;
}
