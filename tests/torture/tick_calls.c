/* Timer signals into a program that makes many short system calls, some of which they interrupt: reads
 * and writes of a pipe, sleeps, with and without SA_RESTART. */
#include "torture.h"
#include <poll.h>
#include <time.h>

int main(int argc, char **argv)
{
	uint64_t n = sized(argc, argv, 3000), hash = 0, interrupted = 0;
	int fds[2];

	need(pipe(fds));
	tick_handle(SIGALRM, SA_RESTART, tick_note);
	tick_handle(SIGVTALRM, 0, tick_note);
	tick_timer(ITIMER_REAL, 700);
	tick_timer(ITIMER_VIRTUAL, 1000);
	for (uint64_t i = 0; i < n; i++) {
		struct timespec pause = {0, 50000};
		char byte = (char)i;

		for (uint64_t k = 0; k < i % 1000; k++)
			hash = mix(hash, k);
		if (write(fds[1], &byte, 1) == 1 && read(fds[0], &byte, 1) == 1)
			hash = mix(hash, (uint64_t)byte);
		else
			interrupted++;
		hash = mix(hash, (uint64_t)syscall(SYS_getppid) != 0);
		if (i % 32 == 0)
			interrupted += nanosleep(&pause, NULL) == -1;
		if (i % 64 == 1)
			interrupted += poll(NULL, 0, 1) == -1;
		progress = i;
	}
	tick_stop();
	show("same: hash %lx", (unsigned long)hash);
	show("%lu calls interrupted", (unsigned long)interrupted);
	tick_show();
	return done();
}
