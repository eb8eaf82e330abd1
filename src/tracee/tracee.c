/* One traced thread: stops, registers, signals.
 *
 * Invariant: registers are read at most once a stop and written at most once before going on. */
#include "tracee/tracee.h"

#include <elf.h>
#include <errno.h>
#include <linux/rseq.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracee/procfs.h"
#include "util/log.h"

/* Larger than any processor's state today (11 KB with AMX). */
#define XSTATE_ROOM 16384
/* More pending signals than this are not looked at. */
#define PEEKED 32

void tracee_init(struct tracee *tracee, pid_t tid, pid_t tgid)
{
	*tracee = (struct tracee){.tid = tid, .tgid = tgid, .mem = -1};
}

void tracee_deinit(struct tracee *tracee)
{
	tracee_forget_memory(tracee);
}

/* Every ptrace request goes through here. */
static bool request(struct tracee *tracee, int what, void *addr, void *data)
{
	if (tracee->gone)
		return false;
	if (ptrace(what, tracee->tid, addr, data) == 0)
		return true;
	if (errno == ESRCH)
		tracee->gone = true;
	else
		log_info("ptrace request %#x of thread %d: %s", what, tracee->tid, strerror(errno));
	return false;
}

static bool is_sent_again(const siginfo_t *info)
{
	return info->si_signo == SIGTRAP && info->si_code == SI_TKILL && info->si_pid == getpid();
}

/* A trap of ours, where the program blocks SIGTRAP, unblocks it; and if one waits already, there
 * will not be another: the kernel reports that one (legacy_queue(), force_sig_info_to_task() in
 * kernel/signal.c). So it is blocked again; and sent again, to wait on. */
static void keep_blocked_trap(struct tracee *tracee)
{
	siginfo_t info;

	/* In a call that does not block it (sigsuspend(2)) it is no trap, but the signal. */
	if (arch.in_call(tracee_regs(tracee)) || !tracee_get_siginfo(tracee, &info))
		return;
	tracee_set_sigmask(tracee, tracee_get_sigmask(tracee) | SIGNAL_BIT(SIGTRAP));
	if (info.si_code > 0)
		return;
	if (!is_sent_again(&info))
		tracee->kept_trap = info;
	info = (siginfo_t){.si_signo = SIGTRAP, .si_code = SI_KERNEL};
	tracee_set_siginfo(tracee, &info);
	syscall(SYS_tgkill, tracee->tgid, tracee->tid, SIGTRAP);
}

void tracee_take_kept_trap(struct tracee *tracee, siginfo_t *info)
{
	if (!is_sent_again(info) || !tracee->kept_trap.si_signo)
		return;
	*info = tracee->kept_trap;
	tracee_set_siginfo(tracee, info);
	tracee->kept_trap.si_signo = 0;
}

void tracee_stopped(struct tracee *tracee, int status)
{
	int event = tracee_event(status);

	tracee->stopped = true;
	tracee->gone = false;
	tracee->regs_valid = tracee->regs_dirty = false;
	tracee->stops++;
	/* Overtaken by another stop, an interrupt is taken back by the kernel; see
	 * tracee_trap_first(). */
	if (event != PTRACE_EVENT_STOP)
		tracee->interrupted = false;
	if (event == PTRACE_EVENT_EXEC) /* which clears them (flush_ptrace_hw_breakpoint()) */
		memset(tracee->debug, 0, sizeof(tracee->debug));
	if (event || WSTOPSIG(status) != SIGTRAP)
		return;
	tracee->trapped = true;
	if (tracee->blocks_trap)
		keep_blocked_trap(tracee);
}

int tracee_wait_once(struct tracee *tracee, int flags)
{
	int status = tracee->unseen;
	pid_t tid = status ? tracee->tid : waitpid(tracee->tid, &status, __WALL | flags);

	tracee->unseen = 0;
	if (tid == 0 || (tid < 0 && errno == EINTR))
		return 0;
	if (tid < 0 || WIFEXITED(status) || WIFSIGNALED(status)) {
		tracee->gone = true;
		return tid < 0 ? -1 : status;
	}
	tracee_stopped(tracee, status);
	return status;
}

int tracee_wait(struct tracee *tracee, int flags)
{
	int status;

	do
		status = tracee_wait_once(tracee, flags);
	while (!status && !(flags & WNOHANG));
	return status;
}

void tracee_write_regs(struct tracee *tracee)
{
	if (tracee->regs_dirty)
		request(tracee, arch.set_regs, NULL, &tracee->regs);
	tracee->regs_valid = tracee->regs_dirty = false;
}

void tracee_forget_interrupt(struct tracee *tracee)
{
	tracee->stray = true;
	tracee->interrupted = false;
}

/* An interrupt of a stopped task is its next stop, before it executes anything. That it was
 * interrupted before its last stop is not known: so it is once more. */
static void pass_stray(struct tracee *tracee, int how)
{
	tracee->stray = false;
	if (!request(tracee, PTRACE_INTERRUPT, NULL, NULL) || !request(tracee, how, NULL, NULL))
		return;
	int status = tracee_wait(tracee, 0);

	if (!tracee->gone && tracee_event(status) == PTRACE_EVENT_STOP)
		return;
	tracee->gone = true;
	tracee->unseen = status < 0 ? 0 : status;
}

void tracee_set_debug(struct tracee *tracee, unsigned slot, enum arch_debug kind, taddr at,
		      unsigned length)
{
	tracee->wanted[slot] = kind == ARCH_DEBUG_OFF ? (struct tracee_debug){0}
						      : (struct tracee_debug){kind, length, at};
}

void tracee_break_at(struct tracee *tracee, taddr at)
{
	tracee_set_debug(tracee, 0, at ? ARCH_DEBUG_EXECUTE : ARCH_DEBUG_OFF, at, 1);
}

static void write_debug(struct tracee *tracee)
{
	for (unsigned slot = 0; slot < TRACEE_DEBUG_SLOTS; slot++) {
		const struct tracee_debug *wanted = &tracee->wanted[slot];
		struct tracee_debug *is = &tracee->debug[slot];

		if (wanted->kind == is->kind && wanted->at == is->at &&
		    wanted->length == is->length)
			continue;
		if (arch.set_debug(tracee->tid, slot, wanted->kind, wanted->at, wanted->length))
			*is = *wanted; /* else it is tried again */
	}
}

void tracee_resume(struct tracee *tracee, int how, int signal)
{
	if (tracee->unseen)
		return;
	tracee_write_regs(tracee);
	write_debug(tracee);
	if (tracee->stray)
		pass_stray(tracee, how);
	tracee->stopped = false;
	request(tracee, how, NULL, (void *)(long)signal);
}

void tracee_interrupt(struct tracee *tracee)
{
	tracee->interrupted = true;
	request(tracee, PTRACE_INTERRUPT, NULL, NULL);
}

void tracee_detach(struct tracee *tracee, int signal)
{
	tracee_write_regs(tracee);
	write_debug(tracee);
	tracee->stopped = false;
	request(tracee, PTRACE_DETACH, NULL, (void *)(long)signal);
}

bool tracee_call_info(struct tracee *tracee, struct __ptrace_syscall_info *info)
{
	long size = -1;

	if (!tracee->gone)
		size = ptrace(PTRACE_GET_SYSCALL_INFO, tracee->tid, (void *)sizeof(*info), info);
	if (size < 0 && errno == ESRCH)
		tracee->gone = true;
	if (size <= 0)
		memset(info, 0, sizeof(*info));
	return size > 0;
}

unsigned long tracee_event_message(struct tracee *tracee)
{
	unsigned long message = 0;

	request(tracee, PTRACE_GETEVENTMSG, NULL, &message);
	return message;
}

const struct regs *tracee_regs(struct tracee *tracee)
{
	if (!tracee->regs_valid) {
		if (!request(tracee, arch.get_regs, NULL, &tracee->regs))
			memset(&tracee->regs, 0, sizeof(tracee->regs));
		tracee->regs_valid = true;
	}
	return &tracee->regs;
}

struct regs *tracee_regs_mut(struct tracee *tracee)
{
	tracee_regs(tracee);
	tracee->regs_dirty = true;
	return &tracee->regs;
}

void tracee_set_regs(struct tracee *tracee, const struct regs *regs)
{
	tracee->regs = *regs;
	tracee->regs_valid = tracee->regs_dirty = true;
}

/* 0, or why a request for a register set failed. */
static int set_request(struct tracee *tracee, int what, unsigned note, struct iovec *vector)
{
	tracee_write_regs(tracee);
	if (tracee->gone)
		return ESRCH;
	if (ptrace(what, tracee->tid, (void *)(long)note, vector) == 0)
		return 0;
	int errnum = errno;

	tracee->gone = errnum == ESRCH;
	return errnum;
}

int tracee_get_set(struct tracee *tracee, unsigned note, void *to, size_t *length)
{
	struct iovec vector = {to, *length};
	int errnum = set_request(tracee, PTRACE_GETREGSET, note, &vector);

	*length = vector.iov_len;
	return errnum;
}

int tracee_put_set(struct tracee *tracee, unsigned note, const void *from, size_t length)
{
	struct iovec vector = {(void *)from, length};

	return set_request(tracee, PTRACE_SETREGSET, note, &vector);
}

bool tracee_get_xstate(struct tracee *tracee, struct bytes *out)
{
	vec_clear(out);
	vec_reserve(out, XSTATE_ROOM);
	struct iovec vector = {out->items, XSTATE_ROOM};

	if (!request(tracee, PTRACE_GETREGSET, (void *)(long)arch.xstate_note, &vector))
		return false;
	out->count = vector.iov_len;
	return true;
}

void tracee_set_xstate(struct tracee *tracee, const void *bytes, size_t length)
{
	struct iovec vector = {(void *)bytes, length};

	request(tracee, PTRACE_SETREGSET, (void *)(long)arch.xstate_note, &vector);
}

bool tracee_get_siginfo(struct tracee *tracee, siginfo_t *info)
{
	memset(info, 0, sizeof(*info));
	return request(tracee, PTRACE_GETSIGINFO, NULL, info);
}

bool tracee_is_trap_instruction(struct tracee *tracee)
{
	siginfo_t info;

	return tracee_get_siginfo(tracee, &info) && info.si_code == SI_KERNEL;
}

bool tracee_is_at_break(struct tracee *tracee)
{
	siginfo_t info;

	return tracee_get_siginfo(tracee, &info) && info.si_code == TRAP_HWBKPT &&
	       arch.debug_hit_only(tracee->tid, 0);
}

void tracee_set_siginfo(struct tracee *tracee, const siginfo_t *info)
{
	request(tracee, PTRACE_SETSIGINFO, NULL, (void *)info);
}

bool tracee_trap_pending(struct tracee *tracee)
{
	struct __ptrace_peeksiginfo_args args = {.nr = 1};
	siginfo_t info;

	while (!tracee->gone && ptrace(PTRACE_PEEKSIGINFO, tracee->tid, &args, &info) == 1) {
		if (info.si_signo == SIGTRAP && info.si_code > 0)
			return true;
		args.off++;
	}
	return false;
}

/* PTRACE_GET_RSEQ_CONFIGURATION: Linux 5.13 (90f093fa8ea4). */
bool tracee_sequence(struct tracee *tracee, taddr *at)
{
	struct __ptrace_rseq_configuration rseq = {0};

	*at = 0;
	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, tracee->tid, sizeof(rseq), &rseq) <= 0)
		return false;
	if (rseq.rseq_abi_pointer)
		*at = rseq.rseq_abi_pointer + offsetof(struct rseq, rseq_cs);
	return true;
}

/* Traps for job control are reported before signals (get_signal() in kernel/signal.c), and every
 * stop takes back an interrupt that is on the way (ptrace_stop()): so it is made when the other
 * trap is there. */
int tracee_trap_first(struct tracee *tracee, int status)
{
	if (tracee_event(status) != PTRACE_EVENT_STOP || !tracee_trap_pending(tracee))
		return status;
	tracee_resume(tracee, PTRACE_CONT, 0);
	status = tracee_wait(tracee, 0);
	if (!tracee->gone)
		tracee_interrupt(tracee);
	return status;
}

/* PTRACE_PEEKSIGINFO shows the thread's queue, or its process's (ptrace(2)). */
static uint64_t peek_pending(struct tracee *tracee, uint32_t flags)
{
	siginfo_t infos[PEEKED];
	struct __ptrace_peeksiginfo_args args = {.flags = flags, .nr = PEEKED};
	uint64_t pending = 0;
	long got = tracee->gone ? 0 : ptrace(PTRACE_PEEKSIGINFO, tracee->tid, &args, infos);

	for (long i = 0; i < got; i++)
		pending |= SIGNAL_BIT(infos[i].si_signo);
	return pending;
}

bool tracee_signal_pending(struct tracee *tracee)
{
	uint64_t pending =
		peek_pending(tracee, 0) | peek_pending(tracee, PTRACE_PEEKSIGINFO_SHARED);

	return pending && (pending & ~tracee_get_sigmask(tracee));
}

uint64_t tracee_get_sigmask(struct tracee *tracee)
{
	uint64_t mask = 0;

	request(tracee, PTRACE_GETSIGMASK, (void *)sizeof(mask), &mask);
	return mask;
}

void tracee_set_sigmask(struct tracee *tracee, uint64_t mask)
{
	request(tracee, PTRACE_SETSIGMASK, (void *)sizeof(mask), &mask);
}
