/*
 * Calls that a recorder answers as an older kernel would: io_uring, userfaultfd, perf_event_open,
 * rseq. They either work or fail with an ordinary error; nothing of the result is printed.
 */
#include "guest.h"
#include <linux/io_uring.h>
#include <linux/perf_event.h>

static void try(const char *what, long result)
{
	expect(result >= 0 || (errno > 0 && errno < 4096), "%s gives a descriptor or an error",
	       what);
	if (result > 2)
		close(result);
}

int main(void)
{
	struct io_uring_params params = {0};
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_TASK_CLOCK};
	static char rseq[64] __attribute__((aligned(32)));

	try("io_uring_setup", syscall(SYS_io_uring_setup, 4, &params));
	try("io_uring_enter", syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0));
	try("io_uring_register", syscall(SYS_io_uring_register, -1, 0, NULL, 0));
	try("userfaultfd", syscall(SYS_userfaultfd, O_CLOEXEC));
	try("perf_event_open", syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0));
	try("rseq", syscall(SYS_rseq, rseq, 32, 0, 0x12345678));
	try("pidfd_open", syscall(SYS_pidfd_open, getpid(), 0));
	try("kcmp", syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 1));
	try("io_setup", syscall(SYS_io_setup, 0, NULL));
	return done();
}
