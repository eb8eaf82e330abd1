/* Timeouts that the kernel begins anew when a call is interrupted.
 *
 * Most calls that are interrupted go on with what is left of their timeout; some end with EINTR,
 * and are made again with all of it (signal(7), "Interruption of system calls and library functions
 * by stop signals"); io_pgetevents is made again by the kernel, with all of it. By number: libwarp,
 * which has no table of rows, needs this, too. */
#include "syscalls/timeout.h"

#include <errno.h>
#include <sys/syscall.h>
#include <time.h>

#define EPOLL_PWAIT2 441 /* since Linux 5.11; newer than some headers */

static const struct sc_timeout timeouts[] = {
	{SYS_epoll_wait, 3, true, 0},	     {SYS_epoll_pwait, 3, true, 0},
	{EPOLL_PWAIT2, 3, false, 0},	     {SYS_rt_sigtimedwait, 2, false, -EAGAIN},
	{SYS_semtimedop, 3, false, -EAGAIN}, {SYS_io_getevents, 4, false, 0},
	{SYS_io_pgetevents, 4, false, 0},
};

const struct sc_timeout *sc_timeout(int nr)
{
	for (size_t i = 0; i < sizeof(timeouts) / sizeof(*timeouts); i++)
		if (timeouts[i].nr == nr)
			return &timeouts[i];
	return NULL;
}

uint64_t sc_timeout_ns(const struct sc_timeout *timeout, const struct sc_call *call,
		       const struct sc_memory *memory)
{
	uint64_t value = call->args[timeout->arg];
	struct timespec time;

	if (timeout->milliseconds)
		return (int)value < 0 ? UINT64_MAX : (uint64_t)(int)value * 1000000;
	if (!value || memory->read(memory->context, value, &time, sizeof(time)) != sizeof(time) ||
	    time.tv_sec < 0 || time.tv_sec > 1000000)
		return UINT64_MAX;
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}
