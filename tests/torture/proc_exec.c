/* Executes itself again and again while a 1 ms timer runs, which exec keeps; the signal is blocked across the
 * exec, so that it waits for the new image's handler. */
#include "torture.h"

int main(int argc, char **argv)
{
	uint64_t left = argc > 2 ? strtoull(argv[2], NULL, 10) : sized(argc, argv, 24);
	uint64_t x = argc > 3 ? strtoull(argv[3], NULL, 16) : 88172645463325252;
	unsigned long before = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
	char size[24], count[24], state[24], ticks[24];
	sigset_t set;

	if (argc <= 2)
		tick_start(1000);
	else
		tick_handle(SIGALRM, SA_RESTART, tick_note);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	need(sigprocmask(SIG_UNBLOCK, &set, NULL));
	for (uint64_t i = 0; i < 6000000; i++) {
		next_random(&x);
		progress = i;
	}
	need(sigprocmask(SIG_BLOCK, &set, NULL));
	show("same: %lu left, %lx", (unsigned long)left, (unsigned long)x);
	tick_show();
	if (!left) {
		show("%lu signals before", before);
		return done();
	}
	snprintf(size, sizeof(size), "%s", argc > 1 ? argv[1] : "100");
	snprintf(count, sizeof(count), "%lu", (unsigned long)left - 1);
	snprintf(state, sizeof(state), "%lx", (unsigned long)x);
	snprintf(ticks, sizeof(ticks), "%lu", before + tick_count);
	execl("/proc/self/exe", argv[0], size, count, state, ticks, NULL);
	expect(false, "exec");
	return done();
}
