/* System calls made by a tracee for us.
 *
 * The tracee is sent to the code page (a system call instruction, then a trap) with PTRACE_CONT:
 * one stop a call, and the seccomp program lets calls from there pass. From a SYSEMU or seccomp
 * stop the pending call is skipped: the caller makes it again or sets its result. Where the program
 * ignores or blocks SIGTRAP, which a trap would end, the call is run to its end with
 * PTRACE_SYSCALL. Signals are blocked meanwhile; a stop signal, which cannot be, is sent again
 * afterwards, and an interrupt is made again. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracee/procfs.h"
#include "tracee/tracee.h"
#include "util/cleanup.h"

/* A fault whose signal is blocked resets its handler (force_sig_info_to_task() in kernel/signal.c),
 * and our trap is one. */
#define ASYNCHRONOUS                                                                             \
	(~(SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGFPE) | \
	   SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGSYS)))

static bool is_clone_event(int status)
{
	int event = tracee_event(status);

	return event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK ||
	       event == PTRACE_EVENT_VFORK;
}

/* An interrupt that somebody waits for; or a group stop, which an interrupt brings back. */
static void note_stop(struct tracee *tracee, int status)
{
	if (tracee_event(status) == PTRACE_EVENT_STOP)
		tracee->interrupt_again |= tracee->interrupted || WSTOPSIG(status) != SIGTRAP;
}

/* The end of our call, not of the one that was pending before. */
static bool is_call_end(struct tracee *tracee, bool *entered)
{
	struct __ptrace_syscall_info info = {0};

	tracee_call_info(tracee, &info);
	*entered |= info.op == PTRACE_SYSCALL_INFO_ENTRY;
	return *entered && info.op == PTRACE_SYSCALL_INFO_EXIT;
}

static bool avoids_trap(const struct tracee *tracee)
{
	return tracee->ignores_trap || tracee->blocks_trap;
}

void tracee_block_signals(struct tracee *tracee)
{
	tracee_set_sigmask(tracee, ASYNCHRONOUS | (tracee->blocks_trap ? SIGNAL_BIT(SIGTRAP) : 0));
}

/* Runs until the trap behind the call; returns false if the tracee is gone. */
static bool run_to_trap(struct tracee *tracee, pid_t *child)
{
	bool entered = false;

	for (;;) {
		tracee_resume(tracee, avoids_trap(tracee) ? PTRACE_SYSCALL : PTRACE_CONT, 0);
		int status = tracee_wait(tracee, 0);

		if (tracee->gone || tracee_event(status) == PTRACE_EVENT_EXIT) {
			tracee->gone = true;
			tracee->unseen = status < 0 ? 0 : status; /* not ours any more */
			return false;
		}
		if (is_clone_event(status)) {
			if (child)
				*child = (pid_t)tracee_event_message(tracee);
			continue;
		}
		if (tracee_event(status)) { /* a group stop, an exec */
			note_stop(tracee, status);
			continue;
		}
		int signal = WSTOPSIG(status);

		if (signal == (SIGTRAP | 0x80)) {
			if (is_call_end(tracee, &entered))
				return true;
			continue;
		}
		if (signal == SIGTRAP)
			return true;
		if (!(SIGNAL_BIT(signal) & ASYNCHRONOUS)) { /* our page is not what it was */
			arch.set_call_result(tracee_regs_mut(tracee), -EFAULT);
			return true;
		}
		if (signal == SIGSTOP)
			tracee->stop_again = signal;
	}
}

int64_t tracee_call_clone(struct tracee *tracee, int nr, const uint64_t args[SC_ARGS], pid_t *child)
{
	if (tracee->gone)
		return -ESRCH;
	struct regs before = *tracee_regs(tracee);
	uint64_t mask = tracee_get_sigmask(tracee);
	bool trapped = tracee->trapped; /* ours takes nothing away: the signal is not blocked */

	tracee_block_signals(tracee);
	arch.remote_call(tracee_regs_mut(tracee), nr, args);
	if (!run_to_trap(tracee, child))
		return -ESRCH;
	tracee->trapped = trapped;
	int64_t result = arch.call_result(tracee_regs(tracee));

	tracee_set_regs(tracee, &before);
	tracee_set_sigmask(tracee, mask);
	if (tracee->stop_again) {
		syscall(SYS_tgkill, tracee->tgid, tracee->tid, tracee->stop_again);
		tracee->stop_again = 0;
	}
	if (tracee->interrupt_again)
		tracee_interrupt(tracee);
	tracee->interrupt_again = false;
	return result;
}

int64_t tracee_call(struct tracee *tracee, int nr, const uint64_t args[SC_ARGS])
{
	return tracee_call_clone(tracee, nr, args, NULL);
}

/* A call made by code put at the program counter for the moment. The seccomp program stops it. */
static int64_t borrowed_call(struct tracee *tracee, int nr, const uint64_t args[SC_ARGS])
{
	if (tracee->gone)
		return -ESRCH;
	struct regs before = *tracee_regs(tracee);
	taddr pc = arch.pc(&before);
	uint8_t saved[16];
	size_t size = arch.code_page_size;

	if (tracee_read(tracee, pc, saved, size) != size ||
	    tracee_write(tracee, pc, arch.code_page, size) != size)
		return -EFAULT;
	uint64_t mask = tracee_get_sigmask(tracee);

	tracee_block_signals(tracee);
	struct regs *regs = tracee_regs_mut(tracee);

	arch.remote_call(regs, nr, args);
	arch.set_pc(regs, pc);
	if (!run_to_trap(tracee, NULL))
		return -ESRCH;
	int64_t result = arch.call_result(tracee_regs(tracee));

	tracee_set_regs(tracee, &before);
	tracee_set_sigmask(tracee, mask);
	tracee_write(tracee, pc, saved, size);
	return result;
}

static struct error *map_page(struct tracee *tracee, taddr at, uint64_t length, int prot)
{
	const uint64_t args[SC_ARGS] = {
		at,    length, (uint64_t)prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		-1ull, 0};
	int64_t result = borrowed_call(tracee, SYS_mmap, args);

	if (result == (int64_t)at || tracee->gone)
		return NULL;
	return error_os(result < 0 ? (int)-result : EEXIST,
			"cannot map warp's pages at %#llx in process %d; a limit of memory (ulimit "
			"-v) may be too low",
			(unsigned long long)at, tracee->tgid);
}

struct error *tracee_check_room(pid_t pid)
{
	struct proc_maps maps _cleanup_(proc_maps_deinit) = {0};

	proc_read_maps(pid, &maps);
	vec_foreach (&maps, map)
		if (map->start < WARP_PAGES_END && map->end > WARP_CODE_PAGE)
			return error_new(
				"cannot record %s in process %d: it is linked at the "
				"addresses from %#llx to %#llx, which warp needs for pages "
				"of its own; link it elsewhere (-pie, or without "
				"-Ttext-segment)",
				*map->name ? map->name : "the program", pid, WARP_CODE_PAGE,
				WARP_PAGES_END);
	return NULL;
}

struct error *tracee_map_pages(struct tracee *tracee)
{
	try(map_page(tracee, WARP_CODE_PAGE, WARP_DATA_PAGE - WARP_CODE_PAGE,
		     PROT_READ | PROT_EXEC));
	try(map_page(tracee, WARP_DATA_PAGE, WARP_PAGES_END - WARP_DATA_PAGE,
		     PROT_READ | PROT_WRITE));
	tracee_write(tracee, WARP_CODE_PAGE, arch.code_page, arch.code_page_size);
	return NULL;
}
