/* Printers: signals, clocks and what the system says of itself. */
#include "syscalls/printer.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/times.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* The kernel's struct sigaction, not libc's (arch/x86/include/uapi/asm/signal.h). */
struct kernel_sigaction {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

#define SA_RESTORER_BIT 0x04000000u

void put_signal(struct printer *p, int signal)
{
	const char *name = sc_signal_name(signal);

	if (name)
		put(p, "%s", name);
	else
		put(p, "%d", signal);
}

PRINTER(signal)
{
	put_signal(p, value);
}

void put_sigset(struct printer *p, uint64_t set)
{
	const char *space = "";

	if (__builtin_popcountll(set) >= 64 * 2 / 3) {
		put_plain(p, "~");
		set = ~set;
	}
	put_plain(p, "[");
	for (int signal = 1; signal <= 64; signal++)
		if (set & (UINT64_C(1) << (signal - 1))) {
			put(p, "%s%s", space, sc_signal_name(signal) + strlen("SIG"));
			space = " ";
		}
	put_plain(p, "]");
}

PRINTER(sigset)
{
	uint64_t set;

	/* the size is the argument behind it; the kernel takes only its own */
	if (arg_length(p) == sizeof(set) && fetch(p, value, &set, sizeof(set)))
		put_sigset(p, set);
	else
		put_addr(p, value);
}

PRINTER(epoll_sigset)
{
	if (p->failed)
		put_addr(p, value);
	else
		print_sigset(p, value, names);
}

static void put_handler(struct printer *p, uint64_t handler)
{
	if (handler == (uint64_t)(uintptr_t)SIG_DFL)
		put_plain(p, "SIG_DFL");
	else if (handler == (uint64_t)(uintptr_t)SIG_IGN)
		put_plain(p, "SIG_IGN");
	else if (handler == (uint64_t)(uintptr_t)SIG_ERR)
		put_plain(p, "SIG_ERR");
	else
		put_addr(p, handler);
}

PRINTER(sigaction)
{
	struct kernel_sigaction action;

	if (!fetch_or_addr(p, value, &action, sizeof(action)))
		return;
	put_plain(p, "{sa_handler=");
	put_handler(p, action.handler);
	put_plain(p, ", sa_mask=");
	put_sigset(p, action.mask);
	put_plain(p, ", sa_flags=");
	put_flags(p, &names_sigaction, action.flags);
	if (action.flags & SA_RESTORER_BIT) {
		put_plain(p, ", sa_restorer=");
		put_addr(p, action.restorer);
	}
	put_plain(p, "}");
}

/* The mask that it puts back lies in the signal's frame. */
void format_sigreturn(struct printer *p, struct sc_half *half)
{
	uint64_t set;

	half->complete = true;
	p->memory = p->entry;
	if (!p->call->signal_mask || !fetch(p, p->call->signal_mask, &set, sizeof(set)))
		return;
	put_plain(p, "{mask=");
	put_sigset(p, set);
	put_plain(p, "}");
}

/* Its arguments are complete when it is made. */
void format_sigreturn_end(struct printer *p)
{
	(void)p;
}

PRINTER(sigaltstack)
{
	struct {
		uint64_t sp;
		uint32_t flags, pad;
		uint64_t size;
	} stack;

	if (!fetch_or_addr(p, value, &stack, sizeof(stack)))
		return;
	put_plain(p, "{ss_sp=");
	put_addr(p, stack.sp);
	put_plain(p, ", ss_flags=");
	put_flags(p, &names_sigaltstack, stack.flags);
	put(p, ", ss_size=%" PRIu64 "}", stack.size);
}

/* ---- siginfo ---- */

static void put_si_code(struct printer *p, const siginfo_t *info)
{
	static const struct names *const of_signal[] = {
		[SIGCHLD] = &names_si_chld, [SIGSEGV] = &names_si_segv, [SIGILL] = &names_si_ill,
		[SIGFPE] = &names_si_fpe,   [SIGBUS] = &names_si_bus,	[SIGTRAP] = &names_si_trap,
		[SIGSYS] = &names_si_sys,   [SIGIO] = &names_si_poll,
	};
	const char *text = names_find(&names_si_code, (uint32_t)info->si_code);

	if (!text && (unsigned)info->si_signo < sizeof(of_signal) / sizeof(of_signal[0]) &&
	    of_signal[info->si_signo])
		text = names_find(of_signal[info->si_signo], (uint32_t)info->si_code);
	if (text)
		put(p, "%s", text);
	else
		put(p, "%#x", (unsigned)info->si_code);
}

static void put_clock_t(struct printer *p, const char *name, unsigned long ticks)
{
	unsigned long hertz = sysconf(_SC_CLK_TCK);

	put(p, "%s=%lu", name, ticks);
	if (ticks && hertz == 100)
		put(p, " /* %lu.%02lu s */", ticks / hertz, ticks % hertz);
}

static void put_si_source(struct printer *p, const siginfo_t *info)
{
	put(p, ", si_pid=%d, si_uid=%d", info->si_pid, (int)info->si_uid);
}

static void put_si_value(struct printer *p, const siginfo_t *info)
{
	put(p, ", si_int=%d, si_ptr=", info->si_int);
	put_addr(p, (uintptr_t)info->si_ptr);
}

static void put_si_chld(struct printer *p, const siginfo_t *info)
{
	put_si_source(p, info);
	put_plain(p, ", si_status=");
	if (info->si_code == CLD_EXITED)
		put(p, "%d", info->si_status);
	else
		put_signal(p, info->si_status);
	put_clock_t(p, ", si_utime", info->si_utime);
	put_clock_t(p, ", si_stime", info->si_stime);
}

static void put_si_sys(struct printer *p, const siginfo_t *info)
{
	const struct sc_row *row = sc_row(info->si_syscall);

	put_plain(p, ", si_call_addr=");
	put_addr(p, (uintptr_t)info->si_call_addr);
	put_plain(p, ", si_syscall=");
	if (row)
		put(p, "__NR_%s", row->name);
	else
		put_decimal(p, info->si_syscall);
	put_plain(p, ", si_arch=");
	put_name(p, &names_audit_arch, info->si_arch);
}

static void put_si_kernel(struct printer *p, const siginfo_t *info)
{
	switch (info->si_signo) {
	case SIGCHLD:
		put_si_chld(p, info);
		break;
	case SIGILL:
	case SIGFPE:
	case SIGBUS:
	case SIGSEGV:
	case SIGTRAP:
		put_plain(p, ", si_addr=");
		put_addr(p, (uintptr_t)info->si_addr);
		break;
	case SIGSYS:
		put_si_sys(p, info);
		break;
	case SIGIO:
		if (info->si_code == SI_KERNEL)
			break;
		put(p, ", si_band=%ld, si_fd=", (long)info->si_band);
		put_fd(p, info->si_fd);
		break;
	default:
		if (info->si_pid || info->si_uid)
			put_si_source(p, info);
		if (info->si_ptr)
			put_si_value(p, info);
	}
}

static void put_si_fields(struct printer *p, const siginfo_t *info)
{
	const char *error = sc_errno_name(info->si_errno);

	if (info->si_errno && error)
		put(p, ", si_errno=%s", error);
	else if (info->si_errno)
		put(p, ", si_errno=%d", info->si_errno);
	if (info->si_code > 0) {
		put_si_kernel(p, info);
	} else if (info->si_code == SI_TIMER) {
		put(p, ", si_timerid=%#x, si_overrun=%d", info->si_timerid, info->si_overrun);
		put_si_value(p, info);
	} else {
		put_si_source(p, info);
		if (info->si_code != SI_USER && info->si_code != SI_TKILL && info->si_ptr)
			put_si_value(p, info);
	}
}

void put_siginfo(struct printer *p, taddr addr)
{
	siginfo_t info;

	if (!fetch_or_addr(p, addr, &info, sizeof(info)))
		return;
	put_plain(p, "{");
	if (info.si_signo) {
		put_plain(p, "si_signo=");
		put_signal(p, info.si_signo);
		put_plain(p, ", si_code=");
		put_si_code(p, &info);
		put_si_fields(p, &info);
	}
	put_plain(p, "}");
}

PRINTER(siginfo)
{
	put_siginfo(p, value);
}

PRINTER(sigevent)
{
	struct sigevent event;

	if (!fetch_or_addr(p, value, &event, sizeof(event)))
		return;
	put_plain(p, "{");
	if (event.sigev_value.sival_ptr) {
		put(p, "sigev_value={sival_int=%d, sival_ptr=", event.sigev_value.sival_int);
		put_addr(p, (uintptr_t)event.sigev_value.sival_ptr);
		put_plain(p, "}, ");
	}
	put_plain(p, "sigev_signo=");
	if (event.sigev_notify == SIGEV_NONE)
		put_decimal(p, event.sigev_signo);
	else
		put_signal(p, event.sigev_signo);
	put_plain(p, ", sigev_notify=");
	put_name(p, &names_sigev, (uint32_t)event.sigev_notify);
	if (event.sigev_notify == SIGEV_THREAD_ID)
		put(p, ", sigev_notify_thread_id=%d", event._sigev_un._tid);
	put_plain(p, "}");
}

/* ---- clocks ---- */

static void put_timespec_at(struct printer *p, const struct timespec *time)
{
	put(p, "{tv_sec=%ld, tv_nsec=%ld}", time->tv_sec, time->tv_nsec);
}

static void put_timeval_at(struct printer *p, const struct timeval *time)
{
	put(p, "{tv_sec=%ld, tv_usec=%ld}", time->tv_sec, time->tv_usec);
}

void put_timespec(struct printer *p, taddr addr)
{
	struct timespec time;

	if (fetch_or_addr(p, addr, &time, sizeof(time)))
		put_timespec_at(p, &time);
}

void put_timeval(struct printer *p, taddr addr)
{
	struct timeval time;

	if (fetch_or_addr(p, addr, &time, sizeof(time)))
		put_timeval_at(p, &time);
}

PRINTER(timespec)
{
	put_timespec(p, value);
}

PRINTER(timeval)
{
	put_timeval(p, value);
}

/* The kernel writes the rest of a sleep only if a signal interrupted it (nanosleep(2)); a sleep
 * until a fixed time has no rest. */
PRINTER(timespec_rem)
{
	if (p->failed && p->call->result <= -512)
		put_timespec(p, value);
	else
		put_addr(p, value);
}

PRINTER(clock_rem)
{
	if (arg_value(p, 1) & TIMER_ABSTIME)
		put_addr(p, value);
	else
		print_timespec_rem(p, value, names);
}

PRINTER(itimerval)
{
	struct itimerval timer;

	if (!fetch_or_addr(p, value, &timer, sizeof(timer)))
		return;
	put_plain(p, "{it_interval=");
	put_timeval_at(p, &timer.it_interval);
	put_plain(p, ", it_value=");
	put_timeval_at(p, &timer.it_value);
	put_plain(p, "}");
}

PRINTER(itimerspec)
{
	struct itimerspec timer;

	if (!fetch_or_addr(p, value, &timer, sizeof(timer)))
		return;
	put_plain(p, "{it_interval=");
	put_timespec_at(p, &timer.it_interval);
	put_plain(p, ", it_value=");
	put_timespec_at(p, &timer.it_value);
	put_plain(p, "}");
}

PRINTER(timezone)
{
	struct timezone zone;

	if (fetch_or_addr(p, value, &zone, sizeof(zone)))
		put(p, "{tz_minuteswest=%d, tz_dsttime=%d}", zone.tz_minuteswest, zone.tz_dsttime);
}

PRINTER(times)
{
	struct tms times;

	if (!fetch_or_addr(p, value, &times, sizeof(times)))
		return;
	put_clock_t(p, "{tms_utime", times.tms_utime);
	put_clock_t(p, ", tms_stime", times.tms_stime);
	put_clock_t(p, ", tms_cutime", times.tms_cutime);
	put_clock_t(p, ", tms_cstime", times.tms_cstime);
	put_plain(p, "}");
}

PRINTER(timex)
{
	struct timex t;

	if (!fetch_or_addr(p, value, &t, sizeof(t)))
		return;
	put(p, "{modes=%#x, offset=%ld, freq=%ld, maxerror=%ld, esterror=%ld, status=", t.modes,
	    t.offset, t.freq, t.maxerror, t.esterror);
	put_flags(p, &names_timex_status, (unsigned)t.status);
	put(p, ", constant=%ld, precision=%lu, tolerance=%ld, time=", t.constant, t.precision,
	    t.tolerance);
	put_timeval_at(p, &t.time);
	put(p, ", tick=%ld, ppsfreq=%ld, jitter=%ld, shift=%d, stabil=%ld", t.tick, t.ppsfreq,
	    t.jitter, t.shift, t.stabil);
	put(p, ", jitcnt=%ld, calcnt=%ld, errcnt=%ld, stbcnt=%ld, tai=%d}", t.jitcnt, t.calcnt,
	    t.errcnt, t.stbcnt, t.tai);
}

/* ---- the system ---- */

PRINTER(utsname)
{
	struct utsname name;

	if (!fetch_or_addr(p, value, &name, sizeof(name)))
		return;
	put_plain(p, "{sysname=");
	put_chars(p, name.sysname, sizeof(name.sysname));
	put_plain(p, ", nodename=");
	put_chars(p, name.nodename, sizeof(name.nodename));
	put_plain(p, ", ...}");
}

PRINTER(sysinfo)
{
	struct sysinfo s;

	if (!fetch_or_addr(p, value, &s, sizeof(s)))
		return;
	put(p, "{uptime=%ld, loads=[%lu, %lu, %lu], totalram=%lu, freeram=%lu", s.uptime,
	    s.loads[0], s.loads[1], s.loads[2], s.totalram, s.freeram);
	put(p, ", sharedram=%lu, bufferram=%lu, totalswap=%lu, freeswap=%lu, procs=%u", s.sharedram,
	    s.bufferram, s.totalswap, s.freeswap, s.procs);
	put(p, ", totalhigh=%lu, freehigh=%lu, mem_unit=%u}", s.totalhigh, s.freehigh, s.mem_unit);
}
