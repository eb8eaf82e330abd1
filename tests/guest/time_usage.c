/*
 * times, getrusage, wait4, adjtimex and clock_adjtime (read only), sysinfo, getloadavg.
 */
#include "guest.h"
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <time.h>

static void show_usage(const char *what, int who)
{
	struct rusage ru;

	need(getrusage(who, &ru));
	show("%s: user %ld.%06ld system %ld.%06ld maxrss %ld faults %ld %ld switches %ld %ld", what,
	     ru.ru_utime.tv_sec, (long)ru.ru_utime.tv_usec, ru.ru_stime.tv_sec,
	     (long)ru.ru_stime.tv_usec, ru.ru_maxrss, ru.ru_minflt, ru.ru_majflt, ru.ru_nvcsw,
	     ru.ru_nivcsw);
	expect(ru.ru_utime.tv_usec < 1000000, "microseconds in %s", what);
}

int main(void)
{
	struct tms a, b;
	struct rusage ru;
	int status;

	clock_t t1 = times(&a);
	pid_t pid = need(fork());
	if (pid == 0) {
		volatile long spin = 0;
		for (int i = 0; i < 100000; i++)
			spin += i;
		_exit(spin > 0 ? 3 : 4);
	}
	expect_eq_long(wait4(pid, &status, 0, &ru), pid, "wait4");
	expect_eq_long(WEXITSTATUS(status), 3, "status");
	show("the child's maxrss %ld, faults %ld", ru.ru_maxrss, ru.ru_minflt);
	clock_t t2 = times(&b);
	expect(t2 >= t1 && b.tms_utime >= a.tms_utime && b.tms_cutime >= a.tms_cutime,
	       "times: %ld, %ld; user %ld, children %ld", t1, t2, b.tms_utime, b.tms_cutime);
	show_usage("self", RUSAGE_SELF);
	show_usage("children", RUSAGE_CHILDREN);
	show_usage("thread", RUSAGE_THREAD);
	expect_errno(getrusage(99, &ru), EINVAL);

	struct timex tx = {.modes = 0};
	int state = adjtimex(&tx);
	show("adjtimex: state %d, offset %ld, freq %ld, status 0x%x, tick %ld, time %ld.%06ld, tai "
	     "%d",
	     state, tx.offset, tx.freq, tx.status, tx.tick, tx.time.tv_sec, (long)tx.time.tv_usec,
	     tx.tai);
	expect(state >= 0 && tx.tick > 0, "adjtimex");
	state = syscall(SYS_clock_adjtime, CLOCK_REALTIME, &tx);
	expect(state >= 0, "clock_adjtime: %d", state);

	struct sysinfo si;
	expect_eq_long(sysinfo(&si), 0, "sysinfo");
	show("uptime %ld, loads %lu %lu %lu, ram %lu free %lu shared %lu, procs %u, unit %u",
	     si.uptime, si.loads[0], si.loads[1], si.loads[2], si.totalram, si.freeram,
	     si.sharedram, si.procs, si.mem_unit);
	expect(si.totalram > si.freeram && si.procs > 0, "plausible");
	double loads[3];
	expect_eq_long(getloadavg(loads, 3), 3, "getloadavg");
	show("%.2f %.2f %.2f", loads[0], loads[1], loads[2]);
	show("page %ld, CPUs %ld of %ld, clock ticks %ld", sysconf(_SC_PAGESIZE),
	     sysconf(_SC_NPROCESSORS_ONLN), sysconf(_SC_NPROCESSORS_CONF), sysconf(_SC_CLK_TCK));
	return done();
}
